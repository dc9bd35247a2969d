"""HttpCallbackSender against real receivers on loopback."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import logging
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from airslice.delivery.posting import MAX_CALLS_PER_RECEIVER
from airslice.delivery.volcengine.callback_sender import HttpCallbackSender
from airslice.domain.callback import CallbackReceiver
from airslice.domain.destination import AddressRule
from airslice.domain.outbox import Failed, Gone, Made, Outcome
from tests.support.clock import HandClock
from tests.support.stages.fixed_names import FixedNames
from tests.support.values.values import an_event

LOOPBACK = AddressRule(["127.0.0.0/8"])
SECRET = "callback secret"
NOW_S = 1_700_000_100


def at(url: str) -> CallbackReceiver:
    return CallbackReceiver(url=url, secret=SECRET)


@asynccontextmanager
async def receiver(
    answer: Callable[[web.Request], Awaitable[web.StreamResponse]],
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[str]:
    """Run an HTTP server with one handler for every path; give its address."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    server = TestServer(app, scheme="https" if tls else "http")
    await server.start_server(ssl=tls)
    try:
        yield str(server.make_url("/callback"))
    finally:
        await server.close()


@asynccontextmanager
async def a_sender(
    rule: AddressRule = LOOPBACK, **options: Any
) -> AsyncIterator[HttpCallbackSender]:
    sender = HttpCallbackSender(HandClock(utc_ms=NOW_S * 1_000), rule, **options)
    try:
        yield sender
    finally:
        await sender.close()


async def ok(request: web.Request) -> web.Response:
    return web.Response(text="ok")


async def try_once(url: str, **options: Any) -> Outcome:
    async with a_sender(**options) as sender:
        return await sender.send(an_event(), at(url))


async def send(url: str, **options: Any) -> bool:
    return isinstance(await try_once(url, **options), Made)


async def test_a_receiver_can_verify_both_signatures() -> None:
    received: list[tuple[web.Request, bytes]] = []

    async def keep(request: web.Request) -> web.Response:
        received.append((request, await request.read()))
        return web.Response()

    async with receiver(keep) as url:
        assert await send(url)

    (request, body), *_ = received
    assert (request.method, request.path) == ("POST", "/callback")
    assert request.content_type == "application/json"
    event = json.loads(body)
    signature = event.pop("Signature")
    assert (
        signature == hashlib.sha256("".join(sorted([*event.values(), SECRET])).encode()).hexdigest()
    )
    headers = request.headers
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest())
    assert headers["webhook-signature"] == "v1," + expected.decode()
    assert headers["webhook-timestamp"] == str(NOW_S)
    assert headers["webhook-id"] == event["EventId"]


async def test_the_envelope_is_the_documented_one() -> None:
    bodies: list[dict[str, str]] = []

    async def keep(request: web.Request) -> web.Response:
        bodies.append(await request.json())
        return web.Response()

    async with receiver(keep) as url, a_sender() as sender:
        for _ in range(2):
            assert await sender.send(an_event(), at(url)) == Made()

    first, second = bodies
    assert set(first) == {
        "EventType", "EventData", "EventTime", "EventId", "AppId", "Version", "Signature", "Nonce",
    }  # fmt: skip
    assert all(isinstance(value, str) for value in first.values())
    assert first["EventTime"] == "2023-11-14T22:13:40Z"
    assert first["Version"] == "2023-11-01"
    assert first["EventData"] == an_event().data
    assert re.fullmatch(r"[A-Za-z0-9]{4}", first["Nonce"])
    assert first["Nonce"] != second["Nonce"]
    assert first["EventId"] == second["EventId"]


@pytest.mark.parametrize("status", [201, 204, 400, 404, 429, 500, 503])
async def test_any_status_but_200_is_a_failure(status: int) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status)

    async with receiver(answer) as url:
        assert not await send(url)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_a_failure_and_not_followed(status: int) -> None:
    paths: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        paths.append(request.path)
        if request.path == "/elsewhere":
            return web.Response()
        return web.Response(status=status, headers={"Location": "/elsewhere"})

    async with receiver(answer) as url:
        assert not await send(url)

    assert paths == ["/callback"]


async def test_a_late_answer_is_a_failure() -> None:
    release = asyncio.Event()

    async def answer(request: web.Request) -> web.Response:
        await release.wait()
        return web.Response()

    async with receiver(answer) as url:
        assert not await send(url, timeout_s=0.1)
        release.set()


async def test_a_body_without_end_neither_delays_nor_fills_anything() -> None:
    written = 0

    async def answer(request: web.Request) -> web.StreamResponse:
        nonlocal written
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 65_536)
            written += 65_536

    async with receiver(answer) as url:
        assert await send(url)

    assert written < 64 * 1024 * 1024


async def test_a_status_of_200_counts_though_the_body_never_comes() -> None:
    release = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "10"})
        await response.prepare(request)
        await release.wait()
        return response

    async with receiver(answer) as url:
        assert await send(url, timeout_s=60)
        release.set()


@pytest.mark.parametrize(
    "reply", [b"", b"HTTP/1.1 200", b"garbage\r\n\r\n", b"HTTP/1.1 2000 x\r\n\r\n"]
)
async def test_a_broken_answer_is_a_failure(reply: bytes) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(reply)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        assert not await send(f"http://127.0.0.1:{port}/")


async def test_nobody_listening_is_a_failure(unused_tcp_port: int) -> None:
    assert not await send(f"http://127.0.0.1:{unused_tcp_port}/")


@pytest.mark.parametrize("host", ["a" * 64 + ".test", "a..test"])
async def test_what_cannot_be_a_host_name_is_a_failure(host: str) -> None:
    assert not await send(f"http://{host}/")


async def test_a_certificate_that_nobody_vouches_for_is_a_failure(tmp_path: Path) -> None:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(self_signed(tmp_path))

    async with receiver(ok, tls) as url:
        assert not await send(url)

        async with aiohttp.ClientSession() as unsuspecting:
            response = await unsuspecting.post(url, ssl=False)
            assert response.status == 200


async def test_a_private_address_is_not_called() -> None:
    async with receiver(ok) as url:
        assert await send(url)
        assert not await send(url, rule=AddressRule())


async def test_a_name_that_leads_to_a_private_address_is_not_called() -> None:
    async with receiver(ok) as url:
        named = url.replace("127.0.0.1", "receiver.test")
        assert await send(named, names=FixedNames(["127.0.0.1"]))
        assert not await send(named, names=FixedNames(["127.0.0.1"]), rule=AddressRule())


async def test_a_name_is_looked_up_once_for_check_and_call() -> None:
    """A second lookup could give the private address that the first did not."""
    names = FixedNames(["127.0.0.1"], ["10.0.0.1"])
    async with receiver(ok) as url:
        assert await send(url.replace("127.0.0.1", "rebinding.test"), names=names)

    assert names.answers == [["10.0.0.1"]]


async def test_calls_to_one_receiver_are_bounded_and_waiting_does_not_time_out() -> None:
    calls = most = 0
    full = asyncio.Event()

    async def answer(request: web.Request) -> web.Response:
        nonlocal calls, most
        calls += 1
        most = max(most, calls)
        if calls == MAX_CALLS_PER_RECEIVER:
            full.set()
        await full.wait()
        await asyncio.sleep(0.2)
        calls -= 1
        return web.Response()

    async with receiver(answer) as url, a_sender(timeout_s=2.5) as sender:
        tries = (sender.send(an_event(), at(url)) for _ in range(256))
        assert set(await asyncio.gather(*tries)) == {Made()}

    assert most == MAX_CALLS_PER_RECEIVER


async def test_connections_are_used_again() -> None:
    peers: set[object] = set()

    async def answer(request: web.Request) -> web.Response:
        assert request.transport is not None
        peers.add(request.transport.get_extra_info("peername"))
        return web.Response(text='{"code":0}')

    async with receiver(answer) as url, a_sender() as sender:
        for _ in range(10):
            assert await sender.send(an_event(), at(url)) == Made()

    assert len(peers) == 1


async def test_cookies_are_not_kept() -> None:
    cookies: list[object] = []

    async def answer(request: web.Request) -> web.Response:
        cookies.append(dict(request.cookies))
        return web.Response(headers={"Set-Cookie": "session=1"})

    names = FixedNames(["127.0.0.1"], ["127.0.0.1"])
    async with receiver(answer) as url, a_sender(names=names) as sender:
        named = url.replace("127.0.0.1", "receiver.test")
        for _ in range(2):
            assert await sender.send(an_event(), at(named)) == Made()

    assert cookies == [{}, {}]


@pytest.mark.parametrize("reply", [b"", b"garbage\r\n\r\n", b"HTTP/1.1 500 x\r\n\r\n"])
async def test_a_failure_tells_no_secrets(reply: bytes, caplog: pytest.LogCaptureFixture) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(reply)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with caplog.at_level(logging.DEBUG, logger="airslice"):
            outcome = await try_once(f"http://127.0.0.1:{port}/?token=hidden")

    assert isinstance(outcome, Failed)
    assert outcome.reason
    assert SECRET not in caplog.text + outcome.reason
    assert "hidden" not in caplog.text + outcome.reason


async def test_a_receiver_that_is_gone_says_so() -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=410, headers={"Retry-After": "5"})

    async with receiver(answer) as url:
        assert await try_once(url) == Gone(reason="HTTP 410")


@pytest.mark.parametrize(
    ("status", "header", "seconds"),
    [
        (429, "120", 120),
        (503, " 7 ", 7),
        (429, "Tue, 14 Nov 2023 22:16:40 GMT", 100),
        (503, "Tue, 14 Nov 2023 22:16:40 -0000", 100),
        (429, "Tue, 14 Nov 2023 22:00:00 GMT", 0),
        (429, "9" * 400, 999_999_999),
        (429, "-5", 0),
        (429, "soon", 0),
        (429, "", 0),
        (429, "Tue, 99 Nov 9999 99:99:99 +9999", 0),
        (500, "120", 0),
    ],
)
async def test_what_a_busy_receiver_asks_for_is_told(
    status: int, header: str, seconds: float
) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Retry-After": header})

    async with receiver(answer) as url:
        outcome = await try_once(url)

    assert outcome == Failed(reason=f"HTTP {status}", retry_after_s=seconds)


def self_signed(folder: Path) -> Path:
    """Write a key and a certificate for 127.0.0.1 that no authority has signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    start = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start - timedelta(days=1))
        .not_valid_after(start + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path
