"""The console's page and files, and what goes wrong behind its paths."""

from __future__ import annotations

import httpx
import pytest

from tests.support.stages.console_stand_ins import APP_ID, Tasks

ROOM = f"/api/rooms/{APP_ID}/lobby"


async def start(client: httpx.AsyncClient, **order: object) -> httpx.Response:
    return await client.put(f"{ROOM}/slicing", json=order)


async def test_a_wrong_method_is_told_the_right_ones(client: httpx.AsyncClient) -> None:
    response = await client.request("PATCH", "/api/session")

    assert response.headers["allow"] == "GET, POST, DELETE"


async def test_a_fault_of_ours_is_logged_and_not_told(
    client: httpx.AsyncClient, tasks: Tasks, caplog: pytest.LogCaptureFixture
) -> None:
    tasks.failure = RuntimeError("secret-key")

    response = await start(client)

    assert response.status_code == 500
    assert "secret-key" not in response.text
    assert "RuntimeError" in caplog.text


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("", "text/html; charset=utf-8"),
        ("console/console.js", "text/javascript; charset=utf-8"),
        ("console/whip.js", "text/javascript; charset=utf-8"),
        ("console/console.css", "text/css; charset=utf-8"),
        ("console/icon.svg", "image/svg+xml"),
    ],
)
async def test_the_page_is_served_with_a_policy_against_foreign_code(
    client: httpx.AsyncClient, name: str, content_type: str
) -> None:
    response = await client.get(f"/{name}")

    assert response.status_code == 200
    assert response.headers["content-type"] == content_type
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert "unsafe" not in response.headers["content-security-policy"]
    assert b"http://" not in response.content.replace(b"http://www.w3.org/2000/svg", b"")
    assert b"https://" not in response.content


async def test_other_files_are_not_served(client: httpx.AsyncClient) -> None:
    for name in ("facade.py", "..%2Ffacade.py", "%2e%2e/facade.py", "nothing"):
        assert (await client.get(f"/console/{name}")).status_code == 404
