"""Players listen to rooms over WHEP: what they hear is what was said, when it was said."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import httpx
import numpy as np
import pytest

from airslice.domain.room_token import Privilege
from tests.support.audio.slice_audio import Samples, beeps, onsets_s
from tests.support.clients.raw_publisher import RawPublisher
from tests.support.clients.rtp_publisher import opus_loop
from tests.support.clients.whep_player import RATE, Got, WhepPlayer, listener_token, whep_url
from tests.support.server.running_server import RunningServer
from tests.support.stages.publishing_stage import PublishingStage
from tests.support.waiting import until

LOOP_S = 4
CODEC_S = 0.0065
"""Delay of the Opus encoder."""

PLACED_S = 0.005
MAX_GAP_S = 0.040

MIXED_S = 0.030
"""A mix is encoded anew, and places each stream by the arrival of its packets."""

Play = Callable[..., Awaitable[WhepPlayer]]


def numbered_tones(base_hz: float = 400, amplitude: float = 8_000) -> Samples:
    """Each full second UTC begins with a beep; its pitch tells which of `LOOP_S` it is."""
    sound = sum(
        np.pad(
            beeps(0.2, every_s=0.2, frequency=base_hz * (k + 1), amplitude=amplitude, length_s=0.1),
            (k * RATE, (LOOP_S - k) * RATE - RATE // 5),
        )
        for k in range(LOOP_S)
    )
    return np.asarray(sound, np.int16)


TONES = opus_loop(numbered_tones())

SETTLED_S = 0.25
ARRIVES_S = 0.5
"""By how much a busy machine may be late with a packet; pauses are twice as long."""


@pytest.fixture
async def play(server: RunningServer, http: httpx.AsyncClient) -> AsyncIterator[Play]:
    """Starts a player: `await play(room, user=…)`."""
    players: list[WhepPlayer] = []

    async def start(room: str, user: str = "") -> WhepPlayer:
        player = WhepPlayer(whep_url(server, room, user=user), listener_token(server, room))
        players.append(player)
        await player.start(http)
        return player

    yield start
    for player in players:
        await player.peer.close()
    await until(lambda: server.metric("listeners") == 0)


def is_out_of(payloads: Sequence[bytes], loop: Sequence[bytes]) -> bool:
    """Whether all payloads are the loop's, one after another."""
    return any(
        all(payload == loop[(start + k) % len(loop)] for k, payload in enumerate(payloads))
        for start in range(len(loop))
    )


def check_continuous(got: Sequence[Got]) -> None:
    """One RTP stream: no packet missing, none early, none late."""
    for a, b in itertools.pairwise(got):
        assert b.packet.ssrc == a.packet.ssrc
        assert b.packet.sequence_number == (a.packet.sequence_number + 1) & 0xFFFF
        gap = (b.packet.timestamp - a.packet.timestamp) & 0xFFFF_FFFF
        assert 0 < gap / RATE <= 0.020 + MAX_GAP_S


def check_beeps(player: WhepPlayer, seconds: int, tolerance_s: float = PLACED_S) -> None:
    """There is a beep at every full second of UTC, by the sender reports."""
    samples, utc_s = player.heard()
    # A decoder needs some time to settle; a beep that began in that time is none to be found.
    found = [utc_s + at - CODEC_S for at in onsets_s(samples, rate=RATE) if at >= SETTLED_S]
    assert len(found) >= seconds
    assert max(abs(at - round(at)) for at in found) <= tolerance_s, found
    assert [round(b) - round(a) for a, b in itertools.pairwise(found)] == [1] * (len(found) - 1)


async def test_a_users_very_packets_are_played_at_once_and_in_time(
    stage: PublishingStage, play: Play
) -> None:
    player = await play("one", user="anna")
    await stage.publish(TONES, room="one", user="anna")
    other = await stage.publish(opus_loop(numbered_tones(300)), room="one", user="bert")
    await until(lambda: len(player.got) >= 50 * 6)
    await stage.leave(other)

    assert is_out_of([got.packet.payload for got in player.got], TONES)
    check_continuous(player.got)
    check_beeps(player, 5)
    assert len(player.reports) >= 2


async def test_a_player_hears_through_the_publishers_pauses_and_reconnects(
    stage: PublishingStage, play: Play
) -> None:
    player = await play("again", user="anna")
    for _ in range(3):
        publisher = await stage.publish(TONES, room="again", user="anna")
        before = len(player.got)
        await until(lambda before=before: len(player.got) >= before + 130)  # type: ignore[misc]
        await stage.leave(publisher)
        await asyncio.sleep(1)

    packets = [got.packet for got in player.got]
    assert len({packet.ssrc for packet in packets}) == 1
    numbers = [packet.sequence_number for packet in packets]
    assert all((b - a) & 0xFFFF == 1 for a, b in itertools.pairwise(numbers))
    pauses = [
        (a, b)
        for a, b in itertools.pairwise(player.got)
        if (b.packet.timestamp - a.packet.timestamp) & 0xFFFF_FFFF > 0.5 * RATE
    ]
    assert len(pauses) == 2
    for a, b in pauses:
        shown_s = ((b.packet.timestamp - a.packet.timestamp) & 0xFFFF_FFFF) / RATE
        assert abs(shown_s - (b.at_s - a.at_s)) < ARRIVES_S
        assert b.packet.marker


async def test_a_room_with_one_publisher_is_played_as_he_publishes(
    stage: PublishingStage, play: Play
) -> None:
    await stage.publish(TONES, room="alone", user="anna")
    player = await play("alone")
    await until(lambda: len(player.got) >= 100)

    assert is_out_of([got.packet.payload for got in player.got], TONES)


async def test_several_publishers_are_mixed_and_the_change_leaves_no_gap(
    stage: PublishingStage, play: Play
) -> None:
    """Alone, then two with tones of their own, then alone again: one stream, both levels right."""
    await stage.publish(opus_loop(tone(500, 6_000)), room="two", user="anna")
    player = await play("two")
    await until(lambda: len(player.got) >= 100)
    bert = await stage.publish(opus_loop(tone(1_200, 3_000)), room="two", user="bert")
    together = len(player.got) + 50
    await until(lambda: len(player.got) >= together + 50)
    apart = len(player.got)
    await stage.leave(bert)
    await until(lambda: len(player.got) >= apart + 150)

    check_continuous(player.got)
    samples, _ = player.heard()
    second = RATE
    assert levels(samples[second : second + RATE // 2]) == pytest.approx((6_000, 0), abs=400)
    begin = player.place(together)
    assert levels(samples[begin : begin + second]) == pytest.approx((6_000, 3_000), rel=0.08)
    assert levels(samples[-RATE // 2 :]) == pytest.approx((6_000, 0), abs=400)


async def test_a_mix_keeps_everybodys_time(stage: PublishingStage, play: Play) -> None:
    for number, user in enumerate(("anna", "bert", "carl")):
        tones = numbered_tones(400 + 130 * number, 4_000)
        await stage.publish(opus_loop(tones), room="three", user=user)
    player = await play("three")
    await until(lambda: len(player.got) >= 50 * 5)

    check_continuous(player.got)
    check_beeps(player, 4, MIXED_S)


def tone(frequency: float, amplitude: float) -> Samples:
    """One second of a tone that can be repeated."""
    at = np.arange(RATE) / RATE
    return (amplitude * np.sin(2 * np.pi * frequency * at)).astype(np.int16)


def levels(samples: Samples) -> tuple[float, float]:
    """Amplitudes at 500 and 1,200 Hz."""
    at = np.arange(samples.size) / RATE

    def amplitude(hz: float) -> float:
        return float(abs(2 * np.mean(samples * np.exp(-2j * np.pi * hz * at))))

    return amplitude(500), amplitude(1_200)


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"token": "001nonsense"}, 401, "token_refused"),
        ({"privilege": Privilege.PUBLISH_STREAM}, 401, "token_refused"),
        ({"expires_in_s": -1}, 401, "token_refused"),
        ({"offer": "garbage"}, 422, "offer_refused"),
        ({"app": "0" * 24}, 404, "app_not_found"),
        ({"user": "not/valid"}, 400, "invalid_input"),
    ],
)
async def test_who_may_not_listen_is_told_why(
    server: RunningServer,
    http: httpx.AsyncClient,
    changes: dict[str, Any],
    status: int,
    code: str,
) -> None:
    grant = {key: changes[key] for key in ("privilege", "expires_in_s") if key in changes}
    token = changes.get("token") or listener_token(server, "closed", **grant)
    url = whep_url(server, "closed", user=changes.get("user", ""))
    if "app" in changes:
        url = url.replace(server.apps["wav"].app_id, changes["app"])
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/sdp"}

    response = await http.post(url, content=changes.get("offer", "v=0\r\n"), headers=headers)

    assert (response.status_code, response.json()["code"]) == (status, code)
    assert server.metric("listeners") == 0


async def test_a_listener_who_is_kicked_hears_no_more(
    server: RunningServer, play: Play, client: Any, stage: PublishingStage
) -> None:
    await stage.publish(TONES, room="out", user="anna")
    player = await play("out")
    await until(lambda: player.got)

    app_id = server.apps["wav"].app_id
    body = {"AppId": app_id, "RoomId": "out", "UserId": "listener"}
    query = {"Action": "KickUser", "Version": "2020-12-01"}
    kicked = await client.send("POST", query, json.dumps(body).encode())

    assert kicked.status_code == 200, kicked.text

    assert server.metric("listeners") == 0
    await until(lambda: player.peer.connectionState == "closed")


async def test_sessions_that_come_and_go_leave_nothing_behind(
    server: RunningServer, http: httpx.AsyncClient
) -> None:
    """Players that never connect, and offers that are none."""
    url, token = whep_url(server, "rush"), listener_token(server, "rush")
    authorization = {"Authorization": f"Bearer {token}"}
    headers = {**authorization, "Content-Type": "application/sdp"}
    with RawPublisher() as peer:
        offer = peer.offer("recvonly")

    async def come_and_go() -> None:
        opened = await http.post(url, content=offer, headers=headers)
        assert opened.status_code == 201
        assert (await http.post(url, content=offer[:99], headers=headers)).status_code == 422
        session = httpx.URL(url).join(opened.headers["Location"])
        assert (await http.delete(session, headers=authorization)).status_code == 200
        assert (await http.get(f"{session}/events")).status_code == 404

    await come_and_go()
    files = server.open_files()
    for _ in range(50):
        await come_and_go()

    assert server.open_files() <= files
    assert server.metric("listeners") == 0
