"""Publishers' HTTP (RFC 9725), on use cases whose outcome a test decides."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from airslice.application.rooms.publishing import Publishing
from airslice.application.rooms.room_sessions import OpenedSession
from airslice.domain import errors
from airslice.domain.errors import AirsliceError
from airslice.domain.room import StreamType
from airslice.facades.whip import WhipFacade
from airslice.facades.whip.exchange import MAX_BODY_BYTES

ENDPOINT = "/whip/app/room@1"
SESSION = f"{ENDPOINT}/session"
AUTHORIZATION = {"Authorization": "Bearer 001token"}
OFFER = {**AUTHORIZATION, "Content-Type": "application/sdp"}
FRAGMENT = {**AUTHORIZATION, "Content-Type": "application/trickle-ice-sdpfrag"}


class ScriptedPublishing(Publishing):
    """Remembers how it was called; fails if told so."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []
        self.error: Exception | None = None
        self.restart_answer = "a=ice-ufrag:new\r\n"

    def publish(
        self, app_id: str, room_id: str, *, token: str, offer: str, stream_type: StreamType
    ) -> OpenedSession:
        self._called(
            app_id=app_id, room_id=room_id, token=token, offer=offer, stream_type=stream_type
        )
        return OpenedSession(session_id="session", etag="tag-1", answer="v=0\r\n")

    def restart(
        self, session_id: str, *, token: str, etag: str | None, fragment: str
    ) -> tuple[str, str]:
        self._called(session_id=session_id, token=token, etag=etag, fragment=fragment)
        return self.restart_answer, "tag-2" if self.restart_answer else "tag-1"

    def end(self, session_id: str, *, token: str) -> None:
        self._called(session_id=session_id, token=token)

    def _called(self, **arguments: Any) -> None:
        self.calls.append(arguments)
        if self.error is not None:
            raise self.error


@pytest.fixture
def publishing() -> ScriptedPublishing:
    return ScriptedPublishing()


@pytest.fixture
async def http(publishing: ScriptedPublishing) -> AsyncIterator[httpx.AsyncClient]:
    app = Starlette(routes=WhipFacade(publishing).routes())
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://server") as http:
        yield http


def code_of(response: httpx.Response) -> str:
    """The code of a problem (RFC 9457), which any page may read."""
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    problem = response.json()
    assert problem["status"] == response.status_code
    assert problem["detail"]
    return str(problem["code"])


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


class TestRestart:
    async def test_new_credentials_are_answered_with_the_servers(
        self, http: httpx.AsyncClient
    ) -> None:
        response = await http.patch(SESSION, content="a=ice-ufrag:x\r\n", headers=FRAGMENT)

        assert response.status_code == 200
        assert response.headers["Content-Type"] == "application/trickle-ice-sdpfrag"
        assert response.headers["ETag"] == '"tag-2"'
        assert response.text == "a=ice-ufrag:new\r\n"

    async def test_candidates_alone_are_taken_without_an_answer(
        self, http: httpx.AsyncClient, publishing: ScriptedPublishing
    ) -> None:
        publishing.restart_answer = ""

        response = await http.patch(SESSION, content="a=candidate:x\r\n", headers=FRAGMENT)

        assert response.status_code == 204
        assert response.headers["ETag"] == '"tag-1"'
        assert response.content == b""

    @pytest.mark.parametrize(
        ("if_match", "etag"),
        [(None, None), ('"tag-1"', "tag-1"), ("*", "*"), ('"*"', "*"), ('W/"tag-1"', "tag-1")],
    )
    async def test_the_entity_tag_goes_to_the_use_case_without_quotes(
        self,
        http: httpx.AsyncClient,
        publishing: ScriptedPublishing,
        if_match: str | None,
        etag: str | None,
    ) -> None:
        headers = FRAGMENT if if_match is None else {**FRAGMENT, "If-Match": if_match}

        await http.patch(SESSION, content="a=x", headers=headers)

        assert publishing.calls == [
            {"session_id": "session", "token": "001token", "etag": etag, "fragment": "a=x"}
        ]

    async def test_another_entity_tag_fails_the_precondition(
        self, http: httpx.AsyncClient, publishing: ScriptedPublishing
    ) -> None:
        publishing.error = errors.PreconditionFailed("it is another by now")

        response = await http.patch(SESSION, content="a=x", headers=FRAGMENT)

        assert response.status_code == 412
        assert code_of(response) == "precondition_failed"

    async def test_a_whole_sdp_is_no_fragment(self, http: httpx.AsyncClient) -> None:
        response = await http.patch(SESSION, content="v=0", headers=OFFER)

        assert response.status_code == 415


async def test_a_session_is_ended_by_its_deletion(
    http: httpx.AsyncClient, publishing: ScriptedPublishing
) -> None:
    response = await http.delete(SESSION, headers=AUTHORIZATION)

    assert response.status_code == 200
    assert publishing.calls == [{"session_id": "session", "token": "001token"}]


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer ", "Basic 001token"])
@pytest.mark.parametrize(("method", "path"), [("POST", ENDPOINT), ("PATCH", SESSION)])
async def test_without_a_token_nothing_is_done(
    http: httpx.AsyncClient,
    publishing: ScriptedPublishing,
    method: str,
    path: str,
    authorization: str | None,
) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}

    response = await http.request(method, path, content="v=0", headers=headers)

    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert code_of(response) == "token_refused"
    assert not publishing.calls


async def test_the_scheme_may_have_any_case(http: httpx.AsyncClient) -> None:
    response = await http.delete(SESSION, headers={"Authorization": "bEARER 001token"})

    assert response.status_code == 200


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.AppNotFound("none"), 404),
        (errors.InvalidInput("RoomId", "is too long"), 400),
        (errors.TokenRefused("expired"), 401),
        (errors.UserBanned("for 60 s"), 403),
        (errors.OfferRefused("no audio"), 422),
        (errors.RoomFull("50 publishers"), 503),
        (errors.ServerFull("no place"), 503),
    ],
)
async def test_each_error_has_its_status(
    http: httpx.AsyncClient, publishing: ScriptedPublishing, error: AirsliceError, status: int
) -> None:
    publishing.error = error

    response = await http.post(ENDPOINT, content="v=0", headers=OFFER)

    assert response.status_code == status
    assert code_of(response) == error.code
    assert response.json()["detail"] == str(error)
    assert ("Retry-After" in response.headers) == (status == 503)
    assert ("WWW-Authenticate" in response.headers) == (status == 401)


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_a_session_that_has_ended_is_not_found(
    http: httpx.AsyncClient, publishing: ScriptedPublishing, method: str
) -> None:
    publishing.error = errors.SessionNotFound("it has ended")

    response = await http.request(method, SESSION, content="a=x", headers=FRAGMENT)

    assert response.status_code == 404
    assert code_of(response) == "session_not_found"


async def test_a_bug_is_logged_and_not_shown(
    http: httpx.AsyncClient, publishing: ScriptedPublishing, caplog: pytest.LogCaptureFixture
) -> None:
    publishing.error = RuntimeError("an inner secret")

    response = await http.post(ENDPOINT, content="v=0", headers=OFFER)

    assert response.status_code == 500
    assert code_of(response) == "internal_error"
    assert "secret" not in response.text
    assert "an inner secret" in caplog.text


class TestBrowsers:
    @pytest.mark.parametrize(
        ("path", "method"), [(ENDPOINT, "POST"), (SESSION, "PATCH"), (SESSION, "DELETE")]
    )
    async def test_any_page_may_ask(self, http: httpx.AsyncClient, path: str, method: str) -> None:
        headers = {
            "Origin": "https://page.example",
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": "authorization,content-type,if-match",
        }

        response = await http.options(path, headers=headers)

        assert response.status_code == 204
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert method in response.headers["Access-Control-Allow-Methods"].split(", ")
        allowed = response.headers["Access-Control-Allow-Headers"].lower().split(", ")
        assert {"authorization", "content-type", "if-match"} <= set(allowed)
        assert response.headers["Accept-Post"] == "application/sdp"

    async def test_any_page_may_read_the_session(self, http: httpx.AsyncClient) -> None:
        response = await http.post(ENDPOINT, content="v=0", headers=OFFER)

        assert response.headers["Access-Control-Allow-Origin"] == "*"
        exposed = response.headers["Access-Control-Expose-Headers"].split(", ")
        assert {"Location", "ETag", "Accept-Patch"} <= set(exposed)
        assert "Access-Control-Allow-Credentials" not in response.headers


@pytest.mark.parametrize("path", [ENDPOINT, SESSION])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT"])
async def test_methods_that_are_kept_for_later_are_not_allowed(
    http: httpx.AsyncClient, path: str, method: str
) -> None:
    response = await http.request(method, path, headers=AUTHORIZATION)

    assert response.status_code == 405
