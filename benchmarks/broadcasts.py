"""Measure what live jobs cost while they are on air: speech made, encoded, published and sliced.

A server of its own with N jobs, each in a room of its own that reads Chinese and English aloud with
espeak-ng, over and over; then the same with a slice task in every room. The CPU time is that of the
server and of its speakers. From the repository's root:

    PYTHONPATH=. python benchmarks/broadcasts.py --quick
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import uvloop

from airslice.demo.client import LiveClient
from benchmarks.support import process
from benchmarks.support.servers import AirsliceServer

PROMISE_PERCENT = 60
"""Of all cores, with 20 jobs."""

SLICE_S = 20
JOBS_PER_S = 3
"""The API takes 4 starts a second (StartSmartLive's documented limit)."""

TEXTS = (
    "欢迎来到直播间。今天我们为大家准备了三款新品。先从这款保温杯说起。",
    "Welcome to the room. We have three new things for you today, and we start with a bottle.",
    "它的容量是五百毫升。保温十二个小时。喜欢的朋友可以点一点关注。",
    "It holds half a litre and keeps it warm for twelve hours. Follow us if you like what you see.",
)


async def measure(jobs: int, seconds: int, directory: Path, *, sliced: bool) -> float:
    """Return the share of all cores that `jobs` take, in per cent; print a line."""
    async with AirsliceServer(directory, "wav", SLICE_S) as server:
        rooms = [await _start_job(server, number) for number in range(jobs)]
        if sliced:
            for room_id in rooms:
                await server.order_slices(room_id)
        await asyncio.sleep(5)  # what is made ahead is made
        pid = server.process.pid
        begun_s, used_s = time.monotonic(), process.family_cpu_s(pid)
        await asyncio.sleep(seconds)
        used_s = process.family_cpu_s(pid) - used_s
        elapsed_s = time.monotonic() - begun_s
        on_air = await server.reading("airslice_streams")
        memory_mb = process.rss_bytes(pid) / 1e6
    percent = 100 * used_s / elapsed_s / (os.cpu_count() or 1)
    print(
        f"{jobs:4d} jobs, {on_air:3d} on air, {'sliced' if sliced else 'not sliced':10}"
        f"  {percent:5.1f} % of all cores  {1000 * used_s / elapsed_s / jobs:5.1f} ms a second each"
        f"  {memory_mb:.0f} MB",
        flush=True,
    )
    if on_air != jobs:
        raise RuntimeError(f"{jobs - on_air} jobs are not on air")
    return percent


async def _start_job(server: AirsliceServer, number: int) -> str:
    """Start a job that never ends; return its RTC room."""
    live = server.live_client()
    paragraphs: list[dict[str, Any]] = [
        {"sequence_no": place, "text_config": {"text": text}} for place, text in enumerate(TEXTS)
    ]
    scene = {"script_name": "goods", "shoot_scripts": paragraphs[number % 4 :] + paragraphs}
    room = await _paced(
        live,
        "smart-live-rooms",
        {
            "room_name": f"shop {number}",
            "scene_scripts": [scene],
            "play_policy": {"repeat_count": -1},
        },
    )
    job = await _paced(live, f"smart-live-rooms/{room['room_id']}/smart-live-jobs", {})
    return str(job["rtc_room_info"]["room_id"])


async def _paced(live: LiveClient, path: str, body: dict[str, Any]) -> Any:
    await asyncio.sleep(1 / JOBS_PER_S)
    return await live.call("POST", path, body)


async def run(options: argparse.Namespace) -> None:
    """Measure without and with slice tasks."""
    print(f"cores {os.cpu_count()}, load average {os.getloadavg()[0]:.2f}", flush=True)
    for sliced in (False, True):
        with tempfile.TemporaryDirectory() as directory:
            percent = await measure(options.jobs, options.seconds, Path(directory), sliced=sliced)
        if options.jobs == 20:
            kept = "yes" if percent < PROMISE_PERCENT else "NO"
            print(f"     under {PROMISE_PERCENT} % with 20 jobs: {kept}", flush=True)


def main() -> None:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--jobs", type=int, default=20)
    parser.add_argument("--seconds", type=int, default=40, help="of each measurement")
    parser.add_argument("--quick", action="store_true", help="15 seconds each")
    options, _ = parser.parse_known_args()
    if options.quick:
        options.seconds = 15
    uvloop.run(run(options))


if __name__ == "__main__":
    main()
