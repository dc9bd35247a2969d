"""The server's wall clock is stepped by an hour, forwards and back, under load.

libfaketime steps it for the process alone. The kernel's time stamps on packets are not stepped with
it, as they would be on a machine: packets are then of the time at which they are read.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from tests.support.audio.held_audio import by_user
from tests.support.clients.load import (
    TASKS,
    begin,
    check_numbers,
    connect,
    kept_of,
    present_in,
    stop_tasks,
)
from tests.support.clients.speakers import speaking
from tests.support.server.callback_sink import Announced, CallbackSink
from tests.support.server.mortal_server import MortalServer

STEP_S = 3_600
SPOKEN_S = 3.7
"""Before the first step, between the two, and after the second."""
MAX_LABEL_ERROR_MS = 100
HEEDED_WITHIN_S = 1
"""libfaketime looks this often whether the clock is stepped."""
MAX_DELAY_MS = 1_000 * HEEDED_WITHIN_S + 1_000
"""Between the order to step and the labels that follow it."""


@pytest.fixture
def steps(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """A file that says by how much the clock is off, and the environment that heeds it."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not found:
        pytest.skip("libfaketime is not installed: apt-get install faketime")
    file = tmp_path / "step"
    file.write_text("+0\n")
    return file, {
        "LD_PRELOAD": str(found[0]),
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_CACHE_DURATION": str(HEEDED_WITHIN_S),
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


async def test_a_stepped_clock_cuts_nothing_and_labels_what_follows(
    make_server: Callable[..., MortalServer],
    sink: CallbackSink,
    http: httpx.AsyncClient,
    steps: tuple[Path, dict[str, str]],
) -> None:
    file, environment = steps
    server = make_server()
    server.launch(environment=environment)
    tasks, speakers = await begin(server, sink, http)
    stepped_ms = []
    with speaking(speakers):
        await connect(speakers, server, http)
        await asyncio.sleep(SPOKEN_S)
        for step in (f"+{STEP_S}\n", "+0\n"):
            file.write_text(step)
            stepped_ms.append(time.time() * 1000)
            await asyncio.sleep(SPOKEN_S)
    await asyncio.sleep(0.5)
    await stop_tasks(tasks, server)
    await asyncio.to_thread(server.close)

    check_numbers(tasks)
    durations = {name: duration_s * 1000 for name, duration_s, _ in TASKS}
    worst_ms = 0.0
    labelled = [0, 0]
    for task in tasks:
        slices = by_user(task.slices())
        for own in slices.values():
            cut = [a.duration_ms for a in own[:-1]]
            assert cut == [durations[task.key["TaskId"]]] * len(cut), "a step has cut a slice"
        for speaker in present_in(task, speakers):
            true = [unstepped(a, stepped_ms) for a in slices[speaker.user]]
            (kept,) = kept_of(task, speaker, true)
            assert kept.sent_ms == kept.kept_ms
            worst_ms = max([worst_ms, *(abs(part.label_error_ms) for part in kept.parts)])
            for a, b in zip(slices[speaker.user], true, strict=True):
                labelled[a.start_ms != b.start_ms] += 1
    print(
        f"a clock stepped by {STEP_S} s and back under {len(speakers)} streams in {len(tasks)}"
        f" tasks: no slice cut, no sample lost; labels, {labelled[1]} of {sum(labelled)} by the"
        f" stepped clock, within {worst_ms:.0f} ms of their clock"
    )
    assert labelled[1] >= len(speakers)
    assert worst_ms <= MAX_LABEL_ERROR_MS


def unstepped(announced: Announced, stepped_ms: Sequence[float]) -> Announced:
    """Return a slice with labels as of a clock that was never stepped.

    Which clock labelled it must be the one of its time, or of a second before or after.
    """
    forwards_ms, back_ms = stepped_ms
    is_stepped = announced.start_ms > back_ms + STEP_S * 500
    off_ms = STEP_S * 1000 if is_stepped else 0
    start_ms = announced.start_ms - off_ms
    if is_stepped:
        assert forwards_ms - MAX_DELAY_MS < start_ms < back_ms + MAX_DELAY_MS
    else:
        assert start_ms < forwards_ms + MAX_DELAY_MS or start_ms > back_ms - MAX_DELAY_MS
    return replace(announced, start_ms=start_ms, end_ms=announced.end_ms - off_ms)
