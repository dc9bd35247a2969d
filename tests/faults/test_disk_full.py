"""The disk of journal, spool and database fills up under load, and is given room again."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.audio.held_audio import FRAME_MS, holes_ms
from tests.support.clients.load import (
    begin,
    check_numbers,
    check_objects,
    connect,
    held_of,
    present_in,
    stop_tasks,
)
from tests.support.clients.slicing_client import BUCKET, OrderedTask, SlicingClient
from tests.support.clients.speakers import Speaker, speaking
from tests.support.server.callback_sink import CallbackSink
from tests.support.server.mortal_server import MortalServer
from tests.support.server.small_disk import SmallDisk, small_disk
from tests.support.waiting import PATIENCE_S, until

DISK_BYTES = 64 << 20
SPOKEN_S = 3.3
"""Before the disk is full, and after it has room again."""
FULL_S = 4.5
LONGEST_SLICE_MS = 3_000
REFUSAL = "FlowLimitExceeded.TaskNumberOverLimit"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "server" / "data", DISK_BYTES) as disk:
        yield disk


async def test_a_full_disk_refuses_new_tasks_and_harms_nothing_that_was_kept(
    disk: SmallDisk,
    make_server: Callable[..., MortalServer],
    sink: CallbackSink,
    http: httpx.AsyncClient,
) -> None:
    server = make_server()
    server.launch()
    tasks, speakers = await begin(server, sink, http)
    client = SlicingClient(server, http)
    with speaking(speakers):
        await connect(speakers, server, http)
        await asyncio.sleep(SPOKEN_S)
        full_ms = time.time() * 1000
        disk.fill()
        refused = await answer_to_start(client, server)
        await asyncio.sleep(FULL_S)
        refused_later = await answer_to_start(client, server)
        disk.free()
        taken = await until_taken(client, server)
        full_ms = time.time() * 1000 - full_ms
        await asyncio.sleep(SPOKEN_S)
    await asyncio.sleep(0.5)
    await stop_tasks(tasks, server)
    lost_slices = server.metric("lost_slices")
    assert await asyncio.to_thread(server.stop) == 0
    server.launch()
    await server.ready(http)
    await until(lambda: server.metric("waiting_slices") == 0)
    await asyncio.to_thread(server.close)

    said = len(re.findall("cannot be written", server.log))
    check_numbers(tasks)
    check_objects(server.object_path(BUCKET, "any").parent, tasks)
    missing = [missing_ms(task, s) for task in tasks for s in present_in(task, speakers)]
    print(
        f"a disk full for {FULL_S} s under {len(speakers)} streams in {len(tasks)} tasks:"
        f" StartSegment {refused}, {refused_later}, then {taken};"
        f" {lost_slices:.0f} slices counted that could not be written, {said} lines in the log;"
        f" after the next start, which makes them from the journal, at most"
        f" {max(missing) / 1000:.1f} s of a stream missing, and all the rest identical"
    )
    assert (refused, refused_later, taken) == (REFUSAL, REFUSAL, "ok")
    assert lost_slices
    assert said
    assert max(missing) <= full_ms + 2 * LONGEST_SLICE_MS


def missing_ms(task: OrderedTask, speaker: Speaker) -> float:
    """Return how much a speaker's slices leave out; what they hold must be what was said."""
    (parts,) = held_of(task, speaker, task.slices(speaker.user))
    session = speaker.sessions[0]
    assert max(part.end_ms for part in parts) == (session.end - session.first) * FRAME_MS
    return sum(holes_ms(parts))


async def answer_to_start(client: SlicingClient, server: MortalServer) -> str:
    """Ask for one more task; return the error code, or the result."""
    tos = {"AccountId": server.settings.accounts[0].id, "Region": 0, "Bucket": BUCKET}
    body = {
        "AppId": server.apps["wav"].app_id,
        "RoomId": "another-room",
        "TaskId": "another",
        "Duration": 2,
        "StorageConfig": {"Type": 0, "TosConfig": tos},
    }
    query = {"Action": "StartSegment", "Version": "2023-11-01"}
    answer = (await client.send("POST", query, json.dumps(body).encode())).json()
    error = answer["ResponseMetadata"].get("Error")
    return str(error["Code"] if error else answer["Result"])


async def until_taken(client: SlicingClient, server: MortalServer) -> str:
    """Ask until a task is taken."""
    async with asyncio.timeout(PATIENCE_S):
        while (answer := await answer_to_start(client, server)) != "ok":
            await asyncio.sleep(0.2)
    return answer
