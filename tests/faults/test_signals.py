"""SIGTERM under load, and a process that stands still for a while."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import httpx

from tests.support.audio.held_audio import FRAME_MS, by_user
from tests.support.clients.load import (
    begin,
    check_numbers,
    check_objects,
    connect,
    kept_of,
    present_in,
    stop_tasks,
)
from tests.support.clients.slicing_client import BUCKET, OrderedTask
from tests.support.clients.speakers import Speaker, speaking
from tests.support.server.callback_sink import Announced, CallbackSink
from tests.support.server.fault_proxy import REFUSES, FaultProxy
from tests.support.server.mortal_server import MortalServer
from tests.support.server.s3_servers import ACCESS_KEY, SECRET_KEY, versitygw
from tests.support.waiting import PATIENCE_S, until

SPOKEN_S = 4.3
STOOD_S = 5
STOOD_LONG_S = 30
MAX_LABEL_ERROR_MS = 20


async def test_sigterm_loses_no_sample_and_what_waits_goes_on_at_the_next_start(
    make_server: Callable[..., MortalServer],
    sink: CallbackSink,
    http: httpx.AsyncClient,
    tmp_path: Path,
) -> None:
    (tmp_path / "s3").mkdir()
    with versitygw(tmp_path / "s3") as s3:
        async with FaultProxy(int(s3.endpoint.rpartition(":")[2])) as proxy:
            keys = {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY}
            endpoint = {"match": {}, "endpoint": proxy.origin, **keys}
            server = make_server(AIRSLICE_STORAGE__ENDPOINTS=json.dumps([endpoint]))
            server.bucket_folder = tmp_path / "s3" / "files"
            server.launch()
            tasks, speakers = await begin(server, sink, http)
            with speaking(speakers):
                await connect(speakers, server, http)
                await asyncio.sleep(SPOKEN_S / 2)
                await proxy.fail(REFUSES)
                await asyncio.sleep(SPOKEN_S / 2)
                sent = {speaker: speaker.sessions[-1].end for speaker in speakers}
                begun_s = time.monotonic()
                server.process.send_signal(signal.SIGTERM)
                code = await asyncio.to_thread(server.process.wait, PATIENCE_S)
                stopped_s = time.monotonic() - begun_s
            spooled = len(list((server.settings.server.data_dir / "spool").iterdir()))
            await proxy.fail(None)
            server.launch()
            await server.ready(http)
            await until(lambda: server.metric("waiting_slices") == 0)
            await stop_tasks(tasks, server)
            await asyncio.to_thread(server.close)

    check_numbers(tasks)
    check_objects(server.object_path(BUCKET, "any").parent, tasks)
    lost = lost_samples(tasks, sent)
    print(
        f"SIGTERM with {len(speakers)} streams in {len(tasks)} tasks: gone after"
        f" {stopped_s:.2f} s, {lost} samples lost, {spooled} slices in the spool, all of them"
        f" uploaded after the next start"
    )
    assert code == 0
    assert "interrupted" not in server.log, "the journal has mended what the stop should have cut"
    assert spooled > len(speakers)
    assert lost == 0


def lost_samples(tasks: Sequence[OrderedTask], sent: Mapping[Speaker, int]) -> int:
    """Return how many samples are in no slice, of the frames before the one given by speaker."""
    lost = 0
    for task in tasks:
        slices = by_user(task.slices())
        for speaker in present_in(task, list(sent)):
            (kept,) = kept_of(task, speaker, slices[speaker.user])
            said_ms = (sent[speaker] - speaker.sessions[0].first) * FRAME_MS
            lost += round(max(0, said_ms - kept.kept_ms) * 16)
    return lost


async def test_a_process_that_stood_still_goes_on_in_time(
    make_server: Callable[..., MortalServer],
    sink: CallbackSink,
    http: httpx.AsyncClient,
    is_long: bool,
) -> None:
    stood_s = STOOD_LONG_S if is_long else STOOD_S
    server = make_server()
    server.launch()
    tasks, speakers = await begin(server, sink, http)
    with speaking(speakers):
        await connect(speakers, server, http)
        await asyncio.sleep(SPOKEN_S / 2)
        server.process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(stood_s)
        server.process.send_signal(signal.SIGCONT)
        await asyncio.sleep(SPOKEN_S)
    await asyncio.sleep(0.5)
    sessions = server.metric("sessions")
    dropped = kernel_drops(server.media[1])
    await stop_tasks(tasks, server)
    await asyncio.to_thread(server.close)

    assert sessions == len(speakers)
    check_numbers(tasks)
    check_objects(server.object_path(BUCKET, "any").parent, tasks)
    worst_label_ms = 0.0
    for task in tasks:
        for speaker in present_in(task, speakers):
            slices = by_user(task.slices())[speaker.user]
            check_time(slices, speaker)
            if not dropped:  # of a hole nothing but its place in time can be said
                worst_label_ms = max(worst_label_ms, label_error_ms(task, speaker))
    print(
        f"SIGSTOP for {stood_s} s, then SIGCONT, with {len(speakers)} streams in {len(tasks)}"
        f" tasks: {dropped} packets dropped by the kernel, whose buffer was full;"
        f" {'nothing else' if dropped else 'nothing'} lost, nothing twice,"
        f" labels within {worst_label_ms:.0f} ms"
    )
    assert worst_label_ms <= MAX_LABEL_ERROR_MS


def label_error_ms(task: OrderedTask, speaker: Speaker) -> float:
    """Return the worst label of slices that together must hold all that was said."""
    (kept,) = kept_of(task, speaker, task.slices(speaker.user))
    assert kept.sent_ms == kept.kept_ms
    return max(abs(part.label_error_ms) for part in kept.parts)


def check_time(slices: Sequence[Announced], speaker: Speaker) -> None:
    """Slices follow on each other, and end when their speaker did."""
    for former, latter in pairwise(slices):
        assert latter.start_ms >= former.end_ms - 1, (former, latter)
    spoken_until_ms = speaker.sessions[-1].end * FRAME_MS
    assert spoken_until_ms - 100 <= slices[-1].end_ms <= spoken_until_ms + 1_500


def kernel_drops(port: int) -> int:
    """Return how many datagrams the kernel had no room for."""
    for line in Path("/proc/net/udp").read_text().splitlines()[1:]:
        fields = line.split()
        if int(fields[1].rpartition(":")[2], 16) == port:
            return int(fields[-1])
    raise AssertionError(f"nobody listens on {port}")
