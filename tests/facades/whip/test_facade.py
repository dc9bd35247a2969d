"""Publishers' HTTP (RFC 9725), on use cases whose outcome a test decides."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from airslice.application.rooms.publishing import Publishing
from airslice.domain.room import StreamType
from airslice.facades.whip.exchange import MAX_BODY_BYTES
from airslice.facades.whip.facade import WhipFacade
from tests.support.stages.scripted_sessions import (
    AUTHORIZATION,
    OFFER,
    ScriptedPublishing,
    code_of,
)

ENDPOINT = "/whip/app/room@1"

SESSION = f"{ENDPOINT}/session"


@pytest.fixture
def publishing() -> ScriptedPublishing:
    return ScriptedPublishing()


@pytest.fixture
async def http(publishing: ScriptedPublishing) -> AsyncIterator[httpx.AsyncClient]:
    app = Starlette(routes=WhipFacade(publishing).routes())
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://server") as http:
        yield http


class TestPublish:
    async def test_an_offer_is_answered_with_a_session(self, http: httpx.AsyncClient) -> None:
        response = await http.post(ENDPOINT, content="v=0\r\n", headers=OFFER)

        assert response.status_code == 201
        assert response.headers["Content-Type"] == "application/sdp"
        assert response.headers["Location"] == SESSION
        assert response.headers["ETag"] == '"tag-1"'
        assert response.headers["Accept-Patch"] == "application/trickle-ice-sdpfrag"
        assert response.text == "v=0\r\n"

    async def test_room_token_and_offer_go_to_the_use_case(
        self, http: httpx.AsyncClient, publishing: ScriptedPublishing
    ) -> None:
        await http.post("/whip/app/room%401", content="v=0\r\n", headers=OFFER)

        assert publishing.calls == [
            {
                "app_id": "app",
                "room_id": "room@1",
                "token": "001token",
                "offer": "v=0\r\n",
                "stream_type": StreamType.MAIN,
            }
        ]

    @pytest.mark.parametrize(
        ("query", "stream_type"),
        [("", StreamType.MAIN), ("main", StreamType.MAIN), ("screen", StreamType.SCREEN)],
    )
    async def test_the_query_names_what_is_published(
        self,
        http: httpx.AsyncClient,
        publishing: ScriptedPublishing,
        query: str,
        stream_type: StreamType,
    ) -> None:
        parameters = {"stream": query} if query else {}
        response = await http.post(ENDPOINT, content="v=0", headers=OFFER, params=parameters)

        assert publishing.calls[0]["stream_type"] is stream_type
        assert response.headers["Location"] == SESSION

    async def test_another_kind_of_stream_is_refused(self, http: httpx.AsyncClient) -> None:
        response = await http.post(f"{ENDPOINT}?stream=video", content="v=0", headers=OFFER)

        assert response.status_code == 400
        assert code_of(response) == "invalid_input"

    @pytest.mark.parametrize("host", ["[", "a b", "server:port"])
    async def test_the_location_does_not_depend_on_the_host_that_was_asked(
        self, http: httpx.AsyncClient, host: str
    ) -> None:
        response = await http.post(ENDPOINT, content="v=0", headers={**OFFER, "Host": host})

        assert response.status_code == 201
        assert response.headers["Location"] == SESSION

    async def test_a_content_type_may_have_parameters_and_any_case(
        self, http: httpx.AsyncClient
    ) -> None:
        headers = {**OFFER, "Content-Type": "Application/SDP; charset=utf-8"}

        assert (await http.post(ENDPOINT, content="v=0", headers=headers)).status_code == 201

    @pytest.mark.parametrize("content_type", ["", "application/json", "application/sdpx"])
    async def test_a_body_that_is_no_sdp_is_not_read(
        self, http: httpx.AsyncClient, publishing: ScriptedPublishing, content_type: str
    ) -> None:
        headers = {**AUTHORIZATION, "Content-Type": content_type}

        response = await http.post(ENDPOINT, content="{}", headers=headers)

        assert response.status_code == 415
        assert code_of(response) == "unsupported_media_type"
        assert not publishing.calls

    async def test_a_body_that_is_no_text_is_refused(self, http: httpx.AsyncClient) -> None:
        response = await http.post(ENDPOINT, content=b"v=\xff", headers=OFFER)

        assert response.status_code == 422
        assert code_of(response) == "offer_refused"

    async def test_a_body_of_the_largest_size_is_taken(self, http: httpx.AsyncClient) -> None:
        response = await http.post(ENDPOINT, content=b"v" * MAX_BODY_BYTES, headers=OFFER)

        assert response.status_code == 201

    async def test_a_larger_body_is_not_read_to_its_end(
        self, publishing: ScriptedPublishing
    ) -> None:
        read = 0

        async def receive() -> dict[str, Any]:
            nonlocal read
            read += 1
            return {"type": "http.request", "body": b"v" * 16_384, "more_body": True}

        statuses = await asgi(publishing, receive)

        assert statuses == [413]
        assert read == MAX_BODY_BYTES // 16_384 + 1
        assert not publishing.calls

    async def test_a_client_that_leaves_while_sending_is_no_failure(
        self, publishing: ScriptedPublishing, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def receive() -> dict[str, Any]:
            return {"type": "http.disconnect"}

        await asgi(publishing, receive)

        assert not publishing.calls
        assert not caplog.records


async def asgi(publishing: Publishing, receive: Any) -> list[int]:
    """Post an offer whose body comes from `receive`; return the statuses of the answers."""
    statuses: list[int] = []

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    headers = [(name.lower().encode(), value.encode()) for name, value in OFFER.items()]
    scope = {
        "type": "http",
        "method": "POST",
        "path": ENDPOINT,
        "query_string": b"",
        "headers": headers,
    }
    await Starlette(routes=WhipFacade(publishing).routes())(scope, receive, send)
    return statuses


@pytest.mark.parametrize("path", [ENDPOINT, SESSION])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT"])
async def test_methods_that_are_kept_for_later_are_not_allowed(
    http: httpx.AsyncClient, path: str, method: str
) -> None:
    response = await http.request(method, path, headers=AUTHORIZATION)

    assert response.status_code == 405
