"""Speakers that die, hang, lie and are many."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
import wave
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from airslice.application.ports.live import SpeechFailed
from airslice.presenter.speaker_pool import MAX_WAITING, TRIES, SpeakerPool
from tests.support.waiting import PATIENCE_S

ECHO = """
from airslice.presenter.speaker import serve, wav_of

def speak(request):
    return wav_of(request["text"].encode("utf-16"), 8_000)

serve(lambda: speak)
"""
"""A speaker whose samples are the text itself."""

Make = Callable[..., SpeakerPool]


@pytest.fixture
async def pool_of(tmp_path: Path) -> AsyncIterator[Make]:
    """Return a maker of pools that run a script."""
    async with contextlib.AsyncExitStack() as stack:

        def make(
            script: str, processes: int = 1, pauses_s: list[float] | None = None
        ) -> SpeakerPool:
            async def sleep(duration_s: float) -> None:
                if pauses_s is not None:
                    pauses_s.append(duration_s)

            path = tmp_path / "speaker.py"
            path.write_text(textwrap.dedent(script))
            pool = SpeakerPool([str(path)], processes=processes, sleep=sleep)
            pool.start()
            stack.push_async_callback(pool.close)
            return pool

        yield make


async def said(pool: SpeakerPool, text: str, *, timeout_s: float = PATIENCE_S) -> str:
    """Return what an echoing speaker says."""
    request = json.dumps({"text": text}).encode()
    wav = await pool.ask(request, timeout_s=timeout_s)
    with wave.open(io.BytesIO(wav)) as reader:
        return bytes(reader.readframes(reader.getnframes())).decode("utf-16")


def pid_of(pool: SpeakerPool) -> int:
    pid = pool.speakers[0].pid
    assert pid is not None
    return pid


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_each_request_gets_its_own_answer(pool_of: Make) -> None:
    pool = pool_of(ECHO, processes=2)
    texts = [f"{number:04}" for number in range(100)]

    assert await asyncio.gather(*(said(pool, text) for text in texts)) == texts


async def test_one_that_is_killed_in_mid_utterance_is_replaced(pool_of: Make) -> None:
    pool = pool_of(ECHO)
    await said(pool, "up")
    first = pid_of(pool)
    os.kill(first, signal.SIGSTOP)
    waiting = asyncio.create_task(said(pool, "again"))
    await asyncio.sleep(0)

    os.kill(first, signal.SIGKILL)

    assert await waiting == "again"
    assert pid_of(pool) != first
    assert not is_running(first)


async def test_one_that_is_killed_while_idle_is_replaced(pool_of: Make) -> None:
    pool = pool_of(ECHO)
    for is_noticed in (False, True):
        assert await said(pool, "up") == "up"
        pid = pid_of(pool)
        os.kill(pid, signal.SIGKILL)
        async with asyncio.timeout(PATIENCE_S):
            while is_noticed and is_running(pid):
                await asyncio.sleep(0.01)

    assert await said(pool, "done") == "done"


async def test_one_that_hangs_is_killed_at_the_deadline(pool_of: Make) -> None:
    pool = pool_of(ECHO)
    await said(pool, "up")
    first = pid_of(pool)
    os.kill(first, signal.SIGSTOP)

    async with asyncio.timeout(PATIENCE_S):
        assert await said(pool, "again", timeout_s=10) == "again"

    assert not is_running(first)


DIES_OF_POISON = """
import os
from airslice.presenter.speaker import serve, wav_of

def speak(request):
    if request["text"] == "poison":
        os.abort()
    return wav_of(request["text"].encode("utf-16"), 8_000)

serve(lambda: speak)
"""


async def test_a_request_that_kills_fails_and_the_next_is_answered(pool_of: Make) -> None:
    pool = pool_of(DIES_OF_POISON)

    with pytest.raises(SpeechFailed, match="speech engine failed: it ended"):
        await said(pool, "poison")

    assert await said(pool, "food") == "food"


async def test_restarts_of_what_always_dies_are_bounded(pool_of: Make) -> None:
    pauses_s: list[float] = []
    pool = pool_of("raise SystemExit", pauses_s=pauses_s)

    for _ in range(4):
        with pytest.raises(SpeechFailed, match="it ended"):
            await said(pool, "text")

    assert TRIES == 2
    assert pauses_s == [0.25, 0.5, 1, 2, 4, 5]  # eight starts, the second without a pause


async def test_an_answer_ends_the_pauses(pool_of: Make) -> None:
    pauses_s: list[float] = []
    pool = pool_of(DIES_OF_POISON, pauses_s=pauses_s)

    for _ in range(3):
        with pytest.raises(SpeechFailed):
            await said(pool, "poison")
        assert await said(pool, "food") == "food"

    assert pauses_s == [0.25] * 3


NONSENSE = {
    "prints what is no answer": ("answers nonsense", "print('Hello, world, how do you do?')"),
    "answers READY twice": (
        "answers nonsense",
        """
        import sys
        sys.stdout.buffer.write(bytes([1, 0, 0, 0, 0]) * 2)
        sys.stdout.flush()
        sys.stdin.read()
        """,
    ),
    "claims four gigabytes": (
        "answers more than it may",
        """
        import sys
        sys.stdout.buffer.write(bytes([1, 0, 0, 0, 0, 2, 255, 255, 255, 255]))
        sys.stdout.flush()
        sys.stdin.read()
        """,
    ),
    "says what is no WAV file": (
        "answers nonsense",
        """
        import sys
        sys.stdout.buffer.write(bytes([1, 0, 0, 0, 0, 2, 0, 0, 0, 4]) + b"MP3!")
        sys.stdout.flush()
        sys.stdin.read()
        """,
    ),
    "begins with speech": (
        "does not begin as it should",
        """
        import sys
        sys.stdout.buffer.write(bytes([2, 0, 0, 0, 4]) + b"RIFF")
        """,
    ),
    "stops in the middle": (
        "ended",
        """
        import sys
        sys.stdout.buffer.write(bytes([1, 0, 0, 0, 0, 2, 0, 0, 1, 0]) + b"RIFF")
        """,
    ),
}


@pytest.mark.parametrize(("problem", "script"), NONSENSE.values(), ids=NONSENSE.keys())
async def test_nonsense_is_no_answer(pool_of: Make, problem: str, script: str) -> None:
    pool = pool_of(script)

    with pytest.raises(SpeechFailed, match=f"speech engine failed: it {problem}"):
        await said(pool, "text")

    assert pool.speakers[0].pid is None


async def test_what_a_library_prints_does_not_disturb(pool_of: Make) -> None:
    pool = pool_of("""
        import os
        from airslice.presenter.speaker import serve, wav_of

        def speak(request):
            print("careful!", flush=True)
            os.write(1, b"loading ...")
            return wav_of(request["text"].encode("utf-16"), 8_000)

        serve(lambda: speak)
        """)

    assert await said(pool, "quiet") == "quiet"


async def test_a_reason_is_told_and_nobody_is_killed_for_it(pool_of: Make) -> None:
    pool = pool_of("""
        from airslice.presenter.speaker import serve

        def speak(request):
            raise ValueError("no such voice: " + request["text"])

        serve(lambda: speak)
        """)

    pids = set()
    for _ in range(3):
        with pytest.raises(SpeechFailed, match=r"^no such voice: klingon$"):
            await said(pool, "klingon")
        pids.add(pid_of(pool))

    assert len(pids) == 1


async def test_an_engine_that_cannot_be_loaded_says_why(pool_of: Make) -> None:
    pool = pool_of("""
        from airslice.presenter.speaker import serve

        def load():
            raise OSError("it is not installed")

        serve(load)
        """)

    with pytest.raises(SpeechFailed, match=r"^it is not installed$"):
        await said(pool, "text")


async def test_no_secret_of_the_server_reaches_a_speaker(
    pool_of: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRSLICE_SERVER__MASTER_KEY", "hush")
    pool = pool_of("""
        import os
        from airslice.presenter.speaker import serve, wav_of
        serve(lambda: lambda request: wav_of(" ".join(os.environ).encode("utf-16"), 8_000))
        """)

    names = await said(pool, "text")

    assert "PYTHONPATH" in names
    assert "AIRSLICE" not in names


COUNTS = """
from itertools import count
from airslice.presenter.speaker import serve, wav_of

numbers = count(1)
serve(lambda: lambda request: wav_of(f"{next(numbers)} {request['text']}".encode("utf-16"), 8_000))
"""


async def test_who_gives_up_is_passed_over_and_nobody_gets_his_answer(pool_of: Make) -> None:
    pool = pool_of(COUNTS)
    await said(pool, "up")
    os.kill(pid_of(pool), signal.SIGSTOP)
    under_way = asyncio.create_task(said(pool, "one"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    waiting = asyncio.create_task(said(pool, "two"))
    other = asyncio.create_task(said(pool, "three"))
    await asyncio.sleep(0)

    under_way.cancel()
    waiting.cancel()
    os.kill(pid_of(pool), signal.SIGCONT)

    assert await other == "3 three"


async def test_only_so_many_may_wait(pool_of: Make) -> None:
    pool = pool_of(ECHO)
    await said(pool, "up")
    os.kill(pid_of(pool), signal.SIGSTOP)
    under_way = asyncio.create_task(said(pool, "text"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    waiting = [asyncio.create_task(said(pool, "text")) for _ in range(MAX_WAITING)]
    await asyncio.sleep(0)

    with pytest.raises(SpeechFailed, match="too much to do"):
        await said(pool, "text")

    await pool.close()
    for task in (under_way, *waiting):
        with pytest.raises(SpeechFailed, match="is closed"):
            await task


async def test_closing_leaves_no_process(pool_of: Make) -> None:
    pool = pool_of(ECHO, processes=2)
    await asyncio.gather(*(said(pool, "text") for _ in range(10)))
    pids = [speaker.pid for speaker in pool.speakers]

    await pool.close()

    assert None not in pids
    assert not any(is_running(pid) for pid in pids if pid)
    with pytest.raises(SpeechFailed, match="is closed"):
        await said(pool, "text")


def test_a_speaker_ends_with_the_server_that_was_killed(tmp_path: Path) -> None:
    (tmp_path / "speaker.py").write_text(ECHO)
    server = tmp_path / "server.py"
    server.write_text(
        textwrap.dedent(f"""
        import asyncio
        from airslice.presenter.speaker_pool import SpeakerPool

        async def main():
            pool = SpeakerPool([{str(tmp_path / "speaker.py")!r}])
            pool.start()
            await pool.ask(b'{{"text": "up"}}', timeout_s={PATIENCE_S})
            print(pool.speakers[0].pid, flush=True)
            await asyncio.sleep(60)

        asyncio.run(main())
        """)
    )
    with subprocess.Popen(
        [sys.executable, str(server)],
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:
        assert process.stdout is not None
        speaker = int(process.stdout.readline())
        assert is_running(speaker)

        process.kill()

    deadline = time.monotonic() + PATIENCE_S
    while is_running(speaker) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not is_running(speaker)
