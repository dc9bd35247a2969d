"""A browser speaks: what it publishes is in the slices, where it belongs."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.acceptance.callback_sink import Announced, CallbackSink
from tests.acceptance.chromium import browser_page, needs_chromium
from tests.acceptance.running_server import RunningServer, until
from tests.acceptance.slice_audio import Samples, beeps, joined, onsets_s, read_wav
from tests.acceptance.slicing_client import OrderedTask

pytestmark = needs_chromium

RATE = 16_000
DURATION_S = 2

EXACT_S = 0.005
"""Of the distance of two beeps without a pause between them."""

PLACED_S = 0.05
"""Of a beep's place after a pause or a reconnect, which wall clocks decide."""

# What a page does to publish over WHIP and nothing more, in another origin than the server's.
PAGE_SCRIPT = """
window.publish = async (endpoint, token) => {
  window.microphone ??= await navigator.mediaDevices.getUserMedia({ audio: {
    echoCancellation: false, noiseSuppression: false, autoGainControl: false } });
  window.track = microphone.getAudioTracks()[0];
  window.peer = new RTCPeerConnection();
  window.sender = peer.addTransceiver(track, { direction: "sendonly" }).sender;
  await peer.setLocalDescription();
  const headers = { "Content-Type": "application/sdp", Authorization: `Bearer ${token}` };
  const answer = await fetch(endpoint, { method: "POST", headers, body: peer.localDescription.sdp });
  window.resource = new URL(answer.headers.get("Location"), endpoint);
  await peer.setRemoteDescription({ type: "answer", sdp: await answer.text() });
  while (peer.connectionState !== "connected") await new Promise((done) => setTimeout(done, 10));
};
window.leave = async (token) => {
  await fetch(resource, { method: "DELETE", headers: { Authorization: `Bearer ${token}` } });
  peer.close();
};
"""


async def test_a_browsers_beeps_keep_their_place_through_mute_pause_and_reconnect(
    order: Any, server: RunningServer, sink: CallbackSink, tmp_path: Path
) -> None:
    room = "chromium"
    loose = await order(room=room, task="loose")
    aligned = await order(room=room, task="aligned", Control={"Align": True})
    token = server.token("wav", room, "u")
    endpoint = server.endpoint("wav", room)

    async with browser_page(tmp_path, beeps(60, first_s=0.5)) as page:
        await page.goto(sink.origin)
        await page.evaluate(PAGE_SCRIPT)
        publish = "([endpoint, token]) => publish(endpoint, token)"
        await page.evaluate(publish, [endpoint, token])
        await loose.wait_for(2)
        await page.evaluate("track.enabled = false")
        await aligned.wait_for(4)
        await page.evaluate("track.enabled = true")
        await loose.wait_for(6)
        await page.evaluate("sender.replaceTrack(null)")
        await page.wait_for_timeout(2_500)
        await page.evaluate("sender.replaceTrack(track)")
        await loose.wait_for(8)
        await page.evaluate("token => leave(token)", token)
        await page.evaluate(publish, [endpoint, token])
        await loose.wait_for(11)
        await page.evaluate("token => leave(token)", token)

    loose_slices, aligned_slices = await loose.stop(), await aligned.stop()
    print_beeps("loose", loose, loose_slices)
    print_beeps("aligned", aligned, aligned_slices)


def print_beeps(name, task, slices):
    for a in slices:
        pcm = read_wav(task.path(a))
        print(name, a.index, a.start_ms % 1000000, a.duration_ms, pcm.size, [round((a.start_ms % 1000000)/1000 + at, 4) for at in onsets_s(pcm)])
    pcm = joined(read_wav(task.path(a)) for a in slices)
    print([round(x, 4) for x in onsets_s(pcm)])
    assert 0
