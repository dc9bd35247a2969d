"""A browser speaks: what it publishes is in the slices, where it belongs."""

from __future__ import annotations

import asyncio
import itertools
import time
from pathlib import Path
from typing import Any

import numpy as np
from playwright.async_api import Page, expect

from tests.support.audio.slice_audio import Samples, beeps, joined, onsets_s, read_wav
from tests.support.clients.chromium import browser_page, needs_chromium
from tests.support.clients.slicing_client import OrderedTask
from tests.support.server.callback_sink import Announced, CallbackSink
from tests.support.server.running_server import RunningServer
from tests.support.waiting import PATIENCE_S

pytestmark = needs_chromium

RATE = 16_000
DURATION_S = 2
PAUSE_S = 2.5

EXACT_S = 0.005
"""Of the distance of two beeps without a pause between them."""

PLACED_S = 0.05
"""Of a beep's place after a pause or a reconnect, which wall clocks decide."""

# What a page does to publish over WHIP and nothing more, in another origin than the server's.
PAGE_SCRIPT = """() => {
window.publish = async (endpoint, token) => {
  window.microphone ??= await navigator.mediaDevices.getUserMedia({ audio: {
    echoCancellation: false, noiseSuppression: false, autoGainControl: false } });
  window.track = microphone.getAudioTracks()[0];
  window.peer = new RTCPeerConnection();
  window.sender = peer.addTransceiver(track, { direction: "sendonly" }).sender;
  await peer.setLocalDescription();
  const headers = { "Content-Type": "application/sdp", Authorization: `Bearer ${token}` };
  const body = peer.localDescription.sdp;
  const answer = await fetch(endpoint, { method: "POST", headers, body });
  window.resource = new URL(answer.headers.get("Location"), endpoint);
  await peer.setRemoteDescription({ type: "answer", sdp: await answer.text() });
  while (peer.connectionState !== "connected") await new Promise((done) => setTimeout(done, 10));
};
window.leave = async (token) => {
  await fetch(resource, { method: "DELETE", headers: { Authorization: `Bearer ${token}` } });
  peer.close();
};
}"""


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
        await loose.wait_for(4)
        await page.evaluate("track.enabled = true")
        await loose.wait_for(6)
        begun_s = time.monotonic()
        await page.evaluate("sender.replaceTrack(null)")
        await page.wait_for_timeout(PAUSE_S * 1000)
        await page.evaluate("sender.replaceTrack(track)")
        paused_s = time.monotonic() - begun_s
        await loose.wait_for(8)
        begun_s = time.monotonic()
        await page.evaluate("token => leave(token)", token)
        await page.evaluate(publish, [endpoint, token])
        away_s = time.monotonic() - begun_s
        await loose.wait_for(11)
        await page.evaluate("token => leave(token)", token)

    check_loose(loose, await loose.stop(), paused_s, away_s)
    check_aligned(aligned, await aligned.stop())


def check_loose(task: OrderedTask, slices: list[Announced], paused_s: float, away_s: float) -> None:
    """Slices hold what was published, one after another; the pause is left out of them."""
    assert [announced.index for announced in slices] == list(range(len(slices)))
    gaps_s = [(b.start_ms - a.end_ms) / 1000 for a, b in itertools.pairwise(slices)]
    reconnect_s, pause_s = sorted(gaps_s)[-2:]
    assert PAUSE_S - 0.1 < pause_s < paused_s + 0.5
    assert reconnect_s < away_s + 0.5
    parts = [read_wav(task.path(announced)) for announced in slices]
    for part, announced in zip(parts, slices, strict=True):
        assert abs(part.size * 1000 / RATE - announced.duration_ms) <= 0.5  # it is rounded
    assert sum(announced.duration_ms == DURATION_S * 1000 for announced in slices) >= 7
    muted = [part for part in parts if part.size == DURATION_S * RATE and not onsets_s(part)]
    assert len(muted) >= 1
    # The pause and the reconnect leave time out; everything else is as it was spoken.
    places_s = onsets_s(joined(parts))
    moved = [b - a for a, b in itertools.pairwise(places_s) if abs(off_second(b - a)) > EXACT_S]
    assert len(places_s) >= 13
    assert len(moved) <= 2


def check_aligned(task: OrderedTask, slices: list[Announced]) -> None:
    """Slices are whole and on the grid; every beep is at its second, whatever came between."""
    parts = [read_wav(task.path(announced)) for announced in slices]
    assert [announced.index for announced in slices] == list(range(len(slices)))
    assert all((a.start_ms - slices[0].start_ms) % (DURATION_S * 1000) == 0 for a in slices)
    assert all(part.size == DURATION_S * RATE for part in parts[:-1])
    beeps_s = onsets_s(on_one_timeline(slices, parts))
    assert len(beeps_s) >= 13
    assert all(abs(off_second(at - beeps_s[0])) < PLACED_S for at in beeps_s)
    steps = [b - a for a, b in itertools.pairwise(beeps_s)]
    assert sum(abs(off_second(step)) > EXACT_S for step in steps) <= 2


def on_one_timeline(slices: list[Announced], parts: list[Samples]) -> Samples:
    """Put slices where their labels say, so that a beep across a boundary is one beep."""
    starts = [(a.start_ms - slices[0].start_ms) * RATE // 1000 for a in slices]
    timeline = np.zeros(starts[-1] + parts[-1].size, np.int16)
    for start, part in zip(starts, parts, strict=True):
        timeline[start : start + part.size] = part
    return timeline


def off_second(seconds: float) -> float:
    """Return how far `seconds` is from a whole number."""
    return seconds - round(seconds)


async def test_the_console_publishes_slices_and_plays(
    server: RunningServer, tmp_path: Path, screenshots: Path
) -> None:
    """Sign in, speak, slice, listen, stop: as its user does it."""
    async with browser_page(tmp_path, beeps(30, every_s=0.5)) as page:
        problems: list[str] = []

        def note(kind: str, text: str) -> None:
            if kind == "error":
                problems.append(text)

        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda said: note(said.type, said.text))
        await page.goto(server.base_url)
        await page.locator("input[name=password]").fill(server.settings.server.admin_password or "")
        await page.get_by_role("button", name="Sign in").click()
        await page.locator("input[name=room]").fill("console")
        await page.locator("input[name=user]").fill("alice")
        await page.get_by_role("button", name="Publish microphone").click()
        await expect(page.locator("#connection")).to_have_text("on air")
        await page.locator("input[name=duration]").fill("1")
        await page.get_by_role("button", name="Start slicing").click()
        await expect(page.locator("#slices li")).not_to_have_count(0)
        await expect(page.locator("#slices li .state").last).to_have_text("delivered")
        await expect(page.locator("#streams li")).to_have_text("alice")

        assert await played_s(page) > 0.3

        await page.screenshot(path=screenshots / "console.png", full_page=True)
        await page.get_by_role("button", name="Stop slicing").click()
        await expect(page.locator("#slicing-state")).to_have_text("")
        await page.locator("#stop-publishing").click()
        await expect(page.locator("#streams li")).to_have_count(0)
        assert not problems


async def played_s(page: Page) -> float:
    """Play the oldest slice for a while; return how far it came."""
    player = page.locator("#slices li audio").last
    await player.evaluate("audio => audio.play()")
    async with asyncio.timeout(PATIENCE_S):
        while (at := float(await player.evaluate("audio => audio.currentTime"))) <= 0.3:
            await asyncio.sleep(0.05)
    return at
