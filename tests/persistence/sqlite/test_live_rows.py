"""Rows of live jobs and rooms: whole again when read, and sealed."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airslice.application.ports.live import JobQuery, RoomQuery
from airslice.domain.live_command import CommandName, LiveCommand
from airslice.domain.live_job import FaultKind, JobFault, JobState, LiveJob
from airslice.domain.live_room import RoomDraft
from airslice.domain.live_user_config import LiveUserConfig
from airslice.domain.owner_event import LiveCallback
from airslice.domain.script import Cursor, Paragraph, PlayPolicy, Program, Scene, Voice
from airslice.facades.huawei.errors import FAULT_CODES
from airslice.persistence.sqlite.database import SqliteDatabase
from airslice.persistence.sqlite.live_commands import SqliteLiveCommandStore
from airslice.persistence.sqlite.live_jobs import SqliteLiveJobStore
from airslice.persistence.sqlite.live_resources import (
    SqliteLivePlatformStore,
    SqliteLiveUserConfigStore,
    SqliteRuleGroupStore,
)
from airslice.persistence.sqlite.live_rooms import SqliteLiveRoomStore
from airslice.persistence.sqlite.live_rows import (
    job_row,
    read_job,
    read_room,
    room_row,
    sealed_program,
)
from airslice.persistence.sqlite.secrets import SecretBox, SecretUnreadable
from tests.support.values.live_values import (
    CALLBACK,
    PROJECT,
    T0,
    a_group,
    a_job,
    a_platform,
    a_room,
    a_rule,
)

MASTER_KEY = bytes(range(32))
BOX = SecretBox(MASTER_KEY)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text(max_size=5), JSON, max_size=3)
VOICES = st.none() | st.builds(Voice, asset_id=st.text(max_size=5))
PARAGRAPHS = st.builds(
    Paragraph, number=st.integers(0, 2**31), text=st.text(), audio_url=st.text(), extras=OBJECTS
)
SCENES = st.builds(
    Scene,
    script_id=st.text(),
    name=st.text(),
    paragraphs=st.lists(PARAGRAPHS, max_size=3).map(tuple),
    voice=VOICES,
    extras=OBJECTS,
)
POLICIES = st.builds(PlayPolicy)
PROGRAMS = st.builds(Program, scenes=st.lists(SCENES, max_size=3).map(tuple), policy=POLICIES)
CALLBACKS = st.none() | st.builds(LiveCallback)
TIMES = st.integers(0, 2**53)
LIVE_JOBS = st.builds(
    LiveJob,
    program=PROGRAMS,
    created_at_ms=TIMES,
    updated_at_ms=TIMES,
    cursor=st.builds(Cursor),
    started_at_ms=TIMES,
    ended_at_ms=TIMES,
    on_air_ms=TIMES,
    callback=CALLBACKS,
    extras=OBJECTS,
)
DRAFTS = st.builds(
    RoomDraft,
    name=st.text(),
    scenes=st.lists(SCENES, max_size=3).map(tuple),
    policy=POLICIES,
    callback=CALLBACKS,
    interaction_rules=st.lists(OBJECTS, max_size=3).map(tuple),
    extras=OBJECTS,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "airslice.db"


@pytest.fixture
async def database(path: Path) -> AsyncIterator[SqliteDatabase]:
    database = await SqliteDatabase.open(path, MASTER_KEY)
    yield database
    await database.close()


def as_row(columns: dict[str, Any]) -> sqlite3.Row:
    """Return columns as the database would."""
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    names = ", ".join(f":{name} AS {name}" for name in columns)
    row: sqlite3.Row = connection.execute(f"SELECT {names}", columns).fetchone()
    connection.close()
    return row


@given(job=LIVE_JOBS)
@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_any_job_comes_back_from_its_row(job: LiveJob) -> None:
    names = {name: getattr(job, name) for name in ("project_id", "room_id", "room_name")}
    columns = {**job_row(job, 1, BOX), **names, "program": sealed_program(job, BOX)}

    row = as_row(columns)

    assert read_job(row, BOX) == job
    assert read_job(row, BOX, with_program=False) == replace(job, program=Program())


@given(draft=DRAFTS)
@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_any_room_comes_back_from_its_row(draft: RoomDraft) -> None:
    room = replace(a_room(), draft=draft)

    row = as_row(dict(room_row(room, BOX)))

    assert read_room(row, BOX) == room
    scenes = tuple(replace(scene, paragraphs=()) for scene in draft.scenes)
    assert read_room(row, BOX, with_paragraphs=False).draft == replace(draft, scenes=scenes)


async def test_what_was_saved_is_there_and_found_after_closing(path: Path) -> None:
    database = await SqliteDatabase.open(path, MASTER_KEY)
    jobs, rooms = await SqliteLiveJobStore.open(database), SqliteLiveRoomStore(database)
    await rooms.save_room(a_room())
    for number, state in enumerate(JobState):
        await jobs.save_job(a_job(state.value, state=state, updated_at_ms=T0 - number))
    await jobs.save_job(a_job("other", project_id="other", room_name="Other"))
    await database.close()

    database = await SqliteDatabase.open(path, MASTER_KEY)
    jobs, rooms = await SqliteLiveJobStore.open(database), SqliteLiveRoomStore(database)

    page = await jobs.jobs(PROJECT, JobQuery(by_update=True, descending=True))
    assert [job.job_id for job in page.items] == [state.value for state in JobState]
    assert (await jobs.jobs("other", JobQuery(room_name="oth"))).count == 1
    assert (await jobs.jobs(PROJECT, JobQuery(room_name="oth"))).count == 0
    (room, latest), *_ = (await rooms.rooms(PROJECT, RoomQuery())).items
    assert latest is not None
    assert (room.room_id, latest.job_id) == ("room-1", "BLOCKED")
    await jobs.save_job(a_job("new", created_at_ms=T0 + 1))
    assert (await jobs.jobs(PROJECT, JobQuery(descending=True))).items[0].job_id == "new"
    await database.close()


async def test_no_secret_is_in_the_files(path: Path) -> None:
    database = await SqliteDatabase.open(path, MASTER_KEY)
    extras = {"stream_keys": ["STREAMSECRET"], "output_urls": ["rtmp://x/?OUTPUTSECRET"]}
    jobs, rooms = await SqliteLiveJobStore.open(database), SqliteLiveRoomStore(database)
    room = a_room()
    for number in range(20):
        draft = replace(room.draft, callback=CALLBACK, extras=extras)
        await rooms.save_room(replace(room, room_id=str(number), draft=draft))
        await jobs.save_job(replace(a_job(str(number)), callback=CALLBACK, extras=extras))
    await SqliteRuleGroupStore(database).save_group(a_group(rules=(a_rule(),)))
    await SqliteLivePlatformStore(database).save_platform(a_platform())
    config = LiveUserConfig(project_id=PROJECT, callback=CALLBACK)
    await SqliteLiveUserConfigStore(database).save_config(config)
    await SqliteLiveCommandStore(database).add_command(
        LiveCommand(
            command_id="c",
            project_id=PROJECT,
            room_id="room",
            job_id="job",
            name=CommandName.REFRESH_OUTPUT_URL,
            params=extras,
            created_at_ms=T0,
        )
    )
    written = content(path.parent)
    await database.close()
    written += content(path.parent)

    assert PROJECT.encode() in written
    assert b"SECRET" not in written


def content(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(folder.iterdir()))


async def test_sealed_columns_cannot_be_moved(path: Path) -> None:
    database = await SqliteDatabase.open(path, MASTER_KEY)
    jobs = await SqliteLiveJobStore.open(database)
    await jobs.save_job(a_job("mine"))
    await jobs.save_job(replace(a_job("theirs"), callback=CALLBACK))
    await database.close()
    with sqlite3.connect(path) as connection:
        connection.execute(
            "UPDATE live_job_documents SET details = "
            "(SELECT details FROM live_job_documents WHERE id = 2) WHERE id = 1"
        )

    database = await SqliteDatabase.open(path, MASTER_KEY)
    jobs = await SqliteLiveJobStore.open(database)
    with pytest.raises(SecretUnreadable):
        await jobs.find_job(PROJECT, "mine")
    await database.close()


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("MSS.47000001", FaultKind.INTERNAL),
        ("MSS.47000005", FaultKind.NO_PLACE),
        ("MSS.47000012", FaultKind.SENT_OUT),
        ("MSS.20010067", FaultKind.NO_RECORDING),
        ("MSS.47000029", FaultKind.NO_SPEECH),
    ],
)
async def test_why_a_job_failed_is_read_as_former_versions_wrote_it(
    database: SqliteDatabase, code: str, kind: FaultKind
) -> None:
    jobs = await SqliteLiveJobStore.open(database)
    await jobs.save_job(a_job(state=JobState.FAILED))
    context = "details of live job job-1"
    [row] = await database.rows("SELECT details FROM live_job_documents", {})
    details = json.loads(BOX.unseal(row["details"], context=context))
    former = {**details, "fault": {"code": code, "message": "no voice"}}
    sealed = BOX.seal(json.dumps(former).encode(), context=context)
    await database.write(
        lambda c: c.execute("UPDATE live_job_documents SET details = ?", (sealed,))
    )

    job = await jobs.find_job(PROJECT, "job-1")

    assert job is not None
    assert job.fault == JobFault(kind=kind, message="no voice")
    assert FAULT_CODES[kind] == code
