"""FetchedRecordings against real servers on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver
from aiohttp.resolver import ThreadedResolver
from aiohttp.test_utils import TestServer

from airslice.application.ports.live import RecordingNotFound, SpeechFailed, SpeechRefused
from airslice.delivery.destination import PermittedResolver, validate_url
from airslice.domain.destination import AddressRule
from airslice.encoding.audio_decoder import decode_audio
from airslice.presenter import recordings
from airslice.presenter.recordings import FetchedRecordings
from tests.support.audio.audio_files import audio_file, tone
from tests.support.audio.voice_measures import fundamental_hz, seconds
from tests.support.stages.fixed_names import FixedNames
from tests.support.waiting import PATIENCE_S

MP3 = audio_file("mp3", tone(2.0), channels=2)
LOOPBACK = AddressRule(["127.0.0.0/8"])

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def fetching(
    assets: Path = Path("/nonexistent"),
    *,
    rule: AddressRule = LOOPBACK,
    names: AbstractResolver | None = None,
    timeout_s: float = PATIENCE_S,
    decode: Callable[[BinaryIO, str], bytes] = decode_audio,
) -> AsyncIterator[FetchedRecordings]:
    opened = FetchedRecordings(
        check_url=partial(validate_url, rule=rule),
        resolver=PermittedResolver(names or ThreadedResolver(), rule),
        decode=decode,
        assets=assets,
        timeout_s=timeout_s,
    )
    try:
        yield opened
    finally:
        await opened.close()


@asynccontextmanager
async def serving(answer: Answer) -> AsyncIterator[str]:
    """Run a server, give the URL of its recording."""
    app = web.Application()
    app.router.add_get("/a.mp3", answer)
    async with TestServer(app) as running:
        yield str(running.make_url("/a.mp3"))


def sending(body: bytes, status: int = 200, **headers: str) -> Answer:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=body, status=status, headers=headers)

    return answer


async def test_an_mp3_is_fetched_and_mixed_to_mono() -> None:
    async with serving(sending(MP3)) as url, fetching() as opened:
        pcm = await opened.fetch(url)

    assert seconds(pcm) == pytest.approx(2, abs=0.06)  # MP3 adds silence at both ends
    assert fundamental_hz(pcm) == pytest.approx(440, rel=0.03)


@pytest.mark.parametrize(
    ("status", "failure"),
    [
        *((status, SpeechRefused) for status in (204, 206, 301, 302, 400, 401, 403)),
        *((status, RecordingNotFound) for status in (404, 410)),
        *((status, SpeechFailed) for status in (408, 425, 429, 500, 503)),
    ],
)
async def test_only_200_is_a_recording(status: int, failure: type[SpeechFailed]) -> None:
    visited = []

    async def elsewhere(request: web.Request) -> web.Response:
        visited.append(request.path)
        return web.Response(body=MP3)

    async with serving(elsewhere) as other:
        answer = sending(MP3 if status != 204 else b"", status, Location=other)
        async with serving(answer) as url, fetching() as opened:
            with pytest.raises(SpeechFailed, match=f"no recording, HTTP {status}") as caught:
                await opened.fetch(url)

    assert visited == []
    assert type(caught.value) is failure


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>not found</html>" * 1_000,
        audio_file("wav", tone(0.1)),
        bytes(100_000),
        MP3[:200],
    ],
    ids=["empty", "html", "wav", "zeros", "stump"],
)
async def test_what_is_no_mp3_fails(body: bytes) -> None:
    async with serving(sending(body)) as url, fetching() as opened:
        with pytest.raises(SpeechRefused, match="MP3 recording"):
            await opened.fetch(url)


async def test_a_file_that_says_it_is_too_large_is_not_waited_for() -> None:
    over = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.content_length = recordings.MAX_FILE_BYTES + 1
        await response.prepare(request)
        await response.write(MP3)
        await over.wait()
        return response

    async with serving(answer) as url, fetching() as opened:
        with pytest.raises(SpeechRefused, match="recording is over 100 MB"):
            await opened.fetch(url)
        over.set()


async def test_a_file_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recordings, "MAX_FILE_BYTES", 1_000_000)
    stopped = asyncio.Event()

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(bytes(65_536))
        finally:
            stopped.set()

    async with serving(endless) as url, fetching() as opened:
        with pytest.raises(SpeechRefused, match="recording is over 1 MB"):
            await opened.fetch(url)
        await asyncio.wait_for(stopped.wait(), PATIENCE_S)


async def test_a_recording_may_be_too_long() -> None:
    decode = partial(decode_audio, max_s=1.5)
    async with serving(sending(MP3)) as url, fetching(decode=decode) as opened:
        with pytest.raises(SpeechRefused, match="longer than"):
            await opened.fetch(url)


async def test_a_server_that_stalls_is_given_up() -> None:
    over = asyncio.Event()

    async def stalling(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(MP3[:1_000])
        await over.wait()
        return response

    async with serving(stalling) as url, fetching(timeout_s=0.3) as opened:
        with pytest.raises(SpeechFailed, match="no recording, TimeoutError"):
            await opened.fetch(url)
        over.set()


async def test_a_broken_connection_is_told_without_the_url() -> None:
    async with fetching() as opened:
        with pytest.raises(SpeechFailed, match="ClientConnectorError") as caught:
            await opened.fetch("http://127.0.0.1:1/a.mp3?token=hunter2")

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.1/a.mp3",
        "http://169.254.169.254/latest/meta-data",
        "http://[::1]/a.mp3",
        "http://user:password@example.com/a.mp3",
        "file:///etc/passwd",
        "concat:/etc/passwd",
        "a.mp3",
        "",
    ],
)
async def test_a_url_that_leads_inside_is_refused(url: str) -> None:
    async with fetching() as opened:
        with pytest.raises(SpeechRefused, match="audio URL refused, "):
            await opened.fetch(url)


async def test_a_private_address_is_refused_whatever_the_name() -> None:
    called = []

    async def answer(request: web.Request) -> web.Response:
        called.append(request.path)
        return web.Response(body=MP3)

    async with serving(answer) as url:
        port = url.split(":")[2].split("/")[0]
        names = FixedNames(["127.0.0.1"], ["127.0.0.1"])
        async with fetching(rule=AddressRule(), names=names) as opened:
            for address in (url, f"http://rebound.example:{port}/a.mp3"):
                with pytest.raises(SpeechRefused, match=r"audio URL refused, .*public address"):
                    await opened.fetch(address)

    assert called == []


async def test_a_name_is_looked_up_once_and_the_checked_address_dialled() -> None:
    async with serving(sending(MP3)) as url:
        port = url.split(":")[2].split("/")[0]
        names = FixedNames(["127.0.0.1"])  # a second look-up would be an IndexError
        async with fetching(names=names) as opened:
            assert await opened.fetch(f"http://radio.example:{port}/a.mp3")


async def test_a_projects_own_recordings_are_files(tmp_path: Path) -> None:
    (tmp_path / "project1").mkdir()
    (tmp_path / "project1" / "jingle_1.mp3").write_bytes(MP3)

    async with fetching(tmp_path) as opened:
        assert seconds(await opened.asset("project1", "jingle_1")) == pytest.approx(2, abs=0.06)
        for project, asset in (
            ("project1", "jingle_2"),
            ("project2", "jingle_1"),
            ("project1", "../project1/jingle_1"),
            ("..", "jingle_1"),
            ("project1", ""),
        ):
            with pytest.raises(RecordingNotFound, match="there is no audio asset"):
                await opened.asset(project, asset)


async def test_many_are_fetched_at_once() -> None:
    async with serving(sending(MP3)) as url, fetching() as opened:
        fetched = await asyncio.gather(*(opened.fetch(url) for _ in range(20)))

    assert {len(pcm) for pcm in fetched} == {len(fetched[0])}


async def test_a_fetch_can_be_given_up_at_any_time() -> None:
    async with serving(sending(MP3)) as url, fetching() as opened:
        for delay_s in (0, 0.001, 0.01, 0.02):
            fetch = asyncio.create_task(opened.fetch(url))
            await asyncio.sleep(delay_s)
            fetch.cancel()
            await asyncio.wait((fetch,))
        assert await opened.fetch(url)
