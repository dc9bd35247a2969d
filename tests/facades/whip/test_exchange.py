"""What publishers' and listeners' HTTP has in common; here, with publishers."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette

from airslice.domain import errors
from airslice.domain.errors import AirsliceError
from airslice.facades.whip.facade import WhipFacade
from tests.support.stages.scripted_sessions import (
    AUTHORIZATION,
    FRAGMENT,
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
