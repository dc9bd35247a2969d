"""Several streams, sliced by several tasks at once, and what must hold of their slices."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
from numpy.typing import NDArray

from tests.support.audio import held_audio
from tests.support.audio.held_audio import FRAME_MS, SLICE_RATE, Held
from tests.support.audio.slice_audio import read_wav
from tests.support.clients.slicing_client import OrderedTask, SlicingClient, order_slicing
from tests.support.clients.speakers import Session, Speaker, make_speakers
from tests.support.server.callback_sink import Announced, CallbackSink
from tests.support.server.mortal_server import MortalServer
from tests.support.waiting import until

ROOMS = (("wav", "wav-room"), ("ogg", "ogg-room"))
SPEAKERS_PER_ROOM = 4
TASKS = (("loose", 2, {"Align": False}), ("aligned", 3, {"Align": True, "Mixed": True}))
"""In each room: name, seconds, Control."""
MAX_LOST_MS = 1_000
"""Of what was received before a kill."""
MIXED = "mixed"


async def start_tasks(
    server: MortalServer, sink: CallbackSink, http: httpx.AsyncClient
) -> list[OrderedTask]:
    """Start a task without and one with a grid in each room."""
    client = SlicingClient(server, http)
    return [
        await order_slicing(
            client,
            sink,
            server,
            kind=kind,
            room=room,
            task=task,
            Identifier=f"{kind}-{task}",
            Duration=duration_s,
            Control=control,
        )
        for kind, room in ROOMS
        for task, duration_s, control in TASKS
    ]


async def begin(
    server: MortalServer, sink: CallbackSink, http: httpx.AsyncClient
) -> tuple[list[OrderedTask], list[Speaker]]:
    """Wait for a server that was launched; return its tasks, and speakers who do not speak yet."""
    await server.ready(http)
    return await start_tasks(server, sink, http), make_speakers(ROOMS, SPEAKERS_PER_ROOM)


async def connect(
    speakers: Sequence[Speaker], server: MortalServer, http: httpx.AsyncClient
) -> None:
    """Connect everybody at once."""
    async with asyncio.TaskGroup() as group:
        for speaker in speakers:
            group.create_task(speaker.connect(server, http))


async def stop_tasks(tasks: Sequence[OrderedTask], server: MortalServer) -> None:
    """StopSegment; return once every slice has been announced."""
    for task in tasks:
        assert await task.client.call("StopSegment", task.key) == "ok"
    await until(lambda: server.metric("waiting_slices") == 0)


def check_numbers(tasks: Sequence[OrderedTask]) -> None:
    """No (task, user, index) is missing or there twice."""
    for task in tasks:
        for user, slices in held_audio.by_user(task.slices()).items():
            numbers = [announced.index for announced in slices]
            assert numbers == list(range(len(slices))), (task.key, user, numbers)


def check_objects(bucket: Path, tasks: Sequence[OrderedTask]) -> None:
    """What is stored was announced, what was announced is stored, byte by byte."""
    stored = {path.name for path in bucket.iterdir() if path.is_file()}
    announced = [a for task in tasks for a in task.slices()]
    assert stored == {a.key for a in announced}
    assert len(stored) == len(announced)
    for a in announced:
        body = (bucket / a.key).read_bytes()
        assert (len(body), hashlib.sha256(body).hexdigest()) == (a.size, a.sha256), a


def present_in(task: OrderedTask, speakers: Sequence[Speaker]) -> list[Speaker]:
    """Return who speaks in a task's room."""
    return [speaker for speaker in speakers if speaker.room == task.key["RoomId"]]


@dataclass(frozen=True)
class Kept:
    """What slices hold of one session."""

    sent_ms: int
    """How much was sent."""
    kept_ms: float
    """How much of it, from its beginning on, without a hole, is in slices."""
    parts: list[Held]


def held_of(task: OrderedTask, speaker: Speaker, slices: Sequence[Announced]) -> list[list[Held]]:
    """Return what slices hold of each session, which is just what was said."""
    places = {id(session): number for number, session in enumerate(speaker.sessions)}
    parts: list[list[Held]] = [[] for _ in speaker.sessions]
    for announced in slices:
        session: Session | None = held_audio.session_of(speaker, announced)
        assert session is not None, (announced, speaker.sessions)
        held = held_audio.find(speaker, session, announced, task.path(announced))
        if held is not None:
            parts[places[id(session)]].append(held)
    return parts


def kept_of(task: OrderedTask, speaker: Speaker, slices: Sequence[Announced]) -> list[Kept]:
    """Return what slices hold of each session: its beginning, without a hole, each part once."""
    found = []
    parts_of_sessions = held_of(task, speaker, slices)
    for session, parts in zip(speaker.sessions, parts_of_sessions, strict=True):
        assert sum(held_audio.holes_ms(parts)) < 1, (task.key, speaker.user, parts)
        sent_ms = (session.end - session.first) * FRAME_MS
        kept_ms = max((part.end_ms for part in parts), default=0)
        found.append(Kept(sent_ms, kept_ms, parts))
    return found


def lost_of_mix_ms(task: OrderedTask, speakers: Sequence[Speaker]) -> list[float]:
    """Return what the mix has lost of the end of each session but the last.

    At each other moment it must be the sum of what the streams' slices hold of it.
    """
    slices = task.slices()
    mixes = [a for a in slices if a.user == MIXED]
    lost_ms: list[float] = []
    origin_ms = min(a.start_ms for a in slices)
    mixed = joined_at(origin_ms, task, mixes)
    wrong = mixed - joined_at(origin_ms, task, [a for a in slices if a.user != MIXED])
    wrong_ms = np.flatnonzero(abs(wrong) > sum(s.tolerance for s in speakers)) / 16 + origin_ms
    sound_ms = np.flatnonzero(mixed) / 16 + origin_ms
    sessions = {s.end: s.first for speaker in speakers for s in speaker.sessions}
    for end, first in sorted(sessions.items()):
        begin_ms, kill_ms = first * FRAME_MS, end * FRAME_MS
        before = sound_ms[(sound_ms >= begin_ms) & (sound_ms < kill_ms)]
        near = (wrong_ms >= kill_ms - MAX_LOST_MS) & (wrong_ms < kill_ms + MAX_LOST_MS)
        kept_ms = min([*before[-1:], *wrong_ms[near][:1]], default=begin_ms)
        lost_ms.append(kill_ms - kept_ms)
        wrong_ms = wrong_ms[~near]
    assert wrong_ms.size == 0, wrong_ms
    return lost_ms[:-1]


def joined_at(origin_ms: int, task: OrderedTask, slices: Sequence[Announced]) -> NDArray[np.int32]:
    """Add slices up, each at its time."""
    end_ms = max(a.end_ms for a in task.slices())
    total = np.zeros((end_ms - origin_ms + 1_000) * SLICE_RATE // 1000, np.int32)
    for a in slices:
        samples = read_wav(task.path(a))
        at = (a.start_ms - origin_ms) * SLICE_RATE // 1000
        total[at : at + samples.size] += samples
    return total
