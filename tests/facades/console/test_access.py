"""Who may use the console."""

from __future__ import annotations

import httpx
import pytest

from tests.support.clock import HandClock
from tests.support.stages.console_stand_ins import PASSWORD, Connect


async def sign_in(client: httpx.AsyncClient, password: str = PASSWORD) -> httpx.Response:
    return await client.post("/api/session", json={"password": password})


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize("path", ["/", "/console/console.js", "/api/apps", "/api/openapi.json"])
async def test_without_a_password_this_machine_is_answered(
    connect: Connect, peer: str, path: str
) -> None:
    response = await connect(peer=peer).get(path)

    assert response.status_code == 200


@pytest.mark.parametrize("peer", ["192.0.2.1", "10.0.0.1", "2001:db8::1", "::ffff:10.0.0.1", "?"])
@pytest.mark.parametrize(
    "path", ["/", "/console/console.js", "/api/apps", "/api/session", "/api/x"]
)
async def test_without_a_password_other_machines_are_refused(
    connect: Connect, peer: str, path: str
) -> None:
    response = await connect(peer=peer).get(path)

    assert response.status_code == 403
    assert response.json()["type"] == "urn:airslice:problem:not_local"


@pytest.mark.parametrize(
    "header", ["X-Forwarded-For", "Forwarded", "Via", "X-Real-IP", "X-Forwarded-Host"]
)
async def test_without_a_password_proxied_requests_are_refused(
    client: httpx.AsyncClient, header: str
) -> None:
    response = await client.get("/api/apps", headers={header: "127.0.0.1"})

    assert response.status_code == 403


async def test_a_foreign_name_that_resolves_to_this_machine_is_refused(connect: Connect) -> None:
    response = await connect(host="rebound.example").get("/api/apps")

    assert response.status_code == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_requests_of_other_sites_pages_are_refused(
    client: httpx.AsyncClient, site: str
) -> None:
    headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "cors"}

    response = await client.get("/api/apps", headers=headers)

    assert response.status_code == 403


async def test_a_link_to_the_console_can_be_followed(client: httpx.AsyncClient) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}

    response = await client.get("/", headers=headers)

    assert response.status_code == 200


async def test_the_cookie_is_kept_from_scripts_and_other_sites(connect: Connect) -> None:
    async with connect(password=PASSWORD) as client:
        plain = (await sign_in(client)).headers["set-cookie"]
        behind_tls = await client.post(
            "/api/session", json={"password": PASSWORD}, headers={"X-Forwarded-Proto": "https"}
        )

    assert "HttpOnly" in plain
    assert "SameSite=strict" in plain
    assert "Secure" not in plain
    assert "Secure" in behind_tls.headers["set-cookie"]


async def test_a_session_expires(connect: Connect, clock: HandClock) -> None:
    async with connect(password=PASSWORD) as client:
        await sign_in(client)
        clock.turn(12 * 3_600 - 1)
        assert (await client.get("/api/apps")).status_code == 200

        clock.turn(1)
        assert (await client.get("/api/apps")).status_code == 401


async def test_a_session_of_another_password_or_made_up_is_refused(connect: Connect) -> None:
    async with connect(password="another") as client:
        await sign_in(client, "another")
        other = client.cookies["airslice_session"]
    expires, signature = other.split(".")
    forged = [other, f"{int(expires) + 1}.{signature}", f"{expires}.{'0' * 64}", "x", "", "9.é"]

    for session in forged:
        client = connect(password=PASSWORD)
        response = await client.get(
            "/api/apps", headers={b"Cookie": f"airslice_session={session}".encode()}
        )
        assert response.status_code == 401, session


async def test_wrong_passwords_are_slowed_down_per_peer(connect: Connect, clock: HandClock) -> None:
    async with connect(password=PASSWORD, peer="192.0.2.1") as client:
        for _ in range(5):
            assert (await sign_in(client, "guess")).status_code == 401

        refused = await sign_in(client)
        assert refused.status_code == 429
        assert refused.headers["retry-after"] == "60"
        neighbour = connect(password=PASSWORD, peer="192.0.2.2")
        assert (await sign_in(neighbour)).status_code == 204

        clock.turn(60)
        assert (await sign_in(client)).status_code == 204


async def test_an_old_try_buys_no_further_ones(connect: Connect, clock: HandClock) -> None:
    async with connect(password=PASSWORD) as client:
        await sign_in(client, "guess")
        clock.turn(3_600)
        for _ in range(5):
            await sign_in(client, "guess")

        assert (await sign_in(client)).status_code == 429


async def test_an_ipv6_subscriber_is_one_peer(connect: Connect) -> None:
    for number in range(5):
        await sign_in(connect(password=PASSWORD, peer=f"2001:db8::{number}"), "guess")

    response = await sign_in(connect(password=PASSWORD, peer="2001:db8::ffff"))

    assert response.status_code == 429


async def test_remembered_peers_are_bounded(connect: Connect) -> None:
    for _ in range(5):
        await sign_in(connect(password=PASSWORD, peer="192.0.2.1"), "guess")
    for number in range(1_024):
        peer = f"10.0.{number // 256}.{number % 256}"
        await sign_in(connect(password=PASSWORD, peer=peer), "guess")

    response = await sign_in(connect(password=PASSWORD, peer="192.0.2.1"))

    assert response.status_code == 204
