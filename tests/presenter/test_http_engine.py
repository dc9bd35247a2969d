"""HttpEngine against real servers on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from airslice.application.ports.live import SpeechFailed
from airslice.encoding.audio_decoder import decode_audio
from airslice.presenter import http_engine
from airslice.presenter.http_engine import MAX_CALLS, PAUSES_S, HttpEngine, SpeechServer
from tests.support.audio.audio_files import audio_file, tone
from tests.support.audio.voice_measures import fundamental_hz, rms, said, seconds
from tests.support.waiting import PATIENCE_S

WAV = audio_file("wav", tone(1.0))
KEY = "hunter2"

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def engine_at(
    answer: Answer,
    *,
    pauses_s: list[float] | None = None,
    base_timeout_s: float = PATIENCE_S,
    **server: Any,
) -> AsyncIterator[HttpEngine]:
    """Run a server and give an engine that asks it."""

    async def sleep(duration_s: float) -> None:
        if pauses_s is not None:
            pauses_s.append(duration_s)

    app = web.Application()
    app.router.add_post("/speech", answer)
    async with TestServer(app) as running:
        engine = HttpEngine(
            SpeechServer(url=str(running.make_url("/speech")), **server),
            decode_audio,
            sleep=sleep,
            base_timeout_s=base_timeout_s,
        )
        try:
            yield engine
        finally:
            await engine.close()


async def wav(request: web.Request) -> web.Response:
    return web.Response(body=WAV, content_type="audio/wav")


def statuses(*codes: int) -> Answer:
    """Answer with one status after the other, then with audio."""
    left = list(codes)

    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=left.pop(0)) if left else await wav(request)

    return answer


async def test_the_server_is_told_text_and_voice() -> None:
    asked: list[tuple[str | None, Any]] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append((request.headers.get("Authorization"), await request.json()))
        return await wav(request)

    async with engine_at(answer, key=KEY, voices={"v1": "小燕"}) as engine:
        pcm = await engine.speak(said("你好", "v1", speed=150, pitch=90, volume=200))
        await engine.speak(said("1234", "v2", say_as="digits"))

    assert asked == [
        (
            f"Bearer {KEY}",
            {"text": "你好", "voice": "小燕", "speed": 150, "pitch": 90, "volume": 200},
        ),
        (
            f"Bearer {KEY}",
            {"text": "1 2 3 4", "voice": "v2", "speed": 100, "pitch": 100, "volume": 140},
        ),
    ]
    assert seconds(pcm) == pytest.approx(1, abs=0.01)
    assert fundamental_hz(pcm) == pytest.approx(440, rel=0.03)


async def test_without_a_key_none_is_sent() -> None:
    async def answer(request: web.Request) -> web.Response:
        assert "Authorization" not in request.headers
        return await wav(request)

    async with engine_at(answer) as engine:
        assert await engine.speak(said("hello"))


async def test_openais_shape_is_spoken_and_volume_made_up_for() -> None:
    asked: list[Any] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(await request.json())
        return await wav(request)

    async with engine_at(answer, api="openai", model="tts-1", default_voice="alloy") as engine:
        usual = await engine.speak(said("hello", "v1"))
        louder = await engine.speak(said("hello", "v1", speed=50, volume=210))

    assert asked[1] == {
        "model": "tts-1",
        "input": "hello",
        "voice": "alloy",
        "speed": 0.5,
        "response_format": "wav",
    }
    assert rms(louder) / rms(usual) == pytest.approx(1.5, rel=0.01)


@pytest.mark.parametrize(
    ("container", "content_type"),
    [
        ("wav", "audio/x-wav"),
        ("mp3", "audio/mpeg"),
        ("ogg", "audio/ogg; codecs=opus"),
        ("flac", "audio/flac"),
    ],
)
async def test_formats_are_told_by_the_content_type(container: str, content_type: str) -> None:
    rate_hz = 48_000 if container == "ogg" else 44_100
    file = audio_file(container, tone(1.0, rate_hz=rate_hz), rate_hz=rate_hz)

    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=file, headers={"Content-Type": content_type})

    async with engine_at(answer) as engine:
        pcm = await engine.speak(said("hello"))

    assert seconds(pcm) == pytest.approx(1, abs=0.06)
    assert fundamental_hz(pcm) == pytest.approx(440, rel=0.03)


@pytest.mark.parametrize("faults", [(500,), (503, 429)])
async def test_faults_that_may_pass_are_waited_out(faults: tuple[int, ...]) -> None:
    pauses_s: list[float] = []
    async with engine_at(statuses(*faults), pauses_s=pauses_s) as engine:
        assert await engine.speak(said("hello"))

    assert pauses_s == list(PAUSES_S[: len(faults)])


async def test_a_server_that_stays_broken_is_given_up() -> None:
    async with engine_at(statuses(500, 502, 503)) as engine:
        with pytest.raises(SpeechFailed, match="speech server failed: HTTP 503"):
            await engine.speak(said("hello"))


@pytest.mark.parametrize("status", [302, 400, 401, 404])
async def test_a_refusal_is_final(status: int) -> None:
    pauses_s: list[float] = []
    async with engine_at(statuses(status), pauses_s=pauses_s) as engine:
        with pytest.raises(SpeechFailed, match=f"refused: HTTP {status}"):
            await engine.speak(said("hello"))

    assert pauses_s == []


async def test_a_server_that_hangs_is_given_up() -> None:
    never = asyncio.Event()

    async def answer(request: web.Request) -> web.Response:
        await never.wait()
        return web.Response()

    async with engine_at(answer, base_timeout_s=0.05) as engine:
        with pytest.raises(SpeechFailed, match="speech server failed: TimeoutError"):
            await engine.speak(said("hello"))
        never.set()


async def test_a_server_that_breaks_off_is_asked_again() -> None:
    calls = 0

    async def answer(request: web.Request) -> web.StreamResponse:
        nonlocal calls
        calls += 1
        if calls > 1:
            return await wav(request)
        response = web.StreamResponse(headers={"Content-Type": "audio/wav"})
        response.content_length = len(WAV)
        await response.prepare(request)
        await response.write(WAV[:1_000])
        assert request.transport is not None
        request.transport.close()
        return response

    async with engine_at(answer) as engine:
        assert seconds(await engine.speak(said("hello"))) == pytest.approx(1, abs=0.01)


async def test_no_server_at_all_is_told() -> None:
    async with engine_at(wav) as engine:
        pass
    engine = HttpEngine(
        SpeechServer(url="http://127.0.0.1:1/", key=KEY), decode_audio, sleep=_no_sleep
    )
    with pytest.raises(SpeechFailed, match="ClientConnectorError") as caught:
        await engine.speak(said("hello"))
    await engine.close()

    assert KEY not in str(caught.value) + repr(SpeechServer(url="http://a/", key=KEY))


async def _no_sleep(duration_s: float) -> None:
    pass


@pytest.mark.parametrize(
    ("body", "content_type", "problem"),
    [
        (b"{}", "application/json", "sent application/json, not audio"),
        (b"<html>" * 100, "audio/wav", "no intact WAV recording"),
        (b"", "audio/wav", "no sound in the WAV recording"),
    ],
)
async def test_what_is_no_audio_fails(body: bytes, content_type: str, problem: str) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=body, content_type=content_type)

    async with engine_at(answer) as engine:
        with pytest.raises(SpeechFailed, match=problem):
            await engine.speak(said("hello"))


async def test_audio_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_engine, "MAX_AUDIO_BYTES", len(WAV) - 1)
    async with engine_at(wav) as engine:
        with pytest.raises(SpeechFailed, match="sent too much"):
            await engine.speak(said("hello"))


async def test_only_so_many_calls_are_under_way() -> None:
    under_way, most = 0, 0
    full = asyncio.Event()

    async def answer(request: web.Request) -> web.Response:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        if under_way == MAX_CALLS:
            full.set()
        await full.wait()
        await asyncio.sleep(0.1)  # others would arrive in this time
        under_way -= 1
        return await wav(request)

    async with engine_at(answer) as engine:
        await asyncio.gather(*(engine.speak(said("hello")) for _ in range(2 * MAX_CALLS)))

    assert most == MAX_CALLS


async def test_nothing_is_asked_for_an_empty_text() -> None:
    async with engine_at(statuses(400)) as engine:
        assert await engine.speak(said(" \n")) == b""
