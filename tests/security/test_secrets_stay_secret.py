"""A whole session with known secrets; then everything that the server has written is searched."""

from __future__ import annotations

import base64
import itertools
import json
import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from tests.support.audio.slice_audio import beeps
from tests.support.clients.live_jobs import LiveClient
from tests.support.clients.rtp_publisher import opus_loop
from tests.support.clients.slicing_client import VERSION, SlicingClient, order_slicing
from tests.support.server.callback_sink import CallbackSink
from tests.support.server.running_server import RunningServer
from tests.support.stages.publishing_stage import PublishingStage
from tests.support.stages.scripted_store import ScriptedStore
from tests.support.waiting import PATIENCE_S, until

SHOWN = "shown to its project: "
"""Begins the names of secrets that smart live returns to whom they belong, as it is documented."""

REFUSING = "refusing"
"""The bucket that is at the store of another; its answers repeat the secret key."""


class Secrets:
    """What nobody may find, by what it is."""

    def __init__(self) -> None:
        self._counter = itertools.count()
        self.known: list[tuple[str, bytes]] = []

    def make(self, name: str) -> str:
        """Return a new secret."""
        value = f"secret{next(self._counter)}{secrets.token_hex(12)}"
        self.add(name, value)
        return value

    def add(self, name: str, value: str | bytes) -> None:
        """Know a secret that somebody else has made."""
        self.known.append((name, value if isinstance(value, bytes) else value.encode()))

    def found_in(self, content: bytes, *, besides: str = "nothing") -> list[str]:
        """Return which of them `content` has, in any of the usual forms."""
        return [
            name
            for name, value in self.known
            if not name.startswith(besides)
            and any(form in content for form in (value, value.hex().encode(), encoded(value)))
        ]


def encoded(value: bytes) -> bytes:
    """Return the middle of a value's base64, which does not depend on what is around it."""
    return base64.b64encode(value)[:-4]


@pytest.fixture
def sink() -> Iterator[CallbackSink]:
    sink = CallbackSink()
    yield sink
    sink.close()


@pytest.fixture
async def store() -> AsyncIterator[ScriptedStore]:
    async with ScriptedStore() as store:
        yield store


@pytest.fixture
def known() -> Secrets:
    return Secrets()


@pytest.fixture
def server(
    tmp_path: Path, sink: CallbackSink, store: ScriptedStore, known: Secrets
) -> Iterator[RunningServer]:
    override = store.override()
    endpoint = {
        "match": {"bucket": REFUSING},
        "endpoint": override.endpoint,
        "access_key": known.make("access key of the endpoint"),
        "secret_key": known.make("secret key of the endpoint"),
    }
    environment = {
        "AIRSLICE_STORAGE__ENDPOINTS": json.dumps([endpoint]),
        "AIRSLICE_STORAGE__PROBE": "false",
    }
    server = RunningServer(tmp_path, sink.url, environment)
    sink.secrets |= {app.app_id: app.callback_secret for app in server.apps.values()}
    settings = server.settings
    known.add("master key", settings.server.master_key)
    known.add("admin password", settings.server.admin_password or "")
    for account in settings.accounts:
        known.add(f"secret key of {account.id}", account.secret_key)
    for user in server.project.users:
        known.add(f"password of {user.name}", user.password)
    for name, app in server.apps.items():
        known.add(f"app key of {name}", app.app_key)
        known.add(f"callback secret of {name}", app.callback_secret)
    server.start()
    yield server
    server.close()


class Session:
    """A user of everything, who keeps what he is told."""

    def __init__(self, server: RunningServer, known: Secrets, sink: CallbackSink) -> None:
        self.server = server
        self.known = known
        self.sink = sink
        self.answers: list[tuple[str, httpx.Response]] = []

    async def run(self) -> None:
        async with httpx.AsyncClient(
            timeout=PATIENCE_S, event_hooks={"response": [self._keep]}
        ) as http:
            await self._slice(http)
            await self._refuse(http)
            await self._broadcast(http)
            await self._administer(http)

    async def _keep(self, response: httpx.Response) -> None:
        await response.aread()
        self.answers.append((response.request.url.path, response))

    async def _slice(self, http: httpx.AsyncClient) -> None:
        """Publish, into a bucket here and into one that refuses; be called back, and not."""
        client = SlicingClient(self.server, http)
        here = await order_slicing(
            client, self.sink, self.server, room="r", Duration=1, StorageConfig=self._storage("b")
        )
        elsewhere = await order_slicing(
            client,
            self.sink,
            self.server,
            room="r",
            task="refused",
            Duration=1,
            StorageConfig=self._storage(REFUSING),
        )
        stage = PublishingStage(self.server, http)
        publisher = await stage.publish(opus_loop(beeps(1.0)), room="r", user="u")
        await here.wait_for(2)
        await until(lambda: self.server.metric("failed_tries") > 0)
        app_id = self.server.apps["wav"].app_id
        callback = {
            "AppId": app_id,
            "URL": f"http://127.0.0.1:9/?key={self.known.make('callback URL')}",
            "SecretKey": self.known.make("secret of a callback setting"),
            "EventList": ["SegmentRealTimeData"],
        }
        body = json.dumps(callback).encode()
        created = await client.send(
            "POST", {"Action": "CreateCallback", "Version": "2020-12-01"}, body
        )
        assert created.status_code == 200, created.text
        await until(lambda: self.server.metric("failed_callbacks") > 0)
        await here.state()
        assert (await elsewhere.state())["Status"] == 4
        self.publisher = publisher

    async def _refuse(self, http: httpx.AsyncClient) -> None:
        """Make the mistakes that are answered with what was sent."""
        client = SlicingClient(self.server, http)
        start = {"Action": "StartSegment", "Version": VERSION}
        app_id = self.server.apps["wav"].app_id
        wrong = self.known.make("somebody's wrong secret key")
        bodies: list[Any] = [
            {"AppId": app_id, "StorageConfig": self._storage("b")},
            {"AppId": app_id, "RoomId": "r", "TaskId": "t", "StorageConfig": self._storage("/")},
            {"AppId": [wrong], "RoomId": wrong},
        ]
        for body in bodies:
            await client.send("POST", start, json.dumps(body).encode())
        await client.send("POST", start, b"{" + wrong.encode())
        await client.send("POST", start, b"{}", keys=("AKNOBODY", wrong))
        token = self.server.token("wav", "another", "u")
        self.known.add("room token", token)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/sdp"}
        await http.post(self.server.endpoint("wav", "r"), content=b"v=0", headers=headers)

    async def _broadcast(self, http: httpx.AsyncClient) -> None:
        """Have a live job with every key that smart live knows; be called back in vain."""
        make = self.known.make
        project = self.server.project
        live = LiveClient(self.server, http)
        user = {"name": project.users[0].name, "password": make("a wrong password of a user")}
        identity = {"methods": ["password"], "password": {"user": user}}
        scope = {"project": {"id": project.project_id}}
        wrong = {"auth": {"identity": identity, "scope": scope}}
        refused = await http.post(f"{self.server.base_url}/v3/auth/tokens", json=wrong)
        assert refused.status_code == 401
        platform = {
            "name": "shop",
            "auth_config": {"key": make(SHOWN + "platform's key")},
            "callback_config": [
                {"api_type": api, "url": f"http://127.0.0.1:9/?key={make(SHOWN + api)}"}
                for api in ("PRODUCT_QUERY", "LIVE_EVENT_CALLBACK")
            ],
        }
        made = await live.call("POST", "live-platforms/platforms", platform)
        self.known.add("token of a user", live.token)
        callback = {
            "live_event_type_callback_url": f"http://127.0.0.1:9/?key={make(SHOWN + 'event URL')}",
            "auth_type": "MSS_A",
            "key": make(SHOWN + "event key"),
            "callback_event_type": ["SHOOT_SCRIPT_SWITCH"],
        }
        paragraph = {"title": "t", "text_config": {"text": "Nobody is told."}}
        room = {
            "room_name": "keys",
            "scene_scripts": [{"script_name": "s", "shoot_scripts": [paragraph]}],
            "output_urls": [f"rtmp://127.0.0.1/{make(SHOWN + 'output URL')}"],
            "stream_keys": [make(SHOWN + "stream key")],
            "priv_data": make(SHOWN + "private data"),
            "live_event_callback_config": {"is_inheritance_platform_callback": True},
            "relation_live_platform_info": {**made, "live_id": "1"},
        }
        room_id = (await live.call("POST", "smart-live-rooms", room))["room_id"]
        jobs = f"smart-live-rooms/{room_id}/smart-live-jobs"
        told_by_platform = await live.call("POST", jobs, {})
        job = await live.call("POST", jobs, {"live_event_callback_config": callback})
        for user in job["rtc_room_info"]["users"]:
            self.known.add(f"{SHOWN}token of {user['user_type']}", user["signature"])
        report_key = parse_qs(urlsplit(job["live_event_report_url"]).query)["auth_key"][0]
        self.known.add(f"{SHOWN}report key", report_key)
        await until(lambda: self.server.metric("failed_live_events") > 1)
        config = {"live_event_callback_config": {**callback, "key": make(SHOWN + "own key")}}
        await live.call("PUT", "smart-live-configs/user-config", config)
        products = {"platform_id": made["platform_id"], "live_id": "1"}
        await live.refused("GET", f"live-platforms/products?{urlencode(products)}")
        await live.refused("POST", jobs, {"output_urls": [make("an output URL that is wrong")] * 2})
        for each in (told_by_platform, job):
            await live.call("POST", f"{jobs}/{each['job_id']}/stop")

    async def _administer(self, http: httpx.AsyncClient) -> None:
        """Look at everything that the console has."""
        base = self.server.base_url
        wrong = {"password": self.known.make("a wrong password")}
        assert (await http.post(f"{base}/api/session", json=wrong)).status_code == 401
        right = {"password": self.server.settings.server.admin_password}
        assert (await http.post(f"{base}/api/session", json=right)).status_code == 204
        self.known.add("session cookie", next(iter(http.cookies.values())))
        room = f"/api/rooms/{self.server.apps['wav'].app_id}/r"
        reports = ("/api/apps", "/api/live-jobs", "/api/deliveries", "/metrics", "/readyz")
        for path in (room, f"{room}/slices", *reports):
            assert (await http.get(base + path)).status_code == 200
        minted = (await http.post(f"{base}{room}/tokens", json={"user_id": "v"})).json()
        self.known.add("minted token", minted["token"])

    def _storage(self, bucket: str) -> dict[str, Any]:
        custom = {
            "Vendor": 0,
            "Region": 0,
            "Bucket": bucket,
            "AccessKey": self.known.make("access key of a request"),
            "SecretKey": self.known.make("secret key of a request"),
        }
        return {"Type": 2, "CustomConfig": custom}


async def test_no_secret_is_in_anything_that_the_server_has_written(
    server: RunningServer, store: ScriptedStore, known: Secrets, sink: CallbackSink
) -> None:
    store.scripts = [store.says(403, "AccessDenied")] * 1_000
    session = Session(server, known, sink)

    await session.run()
    server.kill()  # so that journal and write-ahead log are as they were in use
    after_the_kill = written(server)
    await session.publisher.close()
    server.start()
    assert server.stop() == 0
    after_the_stop = written(server)
    server.start()

    for path, content in {**after_the_kill, **after_the_stop}.items():
        assert known.found_in(content) == [], path
    assert known.found_in(server.log.encode()) == []
    own = {"/api/session": "session cookie", "/v3/auth/tokens": "token of a user"}
    for path, answer in session.answers:
        besides = own.get(path, "nothing")
        if path.startswith("/v1/"):
            besides = SHOWN
        elif path.startswith("/api/rooms/"):
            besides = "minted token"
        content = f"{answer.headers} {answer.text}".encode()
        assert known.found_in(content, besides=besides) == [], path
    names = " ".join(after_the_kill)
    assert all(part in names for part in ("airslice.db-wal", "journal/", "spool/", "objects/"))
    print(
        f"{len(known.known)} secrets; {len(after_the_kill) + len(after_the_stop)} files,"
        f" {sum(map(len, after_the_kill.values())) / 1e6:.1f} MB, {len(session.answers)} answers"
    )


def written(server: RunningServer) -> dict[str, bytes]:
    """Return the content of every file below the data directory."""
    folder = server.settings.server.data_dir
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


async def test_nobody_else_on_the_machine_can_read_the_data(server: RunningServer) -> None:
    folder = server.settings.server.data_dir

    assert folder.stat().st_mode & 0o077 == 0
    assert (folder / "airslice.db").stat().st_mode & 0o077 == 0
