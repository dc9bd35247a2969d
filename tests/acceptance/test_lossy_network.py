"""A publisher whose packets get lost, doubled and out of order on their way."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import httpx
import numpy as np
from aiortc import RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.mediastreams import AUDIO_PTIME, MediaStreamTrack
from av import AudioFrame

from tests.support.audio.slice_audio import joined, read_wav, strongest
from tests.support.server.running_server import RunningServer
from tests.support.waiting import PATIENCE_S

SECONDS = 10
RATE = 48_000
SLOT_S = 0.1
TONES = (440.0, 620.0, 870.0, 1_220.0, 1_710.0, 2_400.0)

LOSS = 0.05
DUPLICATION = 0.02
JITTER_S = 0.1


class ToneSlots(MediaStreamTrack):
    """Speaks a tone after another, in real time, and falls silent at the end."""

    kind = "audio"

    def __init__(self, tones: list[float]) -> None:
        super().__init__()
        at = np.arange(int(len(tones) * SLOT_S * RATE))
        hertz = np.array(tones)[(at / (SLOT_S * RATE)).astype(int)]
        self._pcm = (9_000 * np.sin(2 * np.pi * np.cumsum(hertz) / RATE)).astype(np.int16)
        self._sent = 0
        self._start_s = 0.0
        self.done = asyncio.Event()

    async def recv(self) -> AudioFrame:
        loop = asyncio.get_running_loop()
        self._start_s = self._start_s or loop.time()
        await asyncio.sleep(max(0.0, self._start_s + self._sent / RATE - loop.time()))
        samples = self._pcm[self._sent : self._sent + int(AUDIO_PTIME * RATE)]
        if not samples.size:
            self.done.set()
            await asyncio.Event().wait()
        frame = AudioFrame.from_ndarray(samples[np.newaxis], format="s16", layout="mono")
        frame.sample_rate, frame.time_base, frame.pts = RATE, Fraction(1, RATE), self._sent
        self._sent += samples.size
        return frame


def make_lossy(sender: RTCRtpSender, seed: int) -> Callable[[], int]:
    """Let RTP go the bad way out; return what tells the number of packets that were lost."""
    chance = random.Random(seed)
    ice = sender.transport.transport
    send = ice._send
    lost = 0

    async def send_badly(data: bytes) -> None:
        nonlocal lost
        if data[0] >> 6 != 2 or 192 <= data[1] <= 223:  # no RTP
            return await send(data)
        if chance.random() < LOSS:
            lost += 1
            return None
        for _ in range(2 if chance.random() < DUPLICATION else 1):
            asyncio.get_running_loop().call_later(
                chance.random() * JITTER_S, lambda: asyncio.ensure_future(send(data))
            )
        return None

    ice._send = send_badly
    return lambda: lost


async def test_tones_arrive_over_a_lossy_jittery_network(
    order: Any, server: RunningServer, http: httpx.AsyncClient
) -> None:
    chance = random.Random(7)
    tones = [chance.choice(TONES) for _ in range(int(SECONDS / SLOT_S))]
    task = await order(room="lossy")
    track, peer = ToneSlots(tones), RTCPeerConnection()
    sender = peer.addTrack(track)
    await peer.setLocalDescription(await peer.createOffer())
    lost = make_lossy(sender, seed=7)
    response = await http.post(
        server.endpoint("wav", "lossy"),
        content=peer.localDescription.sdp,
        headers={
            "Authorization": f"Bearer {server.token('wav', 'lossy', 'u')}",
            "Content-Type": "application/sdp",
        },
    )
    await peer.setRemoteDescription(RTCSessionDescription(response.text, "answer"))

    await asyncio.wait_for(track.done.wait(), PATIENCE_S)
    await task.wait_for(int(SECONDS / 2) - 1)
    slices = await task.stop()
    await peer.close()

    assert lost() > 0.02 * SECONDS / AUDIO_PTIME
    parts = [read_wav(task.path(announced)) for announced in slices]
    assert [announced.index for announced in slices] == list(range(len(slices)))
    assert all(part.size == 2 * 16_000 for part in parts[:-1])
    samples = joined(parts)
    assert abs(samples.size / 16_000 - SECONDS) < 0.2
    assert max(found_slots(samples, tones, first) for first in range(-3, 4)) >= 0.99


def found_slots(samples: np.ndarray[Any, Any], tones: list[float], first_frame: int) -> float:
    """Return the share of tones that are where they should be, if the first frames were lost."""
    found = 0
    slot, frame = int(SLOT_S * 16_000), int(AUDIO_PTIME * 16_000)
    for number, tone in enumerate(tones):
        start = number * slot + first_frame * frame
        middle = samples[max(0, start + frame) : max(0, start + slot - frame)]
        found += middle.size > 0 and strongest(middle, TONES) == tone
    return found / len(tones)
