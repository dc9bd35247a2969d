"""A browser listens, as a page of another origin than the server's."""

from __future__ import annotations

from pathlib import Path

import httpx
from playwright.async_api import expect

from tests.support.audio.slice_audio import beeps
from tests.support.clients.chromium import browser_page, needs_chromium
from tests.support.clients.live_jobs import LiveClient, write_tones
from tests.support.clients.rtp_publisher import opus_loop
from tests.support.clients.whep_player import EVENTS, listener_token, whep_url
from tests.support.server.callback_sink import CallbackSink
from tests.support.server.running_server import RunningServer
from tests.support.stages.publishing_stage import PublishingStage
from tests.support.waiting import until

pytestmark = needs_chromium

# What a page does to listen over WHEP and nothing more.
PAGE_SCRIPT = """() => {
window.listen = async (endpoint, token) => {
  window.peer = new RTCPeerConnection();
  const { receiver } = peer.addTransceiver("audio", { direction: "recvonly" });
  await peer.setLocalDescription();
  const headers = { "Content-Type": "application/sdp", Authorization: `Bearer ${token}` };
  const body = peer.localDescription.sdp;
  const answer = await fetch(endpoint, { method: "POST", headers, body });
  window.resource = new URL(answer.headers.get("Location"), endpoint);
  window.link = answer.headers.get("Link");
  await peer.setRemoteDescription({ type: "answer", sdp: await answer.text() });
  const player = new Audio();
  player.srcObject = new MediaStream([receiver.track]);
  await player.play();
};
window.inbound = async () =>
  [...(await peer.getStats()).values()].find(({ type }) => type === "inbound-rtp");
window.levels = async (count) => {
  const seen = [];
  while (seen.length < count) {
    await new Promise((done) => setTimeout(done, 50));
    seen.push((await inbound())?.audioLevel ?? 0);
  }
  return seen;
};
window.subscribe = (url) => new Promise((opened, failed) => {
  window.events = new EventSource(url);
  events.onopen = () => opened();
  events.onerror = () => failed(new Error("no events"));
});
}"""


async def test_a_browser_plays_a_room_and_hears_its_messages(
    stage: PublishingStage,
    server: RunningServer,
    sink: CallbackSink,
    tmp_path: Path,
    http: httpx.AsyncClient,
) -> None:
    room = "watched"
    token = listener_token(server, room)
    await stage.publish(opus_loop(beeps(1, length_s=0.3)), room=room, user="anna")

    async with browser_page(tmp_path, beeps(1)) as page:
        await page.goto(sink.origin)
        await page.evaluate(PAGE_SCRIPT)
        listen = "([endpoint, token]) => listen(endpoint, token)"
        await page.evaluate(listen, [whep_url(server, room), token])
        levels = await page.evaluate("levels(60)")
        stats = await page.evaluate("inbound()")
        link = await page.evaluate("link")
        resource = await page.evaluate("resource.href")
        assert f'rel="{EVENTS}"' in link
        await page.evaluate("url => subscribe(url)", f"{resource}/events")
        headers = {"Authorization": f"Bearer {token}"}
        assert (await http.delete(resource, headers=headers)).status_code == 200
        await until(lambda: server.metric("listeners") == 0)

    # Beeps of 0.3 s each second: loud and quiet by turns.
    assert max(levels) > 0.1
    assert sum(level > 0.05 for level in levels) >= 10
    assert sum(level < 0.01 for level in levels[10:]) >= 10
    assert stats["packetsLost"] == 0
    assert stats["packetsReceived"] > 100
    assert stats["concealedSamples"] < stats["totalSamplesReceived"] / 2


async def test_a_browser_plays_a_live_job_with_the_players_token(
    server: RunningServer, sink: CallbackSink, tmp_path: Path, http: httpx.AsyncClient
) -> None:
    # Recordings of 0.5 s with 0.3 s of silence after each.
    write_tones(server.settings.server.data_dir / "assets" / server.project.project_id, [0.5] * 20)
    live = LiveClient(server, http)
    job = await live.start(20)
    await until(lambda: server.metric("live_jobs") > 0)

    async with browser_page(tmp_path, beeps(1)) as page:
        await page.goto(sink.origin)
        await page.evaluate(PAGE_SCRIPT)
        listen = "([endpoint, token]) => listen(endpoint, token)"
        await page.evaluate(listen, [whep_url(server, job.rtc_room_id), job.tokens["PLAYER"]])
        levels = await page.evaluate("levels(80)")
        stats = await page.evaluate("inbound()")
        resource = await page.evaluate("resource.href")
        headers = {"Authorization": f"Bearer {job.tokens['PLAYER']}"}
        assert (await http.delete(resource, headers=headers)).status_code == 200
        await until(lambda: server.metric("listeners") == 0)
    await live.stop(job)

    # Loud and quiet by turns; the browser lets its level fall by and by.
    assert sum(level > 0.2 for level in levels) >= 20
    assert sum(level < 0.03 for level in levels[10:]) >= 3
    assert stats["packetsLost"] == 0
    assert stats["packetsReceived"] > 100


async def test_the_console_listens(
    stage: PublishingStage, server: RunningServer, tmp_path: Path
) -> None:
    await stage.publish(opus_loop(beeps(1)), room="watched-2", user="anna")
    async with browser_page(tmp_path, beeps(1)) as page:
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        await page.goto(server.base_url)
        await page.locator("input[name=password]").fill(server.settings.server.admin_password or "")
        await page.get_by_role("button", name="Sign in").click()
        await page.locator("input[name=room]").fill("watched-2")
        await page.get_by_role("button", name="Listen").click()
        await expect(page.get_by_role("button", name="Stop listening")).to_be_visible()
        await until(lambda: server.metric("listeners") == 1)
        await page.get_by_role("button", name="Stop listening").click()
        await until(lambda: server.metric("listeners") == 0)
        await expect(page.get_by_role("button", name="Listen")).to_be_enabled()
        assert not problems
