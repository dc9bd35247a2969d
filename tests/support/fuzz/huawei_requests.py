"""How to be let in on Huawei's wire, and what there is for requests to find."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import requests
from requests.auth import AuthBase

from airslice.facades.huawei.operations import OPERATIONS
from tests.support.clients.huawei_client import authorization
from tests.support.server.running_server import RunningServer
from tests.support.waiting import PATIENCE_S

SCENES = [
    {
        "script_name": "scene",
        "voice_config": {"voice_asset_id": "en-us"},
        "shoot_scripts": [{"text_config": {"text": "Welcome. " * 1_000}}],
    }
]
SMART_LIVE_OUT_OF_REACH = frozenset(
    {
        "GET /v1/{project_id}/live-platforms/products",  # no platform answers
        # What may be asked a few times a second is told so by most answers, perhaps by all.
        *(
            f"{operation.method} /v1/{{project_id}}{operation.path}"
            for operation in OPERATIONS
            if operation.per_second
        ),
    }
)
RULE_GROUPS = "/smart-live-interaction-rule-groups"


class SignedForProject(AuthBase):
    """Signs requests with SDK-HMAC-SHA256."""

    def __init__(self, server: RunningServer) -> None:
        account = server.settings.accounts[0]
        self._keys = (account.access_key, account.secret_key)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        url = urlsplit(str(request.url))
        pairs = [part.partition("=") for part in url.query.split("&") if part]
        query = sorted((_escaped(name), _escaped(value)) for name, _, value in pairs)
        signed = {"Host": url.netloc, "X-Sdk-Date": f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"}
        body = request.body or b""
        request.headers.update(signed)
        request.headers.pop("X-Auth-Token", None)  # made up, as the document allows one
        request.headers["Authorization"] = authorization(
            str(request.method),
            url.path,
            "&".join(f"{name}={value}" for name, value in query),
            signed,
            body.encode() if isinstance(body, str) else body,
            self._keys,
        )
        return request


def smart_live_ids(server: RunningServer) -> Mapping[str, Any]:
    """Make one of each thing; return their ids."""
    project = f"{server.base_url}/v1/{server.project.project_id}"
    auth = SignedForProject(server)

    def made(path: str, body: object) -> dict[str, Any]:
        answer = requests.post(project + path, json=body, auth=auth, timeout=PATIENCE_S)
        assert answer.ok, answer.text
        document: dict[str, Any] = answer.json()
        return document

    room = made(
        "/smart-live-rooms",
        {"room_name": "r", "scene_scripts": SCENES, "play_policy": {"repeat_count": -1}},
    )
    job = made(f"/smart-live-rooms/{room['room_id']}/smart-live-jobs", {})
    group = made(RULE_GROUPS, {"group_name": "g"})
    rule = made(f"{RULE_GROUPS}/{group['group_id']}/rules", {"rule_name": "r"})
    platform = made(
        "/live-platforms/platforms",
        {"name": "p", "auth_config": {"key": "k"}, "callback_config": []},
    )
    return {
        "project_id": server.project.project_id,
        "room_id": room["room_id"],
        "job_id": job["job_id"],
        "group_id": group["group_id"],
        "rule_id": rule["rule_id"],
        "platform_id": platform["platform_id"],
    }


def smart_live_fields(server: RunningServer) -> Mapping[str, Any]:
    """Return fields that must go together, or that a generator hardly finds."""
    del server
    return {
        "scene_scripts": SCENES,
        "create_since": "2021-01-10T08:43:17Z",
        "create_until": "2121-01-10T08:43:17Z",
        "start_time": "2021-01-10T08:43:17Z",
        "end_time": "2121-01-10T08:43:17Z",
        "state": "WAITING,PROCESSING",
        "live_state": "NULL",
        "confirm_state": "confirmed",
        "shared_config": None,
        "script_version": None,
        "live_event_callback_config": None,
        "command": "GET_CURRENT_PLAYING_SCRIPTS",
        "events": [],
        "callback_config": [],
    }


def _escaped(text: str) -> str:
    return quote(unquote(text, errors="surrogateescape"), safe="~", errors="surrogateescape")
