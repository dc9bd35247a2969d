"""Measure how long lists of live jobs take among a million: random pages, orders and filters.

Half of the jobs are of one room, the rest of many small ones. Each list tells how many jobs match
and shows up to 100 of them. From the repository's root:

    PYTHONPATH=src:. python benchmarks/live_jobs.py [--quick]
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import random
import resource
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from airslice.application.broadcast.jobs import LiveJobs
from airslice.application.ports.live import JobQuery, Page, Window
from airslice.domain.live_job import JobState, LiveJob
from airslice.domain.script import Paragraph, Program, Scene
from airslice.persistence.sqlite.database import SqliteDatabase
from airslice.persistence.sqlite.live_jobs import SqliteLiveJobStore
from airslice.persistence.sqlite.live_rooms import SqliteLiveRoomStore
from tests.support.values.live_values import CALLBACK, PROJECT, T0, a_job

PROMISE_MS = 20
BIG_ROOM = "big-room"
JOBS_PER_SMALL_ROOM = 10
BATCH = 2_000
STEP_MS = 60_000
PROGRAM = Program(scenes=(Scene(script_id="1", name="1", paragraphs=(Paragraph(number=1),)),))
WEIGHTS = {
    JobState.WAITING: 1,
    JobState.PROCESSING: 2,
    JobState.SUCCEED: 80,
    JobState.FAILED: 15,
    JobState.BLOCKED: 2,
}

List = Callable[[JobQuery], Awaitable[Page[LiveJob]]]
Filter = Callable[[random.Random], dict[str, Any]]


def jobs(count: int, dice: random.Random) -> Iterator[LiveJob]:
    """Make jobs in order of their creation, of which some change much later."""
    small_rooms = count // 2 // JOBS_PER_SMALL_ROOM
    plain = replace(a_job(program=PROGRAM), callback=CALLBACK)
    states = dice.choices(list(WEIGHTS), WEIGHTS.values(), k=count)
    for number, state in enumerate(states):
        room = dice.randrange(small_rooms)
        is_big = number % 2 == 0
        created_at_ms = T0 + number * STEP_MS
        yield replace(
            plain,
            job_id=f"{dice.getrandbits(128):032x}",
            room_id=BIG_ROOM if is_big else f"room-{room}",
            room_name="Big Room" if is_big else f"Room {room} 直播间",
            state=state,
            created_at_ms=created_at_ms,
            updated_at_ms=created_at_ms + dice.randrange(1_000 * STEP_MS),
        )


def filters(count: int) -> dict[str, Filter]:
    """Return what a list can be narrowed by, by a name for the table."""
    small_rooms = count // 2 // JOBS_PER_SMALL_ROOM

    def some_states(dice: random.Random) -> dict[str, Any]:
        return {"states": frozenset(dice.sample(list(JobState), dice.randint(1, 4)))}

    def a_range(dice: random.Random) -> dict[str, Any]:
        first, last = sorted(T0 + dice.randrange(count) * STEP_MS for _ in range(2))
        return {"since": first, "until": last}

    rooms: dict[str, Filter] = {
        "any room": lambda dice: {},
        "big room": lambda dice: {"room_id": BIG_ROOM},
        "small room": lambda dice: {"room_id": f"room-{dice.randrange(small_rooms)}"},
        "name of few rooms": lambda dice: {"room_name": f"room {dice.randrange(small_rooms)} 直"},
        "name of many rooms": lambda dice: {"room_name": str(dice.randrange(10))},
    }
    rest: dict[str, Filter] = {
        "": lambda dice: {},
        ", states": some_states,
        ", times": a_range,
        ", states, times": lambda dice: some_states(dice) | a_range(dice),
    }
    return {
        room + more: lambda dice, a=a, b=b: a(dice) | b(dice)
        for room, a in rooms.items()
        for more, b in rest.items()
    }


class Times(NamedTuple):
    """How long some lists took, in milliseconds, the shortest first."""

    wall: list[float]
    cpu: list[float]
    """Of the whole process: what the machine's other work cannot spoil."""


async def measure(lists: List, narrowed: Filter, rounds: int, dice: random.Random) -> Times:
    """Time some lists, each at any depth of what matched the one before."""
    wall, cpu = [], []
    count = 0
    for _ in range(rounds):
        what = narrowed(dice)
        window = Window(
            offset=dice.randrange(count + 1),
            limit=dice.choice((1, 10, 100)),
            created_since_ms=what.pop("since", None),
            created_until_ms=what.pop("until", None),
        )
        query = JobQuery(
            window=window,
            by_update=dice.random() < 0.5,
            descending=dice.random() < 0.5,
            **what,
        )
        started, started_cpu = time.perf_counter(), time.process_time()
        page = await lists(query)
        wall.append((time.perf_counter() - started) * 1_000)
        cpu.append((time.process_time() - started_cpu) * 1_000)
        count = page.count
    return Times(sorted(wall), sorted(cpu))


async def fill(store: SqliteLiveJobStore, count: int, dice: random.Random) -> None:
    """Save the jobs as the server does, many at a time."""
    waiting = []
    for job in jobs(count, dice):
        waiting.append(store.save_job(job))
        if len(waiting) == BATCH:
            await asyncio.gather(*waiting)
            waiting = []
    await asyncio.gather(*waiting)


async def measure_changes(store: SqliteLiveJobStore, count: int) -> Times:
    """Time changes of single jobs, the flush to disk included."""
    page = await store.jobs(PROJECT, JobQuery(window=Window(offset=count // 2, limit=100)))
    wall, cpu = [], []
    for job in page.items:
        changed = replace(job, updated_at_ms=job.updated_at_ms + 1)
        started, started_cpu = time.perf_counter(), time.process_time()
        await store.save_job(changed)
        wall.append((time.perf_counter() - started) * 1_000)
        cpu.append((time.process_time() - started_cpu) * 1_000)
    return Times(sorted(wall), sorted(cpu))


def at(share: float, spent_ms: list[float]) -> float:
    """Return what this share of sorted times does not exceed."""
    return spent_ms[int(len(spent_ms) * share)]


def row(name: str, *measured: Times) -> str:
    """Return a line of the table."""
    cells = [
        f"{at(0.5, times.wall):8.1f} {at(0.99, times.wall):8.1f} {at(0.99, times.cpu):8.1f}"
        for times in measured
    ]
    return f"{name:36}" + "   ".join(cells)


def resident_mib() -> float:
    """Return how much memory this process has."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


async def reopened(path: Path) -> tuple[SqliteDatabase, SqliteLiveJobStore]:
    """Open the jobs as a server does, and print what that takes."""
    database = await SqliteDatabase.open(path, bytes(32))
    before_mib = resident_mib()
    started = time.perf_counter()
    store = await SqliteLiveJobStore.open(database)
    opened_s = time.perf_counter() - started
    gc.freeze()  # as the server does once it has started
    grown_mib = resident_mib() - before_mib
    size_mib = path.stat().st_size / 2**20
    print(f"{size_mib:,.0f} MiB on disk; opened in {opened_s:.1f} s, {grown_mib:.0f} MiB grown")
    return database, store


async def tabulate(
    store: SqliteLiveJobStore, use_case: LiveJobs, count: int, rounds: int, dice: random.Random
) -> None:
    """Print the table."""
    heading = f"{'p50':>8} {'p99':>8} {'CPU p99':>8}"
    print(f"{'milliseconds, by store and use case':36}{heading}   {heading}")
    everything = (Times([], []), Times([], []))
    worst_ms = 0.0
    for name, narrowed in filters(count).items():
        measured = (
            await measure(partial(store.jobs, PROJECT), narrowed, rounds, dice),
            await measure(partial(use_case.list, PROJECT), narrowed, rounds, dice),
        )
        print(row(name, *measured), flush=True)
        worst_ms = max(worst_ms, *(at(0.99, times.wall) for times in measured))
        for sums, times in zip(everything, measured, strict=True):
            sums.wall.extend(times.wall)
            sums.cpu.extend(times.cpu)
    print(row("all of these", *(Times(sorted(t.wall), sorted(t.cpu)) for t in everything)))
    print(row("change of one job", await measure_changes(store, count)))
    verdict = "kept" if worst_ms < PROMISE_MS else "BROKEN"
    print(f"p99 under {PROMISE_MS} ms in each line: {verdict} ({worst_ms:.1f} ms)")


async def main(count: int, rounds: int) -> None:
    """Fill a database and measure."""
    dice = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "airslice.db"
        database = await SqliteDatabase.open(path, bytes(32))
        started = time.perf_counter()
        await fill(await SqliteLiveJobStore.open(database), count, dice)
        print(f"{count:,} jobs saved in {time.perf_counter() - started:.0f} s")
        await database.close()

        database, store = await reopened(path)
        rooms = SqliteLiveRoomStore(database)
        use_case = LiveJobs(
            apps={},
            jobs=store,
            rooms=rooms,
            orders=None,
            tools=None,
            max_jobs=0,
        )
        await tabulate(store, use_case, count, rounds, dice)
        await database.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the jobs and lists")
    quick = parser.parse_args().quick
    asyncio.run(main(100_000 if quick else 1_000_000, 60 if quick else 400))
