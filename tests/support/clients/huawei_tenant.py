"""An owner of a project, on Huawei's wire."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import httpx

from tests.support.clients.huawei_client import authorization as huawei_authorization


class Tenant:
    """Signs requests on Huawei's wire."""

    def __init__(self, http: httpx.AsyncClient, project_id: str, keys: tuple[str, str]) -> None:
        self.http = http
        self.project_id = project_id
        self.keys = keys

    async def ask(
        self, method: str, path: str, body: object = None, *, project_id: str = "", **query: str
    ) -> httpx.Response:
        """Ask something of a project: the own one, if no other is named."""
        path = f"/v1/{project_id or self.project_id}{path}"
        text = urlencode(sorted(query.items()))
        content = b"" if body is None else json.dumps(body).encode()
        headers = {
            "Host": self.http.base_url.netloc.decode(),
            "X-Sdk-Date": f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}",
        }
        headers["Authorization"] = huawei_authorization(
            method, path, text, headers, content, self.keys
        )
        return await self.http.request(method, f"{path}?{text}", content=content, headers=headers)

    async def made(self, path: str, body: object) -> dict[str, str]:
        """Make something."""
        answer = await self.ask("POST", path, body)
        assert answer.is_success, answer.text
        document: dict[str, str] = answer.json()
        return document

    async def one_of_each(self) -> dict[str, str]:
        """Make one of each thing; return their ids."""
        waiting = {"play_mode": "NO_PRESET", "auto_play_script": False}
        room = await self.made("/smart-live-rooms", {"room_name": "mine", "play_policy": waiting})
        job = await self.made(f"/smart-live-rooms/{room['room_id']}/smart-live-jobs", {})
        groups = "/smart-live-interaction-rule-groups"
        group = await self.made(groups, {"group_name": "mine"})
        rule = await self.made(f"{groups}/{group['group_id']}/rules", {"rule_name": "mine"})
        auth = {"auth_config": {"key": "mine"}, "callback_config": []}
        platform = await self.made("/live-platforms/platforms", {"name": "mine", **auth})
        return {
            **room,
            **group,
            **platform,
            "job_id": job["job_id"],
            "rule_id": rule["rule_id"],
        }

    async def everything(self, ids: dict[str, str]) -> list[Any]:
        """Return all that it has of these ids."""
        room = f"/smart-live-rooms/{ids['room_id']}"
        paths = (
            room,
            f"/smart-live-interaction-rule-groups/{ids['group_id']}",
            f"/live-platforms/platforms/{ids['platform_id']}",
            "/smart-live-configs/user-config",
            "/smart-live-command/script-commands",
            "/smart-live-command/rule-commands",
        )
        jobs = (await self.ask("GET", f"{room}/smart-live-jobs")).json()["smart_live_jobs"]
        shown = [(await self.ask("GET", path)).json() for path in paths]
        return [*shown, [(job["job_id"], job["state"]) for job in jobs]]
