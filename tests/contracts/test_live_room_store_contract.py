"""What every LiveRoomStore does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from airslice.application.ports.live import LiveJobStore, LiveRoomStore, RoomQuery, Window
from airslice.domain.live_job import JobState
from airslice.domain.live_room import (
    ConfirmState,
    LiveRoomState,
    LiveRoomType,
    SharedState,
    SharedType,
    Sharing,
    TemplateOwner,
)
from airslice.domain.players import RtcNotice
from airslice.domain.script import LiveExit, PlayPolicy, Program
from airslice.persistence.sqlite.database import SqliteDatabase
from airslice.persistence.sqlite.live_jobs import SqliteLiveJobStore
from airslice.persistence.sqlite.live_rooms import SqliteLiveRoomStore
from tests.support.memory.live_jobs import MemoryLiveJobStore
from tests.support.memory.live_rooms import MemoryLiveRoomStore
from tests.support.values.live_values import CALLBACK, PROJECT, SCENE, T0, a_job, a_room

OPEN = Sharing(type=SharedType.SHARED, state=SharedState.PUBLISHED, project_ids=(PROJECT, "p2"))
PUBLIC = Sharing(type=SharedType.PUBLIC, state=SharedState.PUBLISHED)


@dataclass
class Stores:
    rooms: LiveRoomStore
    jobs: LiveJobStore

    async def save(self, *room_ids: str) -> None:
        for number, room_id in enumerate(room_ids):
            await self.rooms.save_room(a_room(room_id, updated_at_ms=T0 - number))

    async def listed(self, query: RoomQuery) -> list[str]:
        page = await self.rooms.rooms(PROJECT, query)
        assert page.count == len(page.items)
        return [room.room_id for room, _job in page.items]

    async def templates(self, owner: TemplateOwner, project: str = PROJECT) -> list[str]:
        page = await self.rooms.templates(project, owner, RoomQuery(), now_ms=T0)
        assert page.count == len(page.items)
        assert all(job is None for _room, job in page.items)
        return [room.room_id for room, _job in page.items]


@pytest.fixture(params=["memory", "sqlite"])
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    if request.param == "memory":
        jobs = MemoryLiveJobStore()
        yield Stores(MemoryLiveRoomStore(jobs), jobs)
        return
    database = await SqliteDatabase.open(tmp_path / "airslice.db", bytes(32))
    yield Stores(SqliteLiveRoomStore(database), await SqliteLiveJobStore.open(database))
    await database.close()


async def test_a_room_comes_back_as_it_was_saved(stores: Stores) -> None:
    plain = a_room(sharing=OPEN, scenes=(SCENE, replace(SCENE, script_id="2", paragraphs=())))
    room = replace(
        plain,
        confirm_state=ConfirmState.REJECTED,
        state=LiveRoomState.BLOCKED,
        draft=replace(
            plain.draft,
            description="about",
            policy=PlayPolicy(repeat_count=-1, exit=LiveExit(max_live_h=3)),
            callback=CALLBACK,
            rtc_notices=(RtcNotice.REPLY_COMMAND_FINISH,),
            interaction_rules=({"rule_index": "1", "enabled": True},),
            backup_model_asset_ids=("m1", "m2"),
            extras={"stream_keys": ["KEY"], "video_config": {"width": 1080}},
        ),
    )

    await stores.rooms.save_room(room)

    assert await stores.rooms.find_room("room-1") == room
    assert await stores.rooms.find_room("other") is None


async def test_saving_again_replaces_a_room_and_keeps_its_latest_job(stores: Stores) -> None:
    await stores.rooms.save_room(a_room())
    await stores.jobs.save_job(a_job())
    changed = a_room(name="other", scenes=(), updated_at_ms=T0 + 1)

    await stores.rooms.save_room(changed)

    assert await stores.rooms.find_room("room-1") == changed
    page = await stores.rooms.rooms(PROJECT, RoomQuery())
    assert page.items == ((changed, a_job(program=Program())),)


async def test_listed_rooms_are_without_paragraphs(stores: Stores) -> None:
    await stores.rooms.save_room(a_room())

    page = await stores.rooms.rooms(PROJECT, RoomQuery())

    assert page.items == ((a_room(scenes=(replace(SCENE, paragraphs=()),)), None),)


async def test_a_removed_room_is_gone_and_its_jobs_stay(stores: Stores) -> None:
    await stores.save("room-1")
    await stores.jobs.save_job(a_job())

    await stores.rooms.remove_room("room-1")
    await stores.rooms.remove_room("room-1")

    assert await stores.rooms.find_room("room-1") is None
    assert await stores.listed(RoomQuery()) == []
    assert await stores.jobs.find_job(PROJECT, "job-1") is not None


async def test_rooms_are_counted_by_project(stores: Stores) -> None:
    await stores.save("a", "b")
    await stores.rooms.save_room(a_room("c", project_id="other"))

    assert await stores.rooms.count_rooms(PROJECT) == 2
    assert await stores.rooms.count_rooms("other") == 1
    assert await stores.rooms.count_rooms("none") == 0


async def test_rooms_come_the_latest_changed_first_in_pages(stores: Stores) -> None:
    for number in range(25):
        await stores.rooms.save_room(a_room(f"{number:02}", updated_at_ms=T0 + number // 2))

    listed = []
    for offset in (0, 10, 20, 30):
        page = await stores.rooms.rooms(PROJECT, RoomQuery(window=Window(offset=offset)))
        assert page.count == 25
        listed += [room.room_id for room, _job in page.items]

    assert listed == [f"{number:02}" for number in reversed(range(25))]


async def test_rooms_are_filtered_by_what_they_are(stores: Stores) -> None:
    await stores.rooms.save_room(a_room("plain", name="Ärzte", updated_at_ms=T0 + 3))
    temporary = a_room(
        "temp", type=LiveRoomType.TEMP, scenes=(replace(SCENE, dh_id="h2", model_asset_id="B"),)
    )
    await stores.rooms.save_room(
        replace(temporary, confirm_state=ConfirmState.CONFIRMED, updated_at_ms=T0 + 2)
    )
    await stores.rooms.save_room(a_room("old", created_at_ms=T0 - 9, scenes=()))

    assert await stores.listed(RoomQuery(name="äRZ")) == ["plain"]
    assert await stores.listed(RoomQuery(name="_")) == []
    assert await stores.listed(RoomQuery(dh_id="human-1")) == ["plain"]
    assert await stores.listed(RoomQuery(dh_id="human")) == []
    assert await stores.listed(RoomQuery(model_name="odel-a")) == ["plain"]
    assert await stores.listed(RoomQuery(types=frozenset({LiveRoomType.TEMP}))) == ["temp"]
    assert await stores.listed(RoomQuery(confirm_state=ConfirmState.CONFIRMED)) == ["temp"]
    assert await stores.listed(RoomQuery(window=Window(created_until_ms=T0 - 9))) == ["old"]
    assert await stores.listed(RoomQuery(window=Window(created_since_ms=T0))) == ["plain", "temp"]


async def test_rooms_are_filtered_by_their_latest_job(stores: Stores) -> None:
    await stores.save("none", "failed", "running")
    await stores.jobs.save_job(a_job("1", room_id="failed", state=JobState.SUCCEED))
    await stores.jobs.save_job(
        a_job("2", room_id="failed", state=JobState.FAILED, created_at_ms=T0 + 5)
    )
    await stores.jobs.save_job(a_job("3", room_id="running", created_at_ms=T0 + 9))
    await stores.jobs.save_job(
        a_job("3", room_id="running", created_at_ms=T0 + 9, state=JobState.PROCESSING)
    )
    await stores.jobs.save_job(a_job("4", room_id="running", state=JobState.SUCCEED))

    def of(*states: JobState | None) -> RoomQuery:
        return RoomQuery(last_job_states=frozenset(states))

    assert await stores.listed(of(JobState.FAILED)) == ["failed"]
    assert await stores.listed(of(JobState.SUCCEED)) == []
    assert await stores.listed(of(None)) == ["none"]
    assert await stores.listed(of(None, JobState.PROCESSING)) == ["none", "running"]
    assert await stores.listed(RoomQuery(last_job_since_ms=T0 + 6)) == ["running"]
    assert await stores.listed(RoomQuery(last_job_until_ms=T0 + 5)) == ["failed"]


async def test_each_listed_room_comes_with_its_latest_job(stores: Stores) -> None:
    await stores.save("a", "b")
    await stores.jobs.save_job(a_job("1", room_id="a"))
    await stores.jobs.save_job(a_job("2", room_id="a"))

    page = await stores.rooms.rooms(PROJECT, RoomQuery())

    assert [job and job.job_id for _room, job in page.items] == ["2", None]


async def test_templates_are_listed_by_whose_they_are(stores: Stores) -> None:
    template = LiveRoomType.TEMPLATE
    for number, room in enumerate(
        (
            a_room("mine private", type=template),
            a_room("mine shared", type=template, sharing=OPEN),
            a_room("mine public", type=template, sharing=PUBLIC),
            a_room("mine draft", type=template, sharing=replace(OPEN, state=SharedState.DRAFT)),
            a_room("no template", sharing=PUBLIC),
            a_room("theirs", type=template, sharing=OPEN, project_id="p1"),
            a_room("theirs public", type=template, sharing=PUBLIC, project_id="p1"),
            a_room(
                "theirs, not for me",
                type=template,
                project_id="p1",
                sharing=replace(OPEN, project_ids=("p2",)),
            ),
            a_room(
                "theirs over",
                type=template,
                project_id="p1",
                sharing=replace(OPEN, expires_at_ms=T0),
            ),
            a_room(
                "theirs until soon",
                type=template,
                project_id="p1",
                sharing=replace(OPEN, expires_at_ms=T0 + 1),
            ),
            a_room(
                "theirs public in review",
                type=template,
                project_id="p1",
                sharing=replace(PUBLIC, state=SharedState.REVIEW),
            ),
        )
    ):
        await stores.rooms.save_room(replace(room, updated_at_ms=T0 - number))

    assert await stores.templates(TemplateOwner.OWNED) == [
        "mine private",
        "mine shared",
        "mine public",
        "mine draft",
    ]
    assert await stores.templates(TemplateOwner.SHARED_TO_OTHERS) == ["mine shared", "mine public"]
    assert await stores.templates(TemplateOwner.SHARED_FROM_OTHERS) == [
        "theirs",
        "theirs until soon",
    ]
    assert await stores.templates(TemplateOwner.PUBLIC) == ["mine public", "theirs public"]


async def test_a_share_that_is_taken_back_ends(stores: Stores) -> None:
    shared = a_room(type=LiveRoomType.TEMPLATE, sharing=OPEN, project_id="p1")
    await stores.rooms.save_room(shared)
    assert await stores.templates(TemplateOwner.SHARED_FROM_OTHERS) == ["room-1"]

    narrower = replace(shared.draft, sharing=replace(OPEN, project_ids=("p2",)))
    await stores.rooms.save_room(replace(shared, draft=narrower))

    assert await stores.templates(TemplateOwner.SHARED_FROM_OTHERS) == []
    assert await stores.templates(TemplateOwner.SHARED_FROM_OTHERS, "p2") == ["room-1"]
