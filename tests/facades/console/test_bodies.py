"""Bodies that the admin API takes, and those that it refuses."""

from __future__ import annotations

import httpx
import pytest

from tests.support.stages.console_stand_ins import APP_ID

ROOM = f"/api/rooms/{APP_ID}/lobby"


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/api/rooms/nobody/lobby", None, 404),
        ("GET", f"/api/rooms/{APP_ID}/a%20b", None, 400),
        ("GET", f"/api/rooms/{APP_ID}/{'x' * 129}", None, 400),
        ("GET", f"{ROOM}/slices?limit=0", None, 400),
        ("GET", f"{ROOM}/slices?limit=201", None, 400),
        ("GET", f"{ROOM}/slices?limit={'9' * 99}", None, 400),
        ("GET", f"{ROOM}/slices?limit=000000001{'9' * 5_000}", None, 400),
        ("GET", f"{ROOM}/slices?limit=²", None, 400),
        ("GET", "/api/nothing", None, 404),
        ("PATCH", "/api/apps", None, 405),
        ("DELETE", f"{ROOM}/slicing", None, 404),
        ("POST", f"{ROOM}/tokens", {"user_id": "a b"}, 400),
        ("POST", f"{ROOM}/tokens", {}, 400),
        ("POST", f"{ROOM}/tokens", {"user_id": "x", "more": 1}, 400),
        ("PUT", f"{ROOM}/slicing", {"duration_s": 0}, 400),
        ("PUT", f"{ROOM}/slicing", {"duration_s": 601}, 400),
        ("PUT", f"{ROOM}/slicing", {"duration_s": "5"}, 400),
        ("PUT", f"{ROOM}/slicing", {"x": "y" * 20_000}, 413),
    ],
)
async def test_bad_requests_are_told_as_problem_details(
    client: httpx.AsyncClient, method: str, path: str, body: object, status: int
) -> None:
    response = await client.request(method, path, json=body)

    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == status
    assert problem["type"].startswith("urn:airslice:problem:")
    assert problem["title"]
    assert problem["detail"]


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_a_form_of_another_site_is_no_request(
    client: httpx.AsyncClient, content_type: str
) -> None:
    response = await client.put(
        f"{ROOM}/slicing", content=b"{}", headers={"Content-Type": content_type}
    )

    assert response.status_code == 415
