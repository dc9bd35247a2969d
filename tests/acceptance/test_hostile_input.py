"""Whatever is sent to it, the server answers, goes on, leaks nothing and tells no secret."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from aiortc import RTCPeerConnection

from tests.support.audio.slice_audio import beeps
from tests.support.clients.rtp_publisher import opus_loop
from tests.support.clients.sdk_scenarios import start_body
from tests.support.clients.slicing_client import VERSION, SlicingClient, order_slicing
from tests.support.server.callback_sink import CallbackSink
from tests.support.server.running_server import FOREIGN, RunningServer
from tests.support.stages.publishing_stage import PublishingStage
from tests.support.waiting import PATIENCE_S, until

MAX_PUBLISHERS = 3
SESSIONS = 200
FLOOD_DATAGRAMS = 20_000
BATCH = 100
"""So many datagrams are sent before the last but one batch must have been read."""

CHUNK_BYTES = 65_536
LEAK_KB = 4_000
START = {"Action": "StartSegment", "Version": VERSION}


@pytest.fixture(scope="module")
def hardened(make_server: Callable[..., RunningServer]) -> RunningServer:
    """A server with small rooms, for this module alone."""
    return make_server(AIRSLICE_SERVER__MAX_PUBLISHERS_PER_ROOM=str(MAX_PUBLISHERS))


@pytest.fixture(autouse=True)
def survival(hardened: RunningServer) -> Iterator[None]:
    """After each attack the server answers, and its log is clean."""
    yield
    assert httpx.get(f"{hardened.base_url}/healthz", timeout=PATIENCE_S).text == "ok\n"
    hardened.check_log()


@pytest.fixture
async def answers(hardened: RunningServer) -> AsyncIterator[list[httpx.Response]]:
    """Collects answers; none of them may hold a secret."""
    answers: list[httpx.Response] = []
    yield answers
    for answer in answers:
        assert not hardened.secrets_in(f"{answer.headers} {answer.text}")


@pytest.fixture
async def offer() -> str:
    """A good offer."""
    peer = RTCPeerConnection()
    peer.addTransceiver("audio", direction="sendonly")
    offer = await peer.createOffer()
    await peer.setLocalDescription(offer)
    await peer.close()
    return str(peer.localDescription.sdp)


async def test_requests_that_nobody_may_make_are_refused(
    hardened: RunningServer, http: httpx.AsyncClient, answers: list[httpx.Response]
) -> None:
    client = SlicingClient(hardened, http)
    account = hardened.settings.accounts[0]
    body = start_body(hardened.apps["wav"].app_id)
    text = json.dumps(body).encode()
    foreign = json.dumps({**body, "AppId": hardened.apps[FOREIGN].app_id}).encode()
    url = f"{hardened.base_url}/?Action=StartSegment&Version={VERSION}"
    past = datetime.now(UTC) - timedelta(minutes=16)

    answers += [
        await http.post(url, content=text),
        await client.send("POST", START, text, keys=(account.access_key, "SKWRONG")),
        await client.send("POST", START, text, keys=("AKNOBODY", account.secret_key)),
        await client.send("POST", START, text, at=past),
        await client.send("POST", START, foreign),
        await client.send("POST", START, text + b" " * 1_100_000),
        await client.send("POST", START, b"[" * 100_000),
        await client.send("POST", START, b"\xff\xfe{"),
    ]

    assert [(answer.status_code, code_of(answer)) for answer in answers] == [
        (401, "MissingAuthenticationToken"),
        (401, "SignatureDoesNotMatch"),
        (401, "InvalidAccessKey"),
        (400, "InvalidTimestamp"),
        (403, "Unauthorized"),
        (413, "InvalidParameter.SizeOverLimit"),
        (400, "InvalidParameter"),
        (400, "InvalidParameter.Unmarshal"),
    ]


async def test_a_body_that_is_far_too_long_is_refused_and_not_kept(
    hardened: RunningServer,
) -> None:
    memory_kb = hardened.memory_kb()
    reader, writer = await asyncio.open_connection(*hardened.settings.server.http)
    writer.write(
        f"POST /?Action=StartSegment&Version={VERSION} HTTP/1.1\r\nHost: x\r\n"
        "Transfer-Encoding: chunked\r\n\r\n".encode()
    )
    chunk = f"{CHUNK_BYTES:x}\r\n".encode() + bytes(CHUNK_BYTES) + b"\r\n"
    with contextlib.suppress(ConnectionError):  # it may hang up at any time
        for _ in range(100_000_000 // CHUNK_BYTES):
            writer.write(chunk)
            await asyncio.wait_for(writer.drain(), PATIENCE_S)
    answer = await asyncio.wait_for(reader.readline(), PATIENCE_S)
    writer.transport.abort()  # in the middle of the body

    assert answer.split()[1] == b"413"
    assert hardened.memory_kb() - memory_kb < 20_000


async def test_publishers_without_a_right_or_a_reason_are_refused(
    hardened: RunningServer, http: httpx.AsyncClient, answers: list[httpx.Response], offer: str
) -> None:
    async def publish(
        token: str, sdp: str | bytes = offer, kind: str = "application/sdp"
    ) -> tuple[int, str]:
        headers = {"Content-Type": kind, "Authorization": f"Bearer {token}"}
        url = hardened.endpoint("wav", "room")
        answers.append(await http.post(url, content=sdp, headers=headers))
        return answers[-1].status_code, answers[-1].json()["code"]

    token = hardened.token("wav", "room", "u")

    refused = (401, "token_refused")
    assert await publish("001nonsense") == refused
    assert await publish(token[:-4] + "AAAA") == refused
    assert await publish(hardened.token("wav", "room", "u", app_key="0" * 32)) == refused
    assert await publish(hardened.token("wav", "room", "u", expires_in_s=-10)) == refused
    assert await publish(hardened.token("wav", "elsewhere", "u")) == refused
    assert await publish(hardened.token("ogg", "room", "u")) == refused
    for sdp in (b"", b"garbage", os.urandom(5_000), offer[:200], offer.replace("opus", "PCMU")):
        status, _ = await publish(token, sdp)
        assert status == 422
    assert (await publish(token, "x" * 70_000))[0] == 413
    assert (await publish(token, offer, "text/plain"))[0] == 415


async def test_a_full_room_refuses_and_frees_its_places(
    hardened: RunningServer, http: httpx.AsyncClient, answers: list[httpx.Response], offer: str
) -> None:
    async def publish(user: str) -> httpx.Response:
        token = hardened.token("wav", "full", user)
        headers = {"Content-Type": "application/sdp", "Authorization": f"Bearer {token}"}
        answer = await http.post(hardened.endpoint("wav", "full"), content=offer, headers=headers)
        answers.append(answer)
        return answer

    inside = [await publish(f"u{number}") for number in range(MAX_PUBLISHERS)]
    assert (await publish("outside")).status_code == 503

    token = hardened.token("wav", "full", "u0")
    await http.delete(
        hardened.base_url + inside[0].headers["Location"],
        headers={"Authorization": f"Bearer {token}"},
    )
    assert (await publish("outside")).status_code == 201


async def test_a_flood_of_nonsense_costs_a_live_publisher_nothing(
    hardened: RunningServer, http: httpx.AsyncClient, sink: CallbackSink
) -> None:
    client = SlicingClient(hardened, http)
    task = await order_slicing(client, sink, hardened, room="flooded", Duration=1)
    stage = PublishingStage(hardened, http)
    publisher = await stage.publish(opus_loop(beeps(1.0)), room="flooded", user="u")
    await task.wait_for(1)
    dropped = hardened.metric("dropped_datagrams")

    await asyncio.to_thread(flood, hardened)
    slices = await task.wait_for(len(task.slices()) + 2)

    assert hardened.metric("dropped_datagrams") - dropped > FLOOD_DATAGRAMS / 2
    assert hardened.metric("lost_packets") == 0
    assert all(announced.duration_ms == 1_000 for announced in slices)
    await stage.leave(publisher)
    await task.stop()


async def test_half_a_request_holds_nobody_up(
    hardened: RunningServer, http: httpx.AsyncClient
) -> None:
    lazy = [await asyncio.open_connection(*hardened.settings.server.http) for _ in range(100)]
    for _, writer in lazy:
        writer.write(b"POST /whip/a/b HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf")

    answer = await http.get(f"{hardened.base_url}/healthz")

    assert answer.status_code == 200
    assert not any(reader.at_eof() for reader, _ in lazy)  # they still wait
    for _, writer in lazy:
        writer.transport.abort()


async def test_storage_keys_are_never_shown(
    hardened: RunningServer, http: httpx.AsyncClient, sink: CallbackSink
) -> None:
    access_key, secret_key = "AKIDSTORAGE5417", "SKSTORAGE5417verysecret"
    client = SlicingClient(hardened, http)
    custom = {
        "Vendor": 0,
        "Region": 0,
        "Bucket": "b",
        "AccessKey": access_key,
        "SecretKey": secret_key,
    }
    storage = {"Type": 2, "CustomConfig": custom}
    task = await order_slicing(client, sink, hardened, room="keys", StorageConfig=storage)

    state = json.dumps(await task.state())
    await task.stop()

    data_dir = hardened.settings.server.data_dir
    files = b"".join(file.read_bytes() for file in data_dir.rglob("*") if file.is_file())
    assert secret_key not in state
    assert secret_key.encode() not in files
    assert secret_key not in hardened.log


async def test_sessions_that_come_and_go_leave_nothing_behind(
    hardened: RunningServer, http: httpx.AsyncClient, offer: str
) -> None:
    async def cycle(number: int) -> None:
        token = hardened.token("wav", f"leak{number % 7}", f"u{number}")
        headers = {"Content-Type": "application/sdp", "Authorization": f"Bearer {token}"}
        url = hardened.endpoint("wav", f"leak{number % 7}")
        opened = await http.post(url, content=offer, headers=headers)
        assert opened.status_code == 201
        ended = await http.delete(hardened.base_url + opened.headers["Location"], headers=headers)
        assert ended.status_code == 200

    for number in range(SESSIONS // 2):  # what is allocated once is, by then
        await cycle(number)
    memory_kb, files = hardened.memory_kb(), hardened.open_files()

    for number in range(SESSIONS):
        await cycle(number)

    assert hardened.memory_kb() - memory_kb < LEAK_KB
    await until(lambda: hardened.open_files() <= files)
    assert hardened.metric("sessions") <= MAX_PUBLISHERS


def code_of(answer: httpx.Response) -> str:
    """The error code of the slicing API."""
    return str(answer.json()["ResponseMetadata"]["Error"]["Code"])


def flood(server: RunningServer) -> None:
    """Send datagrams of every kind that only look like something, from a port of their own.

    No faster than they are read: the kernel's queue is not what is tested.
    """
    looks = [b"", b"\x00\x01", b"\x16\xfe\xfd", b"\x80\x6f", b"\x80\xc8", b"\xff", b"\x40"]
    dropped_before = server.metric("dropped_datagrams")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as attacker:
        for number in range(FLOOD_DATAGRAMS):
            junk = os.urandom(1 + number % 1_300)
            attacker.sendto(looks[number % len(looks)] + junk, server.media)
            if number % BATCH == BATCH - 1:
                while server.metric("dropped_datagrams") - dropped_before < number - BATCH:
                    pass
