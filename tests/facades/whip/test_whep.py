"""Listeners' HTTP, on use cases whose outcome a test decides; events over a real connection."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import aiohttp
import httpx
import pytest
import uvicorn
from starlette.applications import Starlette

from airslice.domain import errors
from airslice.domain.fields import SessionField
from airslice.domain.players import PlayerNotice, PlayState
from airslice.domain.playing import Line
from airslice.domain.script import Cursor, JsonObject, Paragraph, Scene
from airslice.domain.sentences import Sentence
from airslice.facades.whip import whep
from airslice.facades.whip.exchange import FIELDS, MAX_BODY_BYTES
from airslice.facades.whip.whep import WhepFacade
from tests.support.stages.scripted_sessions import (
    AUTHORIZATION,
    FRAGMENT,
    OFFER,
    ROOM,
    ScriptedListening,
    code_of,
)

ENDPOINT = "/whep/app/room@1"
SESSION = f"{ENDPOINT}/session"


@pytest.fixture
def listening() -> ScriptedListening:
    return ScriptedListening()


@pytest.fixture
async def http(listening: ScriptedListening) -> AsyncIterator[httpx.AsyncClient]:
    app = Starlette(routes=WhepFacade(listening).routes())
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://server") as http:
        yield http


class TestListen:
    async def test_an_offer_is_answered_with_a_session_and_its_events(
        self, http: httpx.AsyncClient
    ) -> None:
        response = await http.post(ENDPOINT, content="v=0\r\n", headers=OFFER)

        assert response.status_code == 201
        assert response.headers["Content-Type"] == "application/sdp"
        assert response.headers["Location"] == SESSION
        assert response.headers["ETag"] == '"tag-1"'
        assert response.headers["Accept-Patch"] == "application/trickle-ice-sdpfrag"
        link = response.links["urn:ietf:params:whep:ext:core:server-sent-events"]
        assert link["url"] == f"{SESSION}/events"
        exposed = response.headers["Access-Control-Expose-Headers"]
        assert {"Location", "ETag", "Link"} <= set(exposed.split(", "))
        assert response.text == "v=0\r\n"

    @pytest.mark.parametrize(("query", "user_id"), [("", None), ("?user=anna%401", "anna@1")])
    async def test_the_query_names_who_is_heard(
        self,
        http: httpx.AsyncClient,
        listening: ScriptedListening,
        query: str,
        user_id: str | None,
    ) -> None:
        response = await http.post(f"{ENDPOINT}{query}", content="v=0", headers=OFFER)

        assert response.headers["Location"] == SESSION
        assert listening.calls == [
            {
                "app_id": "app",
                "room_id": "room@1",
                "token": "001token",
                "offer": "v=0",
                "user_id": user_id,
            }
        ]

    @pytest.mark.parametrize(
        ("error", "status", "code"),
        [
            (errors.AppNotFound("x"), 404, "app_not_found"),
            (errors.InvalidInput("user", "bad"), 400, "invalid_input"),
            (errors.TokenRefused("x"), 401, "token_refused"),
            (errors.UserBanned("x"), 403, "user_banned"),
            (errors.OfferRefused("x"), 422, "offer_refused"),
            (errors.RoomFull("x"), 503, "room_full"),
            (errors.ServerFull("x"), 503, "server_full"),
        ],
    )
    async def test_what_goes_wrong_is_told(
        self,
        http: httpx.AsyncClient,
        listening: ScriptedListening,
        error: Exception,
        status: int,
        code: str,
    ) -> None:
        listening.error = error

        response = await http.post(ENDPOINT, content="v=0", headers=OFFER)

        assert (response.status_code, code_of(response)) == (status, code)

    @pytest.mark.parametrize(
        ("field", "name"),
        [
            (SessionField.ROOM, "RoomId"),
            (SessionField.HEARD_USER, "user"),
            (SessionField.PLAY_COMMAND, "command"),
            (SessionField.PLAY_TIMING, "params.timing"),
        ],
    )
    async def test_a_refused_field_is_called_as_in_the_request(
        self, http: httpx.AsyncClient, listening: ScriptedListening, field: str, name: str
    ) -> None:
        listening.error = errors.InvalidInput(field, "is wrong")

        response = await http.post(ENDPOINT, content="v=0", headers=OFFER)

        assert response.json()["detail"] == f"{name}: is wrong"
        assert FIELDS.keys() == set(SessionField)

    async def test_without_a_token_nothing_is_read(
        self, http: httpx.AsyncClient, listening: ScriptedListening
    ) -> None:
        headers = {"Content-Type": "application/sdp"}

        response = await http.post(ENDPOINT, content="v=0", headers=headers)

        assert (response.status_code, code_of(response)) == (401, "token_refused")
        assert listening.calls == []

    @pytest.mark.parametrize(
        "path", [ENDPOINT, SESSION, f"{SESSION}/events", f"{SESSION}/commands"]
    )
    async def test_pages_of_any_origin_may_ask(self, http: httpx.AsyncClient, path: str) -> None:
        response = await http.options(path)

        assert response.status_code == 204
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert "GET" in response.headers["Access-Control-Allow-Methods"]


class TestSession:
    async def test_ice_is_restarted(
        self, http: httpx.AsyncClient, listening: ScriptedListening
    ) -> None:
        headers = {**FRAGMENT, "If-Match": '"tag-1"'}

        response = await http.patch(SESSION, content="fragment", headers=headers)

        assert response.status_code == 200
        assert response.headers["ETag"] == '"tag-2"'
        assert response.text == "a=ice-ufrag:new\r\n"
        assert listening.calls == [
            {
                "session_id": "session",
                "token": "001token",
                "etag": "tag-1",
                "fragment": "fragment",
            }
        ]

    async def test_candidates_change_nothing(
        self, http: httpx.AsyncClient, listening: ScriptedListening
    ) -> None:
        listening.restart_answer = ""

        response = await http.patch(SESSION, content="fragment", headers=FRAGMENT)

        assert (response.status_code, response.headers["ETag"]) == (204, '"tag-1"')

    async def test_a_session_is_ended(
        self, http: httpx.AsyncClient, listening: ScriptedListening
    ) -> None:
        assert (await http.delete(SESSION, headers=AUTHORIZATION)).status_code == 200
        listening.error = errors.SessionNotFound("gone")
        response = await http.delete(SESSION, headers=AUTHORIZATION)

        assert (response.status_code, code_of(response)) == (404, "session_not_found")


class TestCommands:
    PATH = f"{SESSION}/commands"

    async def test_a_command_is_passed_on_and_the_state_returned(
        self, http: httpx.AsyncClient, listening: ScriptedListening
    ) -> None:
        message = {
            "message_type": "live_control",
            "command": "play_pause",
            "params": {"timing": "SENTENCE_END"},
        }

        response = await http.post(self.PATH, json=message)

        assert response.status_code == 200
        assert response.json() == {"message_type": "state_notify", "state": "PLAY_PAUSE"}
        assert listening.calls == [
            {"session_id": "session", "command": "play_pause", "timing": "SENTENCE_END"}
        ]

    async def test_a_command_takes_effect_now_unless_told_otherwise(
        self, http: httpx.AsyncClient, listening: ScriptedListening
    ) -> None:
        await http.post(self.PATH, json={"message_type": "live_control", "command": "play_start"})

        assert listening.calls[0]["timing"] == "NOW"

    @pytest.mark.parametrize(
        "body",
        [
            "",
            "{",
            "[" * 40_000,
            "[]",
            "{}",
            '{"message_type": "state_notify"}',
            '{"message_type": "live_control"}',
            '{"message_type": "live_control", "command": 1}',
            '{"message_type": "live_control", "command": "play_start", "params": []}',
            '{"message_type": "live_control", "command": "play_start", "params": {"timing": 1}}',
        ],
    )
    async def test_anything_else_is_refused(
        self, http: httpx.AsyncClient, listening: ScriptedListening, body: str
    ) -> None:
        headers = {"Content-Type": "application/json"}

        response = await http.post(self.PATH, content=body, headers=headers)

        assert (response.status_code, code_of(response)) == (400, "invalid_input")
        assert listening.calls == []

    @pytest.mark.parametrize(
        ("error", "status"),
        [
            (errors.SessionNotFound("x"), 404),
            (errors.LiveJobNotFound("x"), 404),
            (errors.TokenRefused("x"), 401),
            (errors.LiveJobFinished("x"), 409),
        ],
    )
    async def test_what_goes_wrong_is_told(
        self,
        http: httpx.AsyncClient,
        listening: ScriptedListening,
        error: errors.AirsliceError,
        status: int,
    ) -> None:
        listening.error = error
        message = {"message_type": "live_control", "command": "play_start"}

        response = await http.post(self.PATH, json=message)

        assert (response.status_code, code_of(response)) == (status, error.code)

    async def test_a_body_is_bounded(self, http: httpx.AsyncClient) -> None:
        headers = {"Content-Type": "application/json"}

        response = await http.post(self.PATH, content="x" * (MAX_BODY_BYTES + 1), headers=headers)

        assert (response.status_code, code_of(response)) == (413, "body_too_large")


@pytest.fixture
async def origin(listening: ScriptedListening) -> AsyncIterator[str]:
    """A server on a real socket."""
    app = Starlette(routes=WhepFacade(listening).routes())
    config = uvicorn.Config(app, port=0, lifespan="off", log_level="error")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(60):
        while not server.started:
            await asyncio.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    for subscription in listening.subscriptions:
        subscription.close()
    server.should_exit = True
    await serving


class TestEvents:
    async def test_messages_come_as_they_are_told_until_the_session_ends(
        self, origin: str, listening: ScriptedListening
    ) -> None:
        paragraph = Paragraph(number=7, title="段落")
        line = Line(Cursor(), Scene(script_id="s", name="场景一\n"), paragraph, Sentence(12, ()))
        messages: list[tuple[PlayerNotice, JsonObject]] = [
            (PlayState.PROCESSING, {"message_type": "state_notify", "state": "PROCESSING"}),
            (
                line,
                {
                    "message_type": "live_progress_notify",
                    "data": {
                        "script_name": "场景一\n",
                        "shoot_script_sequence_no": 7,
                        "shoot_script_title": "段落",
                        "offset": "12",
                    },
                },
            ),
        ]
        async with (
            aiohttp.ClientSession() as http,
            http.get(f"{origin}{SESSION}/events") as response,
        ):
            assert response.status == 200
            assert response.content_type == "text/event-stream"
            assert response.headers["Access-Control-Allow-Origin"] == "*"
            assert (await event(response)).startswith(b":")
            for notice, message in messages:
                listening.notices.notify(ROOM, notice)
                assert json.loads((await event(response)).removeprefix(b"data: ")) == message
            listening.subscriptions[0].close()
            assert await response.content.read() == b""

    async def test_a_silent_stream_is_kept_alive(
        self, origin: str, listening: ScriptedListening, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(whep, "KEEP_ALIVE_S", 0.02)
        async with (
            aiohttp.ClientSession() as http,
            http.get(f"{origin}{SESSION}/events") as response,
        ):
            await event(response)
            assert [await event(response) for _ in range(3)] == [b": still here"] * 3
            listening.notices.notify(ROOM, PlayState.PLAY_END)
            while (line := await event(response)).startswith(b":"):
                pass
            assert line == b'data: {"message_type": "state_notify", "state": "PLAY_END"}'

    async def test_a_player_who_goes_away_leaves_nothing_behind(
        self, origin: str, listening: ScriptedListening
    ) -> None:
        async with (
            aiohttp.ClientSession() as http,
            http.get(f"{origin}{SESSION}/events") as response,
        ):
            await event(response)

        async with asyncio.timeout(60):
            while listening.notices.rooms:
                await asyncio.sleep(0.005)

    async def test_an_unknown_session_has_no_events(
        self, http: httpx.AsyncClient, listening: ScriptedListening
    ) -> None:
        listening.error = errors.SessionNotFound("gone")

        response = await http.get(f"{SESSION}/events")

        assert (response.status_code, code_of(response)) == (404, "session_not_found")


async def event(response: aiohttp.ClientResponse) -> bytes:
    """Return the next event or comment."""
    async with asyncio.timeout(60):
        return (await response.content.readuntil(b"\n\n")).removesuffix(b"\n\n")
