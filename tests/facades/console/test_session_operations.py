"""Signing in to the admin API, and out."""

from __future__ import annotations

import httpx

from tests.support.stages.console_stand_ins import PASSWORD, Connect


async def sign_in(client: httpx.AsyncClient, password: str = PASSWORD) -> httpx.Response:
    return await client.post("/api/session", json={"password": password})


async def test_with_a_password_the_page_is_shown_and_the_api_is_not(connect: Connect) -> None:
    async with connect(password=PASSWORD, peer="192.0.2.1", host="a.example") as client:
        page = await client.get("/")
        session = await client.get("/api/session")
        apps = await client.get("/api/apps")

    assert page.status_code == 200
    assert session.json() == {"signed_in": False, "needs_password": True}
    assert apps.status_code == 401
    assert apps.headers["content-type"] == "application/problem+json"


async def test_the_password_opens_the_api_until_signing_out(connect: Connect) -> None:
    async with connect(password=PASSWORD, peer="192.0.2.1", host="a.example") as client:
        assert (await sign_in(client)).status_code == 204
        assert (await client.get("/api/apps")).status_code == 200
        assert (await client.get("/api/session")).json()["signed_in"] is True

        assert (await client.delete("/api/session")).status_code == 204
        assert (await client.get("/api/apps")).status_code == 401
