"""Live rooms and templates: made, changed, shared and confirmed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import pytest
import pytest_asyncio

from airslice.application.catalogue import live_rooms
from airslice.application.catalogue.live_rooms import LiveRooms
from airslice.application.ports.live import RoomQuery
from airslice.application.wall_clock import WallClock
from airslice.domain.errors import InvalidInput, LiveJobRunning, LiveRoomNotFound, QuotaExceeded
from airslice.domain.live_job import FINAL_STATES, JobState
from airslice.domain.live_room import (
    ConfirmState,
    LiveRoom,
    LiveRoomType,
    RoomDraft,
    SharedState,
    SharedType,
    Sharing,
    TemplateOwner,
)
from airslice.domain.live_user_config import LiveUserConfig
from airslice.domain.script import LiveExit, PlayPolicy
from airslice.facades.huawei.owner_words import OWNER_WORDS
from tests.support.memory.live_jobs import MemoryLiveJobStore
from tests.support.memory.live_resources import MemoryLiveUserConfigStore
from tests.support.memory.live_rooms import MemoryLiveRoomStore
from tests.support.stages.stage import HandClock
from tests.support.values.live_values import CALLBACK, PROJECT, SCENE, a_job

OTHER = "another project"
SHARED = Sharing(type=SharedType.SHARED, state=SharedState.PUBLISHED, project_ids=(OTHER,))


class SlowRooms(MemoryLiveRoomStore):
    """Lets others in while a room is looked up."""

    async def find_room(self, room_id: str) -> LiveRoom | None:
        found = await super().find_room(room_id)
        await asyncio.sleep(0)
        return found


@dataclass
class House:
    """The use cases with everything around them in memory."""

    clock: HandClock = field(default_factory=HandClock)
    jobs: MemoryLiveJobStore = field(default_factory=MemoryLiveJobStore)
    configs: MemoryLiveUserConfigStore = field(default_factory=MemoryLiveUserConfigStore)

    def __post_init__(self) -> None:
        self.rooms = LiveRooms(
            rooms=SlowRooms(self.jobs),
            jobs=self.jobs,
            configs=self.configs,
            words=OWNER_WORDS,
            wall_clock=WallClock(self.clock),
        )

    @property
    def now_ms(self) -> int:
        return self.clock.utc_ns() // 1_000_000

    def pass_ms(self, milliseconds: int) -> None:
        self.clock.now_ns += milliseconds * 1_000_000

    async def template(self, sharing: Sharing | None = None) -> LiveRoom:
        draft = RoomDraft(name="template", type=LiveRoomType.TEMPLATE, sharing=sharing)
        return await self.rooms.create(PROJECT, draft)


@pytest_asyncio.fixture
async def house() -> AsyncIterator[House]:
    yield House()


async def test_a_new_room_is_dated_enabled_and_unconfirmed(house: House) -> None:
    room = await house.rooms.create(PROJECT, RoomDraft(name="room", scenes=(SCENE,)))

    assert room.created_at_ms == room.updated_at_ms == house.now_ms
    assert room.script_version == str(house.now_ms)
    assert room.confirm_state is ConfirmState.UNCONFIRMED
    assert await house.rooms.show(PROJECT, room.room_id) == room


async def test_rules_and_scenes_get_ids_of_their_own_and_keep_those_given(house: House) -> None:
    draft = RoomDraft(
        name="room",
        scenes=(replace(SCENE, script_id=""), SCENE, SCENE),
        interaction_rules=({"rule_name": "a"}, {"rule_index": "7"}, {"rule_index": "7"}),
    )

    made = (await house.rooms.create(PROJECT, draft)).draft

    scene_ids = [scene.script_id for scene in made.scenes]
    indexes = [rule["rule_index"] for rule in made.interaction_rules]
    assert scene_ids[1] == SCENE.script_id
    assert indexes[1] == "7"
    assert made.interaction_rules[0]["rule_name"] == "a"
    assert all(scene_ids)
    assert len(set(scene_ids)) == 3
    assert all(indexes)
    assert len(set(indexes)) == 3


async def test_an_update_replaces_everything_and_asks_for_a_new_confirmation(house: House) -> None:
    room = await house.rooms.create(
        PROJECT, RoomDraft(name="room", description="about", scenes=(SCENE,), callback=CALLBACK)
    )
    await house.rooms.confirm(
        PROJECT, room.room_id, confirmed=True, script_version=room.script_version
    )
    house.pass_ms(5)

    changed = await house.rooms.update(PROJECT, room.room_id, RoomDraft(name="other"))

    assert changed.draft == RoomDraft(name="other")
    assert (changed.created_at_ms, changed.updated_at_ms) == (room.created_at_ms, house.now_ms)
    assert changed.confirm_state is ConfirmState.UNCONFIRMED
    assert changed.script_version == str(house.now_ms)
    assert await house.rooms.show(PROJECT, room.room_id) == changed


async def test_each_update_makes_a_new_version_even_within_a_millisecond(house: House) -> None:
    room = await house.rooms.create(PROJECT, RoomDraft(name="room"))
    versions = {room.script_version}

    for _ in range(3):
        versions.add((await house.rooms.update(PROJECT, room.room_id, room.draft)).script_version)

    assert len(versions) == 4


@pytest.mark.parametrize(
    ("confirmed", "state"), [(True, ConfirmState.CONFIRMED), (False, ConfirmState.REJECTED)]
)
async def test_a_person_judges_a_script(house: House, confirmed: bool, state: ConfirmState) -> None:
    room = await house.rooms.create(PROJECT, RoomDraft(name="room"))

    await house.rooms.confirm(
        PROJECT, room.room_id, confirmed=confirmed, script_version=room.script_version
    )

    judged = await house.rooms.show(PROJECT, room.room_id)
    assert judged == replace(room, confirm_state=state)


async def test_an_older_version_cannot_be_confirmed(house: House) -> None:
    room = await house.rooms.create(PROJECT, RoomDraft(name="room"))
    changed = await house.rooms.update(PROJECT, room.room_id, room.draft)

    with pytest.raises(InvalidInput, match="version"):
        await house.rooms.confirm(
            PROJECT, room.room_id, confirmed=True, script_version=room.script_version
        )

    assert await house.rooms.show(PROJECT, room.room_id) == changed


async def test_a_confirmation_at_the_time_of_an_update_does_not_undo_it(house: House) -> None:
    room = await house.rooms.create(PROJECT, RoomDraft(name="room"))

    changed, _ = await asyncio.gather(
        house.rooms.update(PROJECT, room.room_id, RoomDraft(name="other")),
        house.rooms.confirm(
            PROJECT, room.room_id, confirmed=True, script_version=room.script_version
        ),
        return_exceptions=True,
    )

    assert await house.rooms.show(PROJECT, room.room_id) == changed


@pytest.mark.parametrize("state", JobState)
async def test_a_room_is_removed_unless_a_job_is_unfinished(house: House, state: JobState) -> None:
    room = await house.rooms.create(PROJECT, RoomDraft(name="room"))
    await house.jobs.save_job(a_job(room_id=room.room_id, state=state))

    if state in FINAL_STATES:
        await house.rooms.remove(PROJECT, room.room_id)
        with pytest.raises(LiveRoomNotFound):
            await house.rooms.show(PROJECT, room.room_id)
    else:
        with pytest.raises(LiveJobRunning):
            await house.rooms.remove(PROJECT, room.room_id)
        assert await house.rooms.show(PROJECT, room.room_id) == room


async def test_only_its_project_can_do_anything_with_a_room(house: House) -> None:
    room = await house.rooms.create(PROJECT, RoomDraft(name="room"))
    name = room.room_id

    for attempt in (
        house.rooms.show(OTHER, name),
        house.rooms.update(OTHER, name, RoomDraft(name="mine")),
        house.rooms.remove(OTHER, name),
        house.rooms.confirm(OTHER, name, confirmed=True, script_version=room.script_version),
        house.rooms.warnings(OTHER, name),
        house.rooms.show(PROJECT, "no such room"),
    ):
        with pytest.raises(LiveRoomNotFound):
            await attempt

    assert await house.rooms.show(PROJECT, name) == room
    assert (await house.rooms.list(OTHER, RoomQuery())).count == 0


async def test_a_project_has_a_bounded_number_of_rooms(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_rooms, "MAX_ROOMS", 2)
    for _ in range(2):
        await house.rooms.create(PROJECT, RoomDraft(name="room"))

    with pytest.raises(QuotaExceeded, match="at most 2"):
        await house.rooms.create(PROJECT, RoomDraft(name="room"))

    await house.rooms.create(OTHER, RoomDraft(name="room"))


async def test_a_shared_template_is_shown_to_the_named_projects_only(house: House) -> None:
    template = await house.template(SHARED)

    assert (await house.rooms.show(OTHER, template.room_id)).room_id == template.room_id
    with pytest.raises(LiveRoomNotFound):
        await house.rooms.show("a third project", template.room_id)
    with pytest.raises(LiveRoomNotFound):
        await house.rooms.update(OTHER, template.room_id, template.draft)


@pytest.mark.parametrize(
    "sharing",
    [
        None,
        Sharing(),
        replace(SHARED, state=SharedState.DRAFT),
        replace(SHARED, state=SharedState.REVIEW),
        replace(SHARED, type=SharedType.PRIVATE),
        replace(SHARED, project_ids=()),
    ],
)
async def test_other_templates_are_not_shown_to_others(
    house: House, sharing: Sharing | None
) -> None:
    template = await house.template(sharing)

    with pytest.raises(LiveRoomNotFound):
        await house.rooms.show(OTHER, template.room_id)
    assert await house.rooms.show(PROJECT, template.room_id) == template


async def test_a_public_template_is_shown_to_everybody_until_it_expires(house: House) -> None:
    until_ms = house.now_ms + 1_000
    public = Sharing(type=SharedType.PUBLIC, state=SharedState.PUBLISHED, expires_at_ms=until_ms)
    template = await house.template(public)
    house.pass_ms(999)

    assert (await house.rooms.show("anybody", template.room_id)).room_id == template.room_id
    assert (await house.rooms.templates("anybody", TemplateOwner.PUBLIC, RoomQuery())).count == 1

    house.pass_ms(1)
    with pytest.raises(LiveRoomNotFound):
        await house.rooms.show("anybody", template.room_id)
    assert (await house.rooms.templates("anybody", TemplateOwner.PUBLIC, RoomQuery())).count == 0
    assert await house.rooms.show(PROJECT, template.room_id) == template


async def test_others_do_not_see_what_is_the_owners_alone(house: House) -> None:
    draft = RoomDraft(
        name="template",
        type=LiveRoomType.TEMPLATE,
        sharing=SHARED,
        scenes=(SCENE,),
        callback=CALLBACK,
        extras={"stream_keys": ["K"], "output_urls": ["U"], "priv_data": "P", "video_config": {}},
    )
    template = await house.rooms.create(PROJECT, draft)

    shown = (await house.rooms.show(OTHER, template.room_id)).draft
    page = await house.rooms.templates(OTHER, TemplateOwner.SHARED_FROM_OTHERS, RoomQuery())
    own = await house.rooms.templates(PROJECT, TemplateOwner.OWNED, RoomQuery())

    assert shown == replace(
        template.draft,
        callback=None,
        sharing=replace(SHARED, project_ids=()),
        extras={"video_config": {}},
    )
    without_paragraphs = (replace(SCENE, paragraphs=()),)
    assert page.items[0][0].draft == replace(shown, scenes=without_paragraphs)
    assert own.items[0][0].draft == replace(template.draft, scenes=without_paragraphs)


async def test_only_templates_can_be_shared(house: House) -> None:
    with pytest.raises(InvalidInput, match="sharing"):
        await house.rooms.create(PROJECT, RoomDraft(name="room", sharing=SHARED))


async def test_a_template_is_shared_with_at_most_100_projects(house: House) -> None:
    hundred = tuple(str(number) for number in range(100))

    template = await house.template(replace(SHARED, project_ids=hundred + hundred))
    assert template.draft.sharing is not None
    assert template.draft.sharing.project_ids == hundred

    with pytest.raises(InvalidInput, match="shared_projects"):
        await house.template(replace(SHARED, project_ids=(*hundred, "one more")))


async def test_the_time_limit_is_the_rooms_else_the_projects(house: House) -> None:
    own = PlayPolicy(exit=LiveExit(max_live_h=3))
    limited = await house.rooms.create(PROJECT, RoomDraft(name="limited", policy=own))
    plain = await house.rooms.create(PROJECT, RoomDraft(name="plain"))

    async def limit_h(room: LiveRoom) -> int:
        return (await house.rooms.warnings(PROJECT, room.room_id))[1]

    assert await limit_h(limited) == 3
    assert await limit_h(plain) == 0

    await house.configs.save_config(LiveUserConfig(project_id=PROJECT, exit=LiveExit(max_live_h=9)))
    assert await limit_h(limited) == 3
    assert await limit_h(plain) == 9
