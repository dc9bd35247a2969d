"""Measure how many streams one core slices, and what users wait for: the figures of the README.

Publishers over loopback (ICE, DTLS-SRTP, Opus speech at 32 kbit/s) against the whole server with
callbacks, and in the same run against what one writes with aiortc. Run from the repository's root:

    PYTHONPATH=. python benchmarks/capacity.py --quick
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec
import uvloop

from benchmarks.support import process
from benchmarks.support.load import Orders, Report
from benchmarks.support.servers import AiortcServer, AirsliceServer, SpawnedServer

SLICE_S = 20
WARM_UP_S = 5
"""Between the last join and the measurement."""

DELIVERY_S = 30
"""How long callbacks are awaited at most once the load has ended."""

NO_JOURNAL = "-nojournal"
"""Suffix of a format: slices as such, but what is received is not kept on the disk first."""

PEER = "aiortc"
PEER_PUBLISHERS = 50
"""With more, aiortc needs over half a core; with 150 it collapses."""

LATE_MS = 20
"""A load whose packets are this late (99th percentile) is itself the limit."""


class Result(msgspec.Struct, frozen=True):
    """What one run has shown."""

    server: str
    publishers: int
    cpu_ms: float
    """Server's CPU time, user and system, per second of one stream."""
    rss_mb: float
    """Growth of the server's resident memory per stream."""
    threads: int
    sent_packets: int
    lost_frames: int
    slices: int
    """That ended in the run and were announced, with their exact length."""
    missing_slices: int
    delay_p50_ms: float | None
    """From sending the last packet of a slice to its callback: stored, recorded and announced."""
    delay_p99_ms: float | None
    load_cpu: float
    """Cores that the publishers used."""
    load_late_p99_ms: float
    load_late_max_ms: float

    @property
    def streams_per_core(self) -> int:
        """How many streams would fill one core."""
        return round(1000 / self.cpu_ms)

    @property
    def is_limited_by_load(self) -> bool:
        """Whether the publishers could not keep pace."""
        return self.load_late_p99_ms > LATE_MS


@dataclass(frozen=True, kw_only=True)
class _Usage:
    cpu_ms: float
    rss_mb: float
    threads: int
    load_cpu: float


async def measure(server_name: str, publishers: int, seconds: int, directory: Path) -> Result:
    """Run one server under one load."""
    server: SpawnedServer
    if server_name == PEER:
        server = AiortcServer(directory, SLICE_S)
    else:
        slice_format, unkept, _ = server_name.partition(NO_JOURNAL)
        server = AirsliceServer(directory, slice_format, SLICE_S, journal=not unkept)
    async with server:
        arrivals: dict[tuple[str, int], int] = {}
        collecting = asyncio.create_task(_collect(server, arrivals))
        places = await server.prepare(publishers)
        idle_bytes = process.rss_bytes(server.process.pid)
        load = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "benchmarks.support.load"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            limit=1 << 24,
        )
        assert load.stdin is not None
        assert load.stdout is not None
        load.stdin.write(msgspec.json.encode(Orders(places, SLICE_S)))
        load.stdin.close()
        if await load.stdout.readline() != b"joined\n":
            raise RuntimeError("the publishers could not join")
        await asyncio.sleep(WARM_UP_S)
        usage = await _watch(server.process.pid, load.pid, publishers, seconds, idle_bytes)
        load.terminate()
        report = msgspec.json.decode(await load.stdout.read(), type=Report)
        await load.wait()
        lost = await server.lost_frames(report.sent_packets, publishers)
        if server_name != PEER:
            await _until_announced(sum(map(len, report.slice_ends_ns)), arrivals)
        collecting.cancel()
    return _result(server_name, usage, report, arrivals, lost)


async def _collect(server: SpawnedServer, arrivals: dict[tuple[str, int], int]) -> None:
    """Note when the callback of each full slice comes, by user and index; wall clock."""
    if not isinstance(server, AirsliceServer):
        return
    while True:
        data = await server.callbacks.slices.get()
        if data["Duration"] == SLICE_S * 1000:
            arrivals[data["Stream"]["UserId"], data["Index"]] = time.time_ns()


async def _until_announced(slices: int, arrivals: dict[tuple[str, int], int]) -> None:
    deadline = time.monotonic() + DELIVERY_S
    while len(arrivals) < slices and time.monotonic() < deadline:
        await asyncio.sleep(0.1)


async def _watch(
    server_pid: int, load_pid: int, publishers: int, seconds: int, idle_bytes: int
) -> _Usage:
    begun_s = time.monotonic()
    server_s, load_s = process.cpu_s(server_pid), process.cpu_s(load_pid)
    await asyncio.sleep(seconds)
    server_s = process.cpu_s(server_pid) - server_s
    load_s = process.cpu_s(load_pid) - load_s
    elapsed_s = time.monotonic() - begun_s
    return _Usage(
        cpu_ms=server_s * 1000 / elapsed_s / publishers,
        rss_mb=(process.rss_bytes(server_pid) - idle_bytes) / publishers / 1e6,
        threads=process.threads(server_pid),
        load_cpu=load_s / elapsed_s,
    )


def _result(
    server_name: str,
    usage: _Usage,
    report: Report,
    arrivals: dict[tuple[str, int], int],
    lost_frames: int,
) -> Result:
    delays_ms = []
    missing = 0
    if server_name != PEER:
        for number, ends_ns in enumerate(report.slice_ends_ns):
            for index, end_ns in enumerate(ends_ns):
                arrival_ns = arrivals.get((f"user{number}", index))
                if arrival_ns is None:
                    missing += 1
                else:
                    delays_ms.append((arrival_ns - end_ns) / 1e6)
    delays_ms.sort()
    return Result(
        server=server_name,
        publishers=len(report.slice_ends_ns),
        cpu_ms=usage.cpu_ms,
        rss_mb=usage.rss_mb,
        threads=usage.threads,
        sent_packets=report.sent_packets,
        lost_frames=lost_frames,
        slices=len(delays_ms),
        missing_slices=missing,
        delay_p50_ms=delays_ms[len(delays_ms) // 2] if delays_ms else None,
        delay_p99_ms=delays_ms[len(delays_ms) * 99 // 100] if delays_ms else None,
        load_cpu=usage.load_cpu,
        load_late_p99_ms=report.late_p99_ms,
        load_late_max_ms=report.late_max_ms,
    )


def _machine() -> dict[str, str | int | float]:
    model = next(
        line.partition(": ")[2]
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    )
    return {
        "cpu": model,
        "cores": os.cpu_count() or 0,
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load_average": os.getloadavg()[0],
    }


HEADER = (
    "server         streams  CPU ms/stream-s  streams/core  MB/stream  slices  late p50/p99 ms"
    "  lost      publishers"
)


def _line(result: Result) -> str:
    delay = "-"
    if result.delay_p50_ms is not None and result.delay_p99_ms is not None:
        delay = f"{result.delay_p50_ms:.0f} / {result.delay_p99_ms:.0f}"
    slices = str(result.slices)
    if result.missing_slices:
        slices += f"-{result.missing_slices}"
    lost = f"{100 * result.lost_frames / result.sent_packets:.2f} %" if result.lost_frames else "0"
    return (
        f"{result.server:14} {result.publishers:7d} {result.cpu_ms:16.2f}"
        f" {result.streams_per_core:13,d} {result.rss_mb:10.2f} {slices:>7} {delay:>16}"
        f"  {lost:8}  {result.load_cpu:.2f} cores, {result.load_late_p99_ms:.1f} ms late"
        f"{'  THE LOAD COULD NOT KEEP PACE' if result.is_limited_by_load else ''}"
    )


async def run(options: argparse.Namespace) -> None:
    """Measure everything that was asked for; print lines as they come."""
    machine = _machine()
    print(", ".join(f"{name} {value}" for name, value in machine.items()))
    print(HEADER, flush=True)
    results = []
    for publishers in options.publishers:
        servers = [*options.formats, *([PEER] if publishers <= PEER_PUBLISHERS else [])]
        if publishers == max(options.publishers):
            servers += [f"{name}{NO_JOURNAL}" for name in options.formats]
        for server in servers:
            with tempfile.TemporaryDirectory(dir=options.directory) as directory:
                result = await measure(server, publishers, options.seconds, Path(directory))
            print(_line(result), flush=True)
            results.append(msgspec.to_builtins(result))
    document = {"machine": machine, "seconds": options.seconds, "results": results}
    options.output.write_bytes(msgspec.json.format(msgspec.json.encode(document)) + b"\n")
    print(f"written: {options.output}")


def main() -> None:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--publishers", type=int, nargs="+", default=[10, 50, 100, 300])
    parser.add_argument("--seconds", type=int, default=20, help="of each measurement")
    parser.add_argument("--formats", nargs="+", default=["wav", "ogg"], help="of airslice")
    parser.add_argument("--quick", action="store_true", help="50 publishers only")
    parser.add_argument("--directory", type=Path, help="for the servers' files; default: temporary")
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results.json"))
    options = parser.parse_args()
    if options.quick:
        options.publishers = [50]
    uvloop.run(run(options))


if __name__ == "__main__":
    main()
