"""What broadcasts are told while they are on air."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from airslice.application.catalogue import live_commands
from airslice.application.catalogue.live_commands import KEPT_EVENTS, LiveCommands
from airslice.application.wall_clock import WallClock
from airslice.domain.errors import InvalidInput, LiveJobFinished, LiveJobNotFound, QuotaExceeded
from airslice.domain.live_command import (
    STORED,
    AudienceEvent,
    CommandName,
    CommandSource,
    LiveCommand,
)
from airslice.domain.live_job import FINAL_STATES, JobState
from airslice.domain.script import AutoStop, LiveExit, PlayPolicy, Program
from airslice.facades.huawei.owner_words import OWNER_WORDS
from tests.support.memory.live_commands import MemoryLiveCommandStore
from tests.support.memory.live_jobs import MemoryLiveJobStore
from tests.support.memory.live_rooms import MemoryLiveRoomStore
from tests.support.stages.stage import HandClock
from tests.support.values.live_values import CALLBACK, PROJECT, SCENE, T0, a_job, a_room

JOB = (PROJECT, "room-1", "job-1")
INSERT = {"text_config": {"text": "hello"}, "play_type": "APPEND"}
COMMENT = '{"user": {"name": "li"}, "content": "好"}'


@dataclass
class Exits:
    """Remembers what is set (port `JobExits`)."""

    reset: list[tuple[str, LiveExit]] = field(default_factory=list)

    async def reset_exit(self, job_id: str, live_exit: LiveExit) -> None:
        self.reset.append((job_id, live_exit))


@dataclass
class Desk:
    """The use cases with everything around them in memory."""

    clock: HandClock = field(default_factory=HandClock)
    store: MemoryLiveCommandStore = field(default_factory=MemoryLiveCommandStore)
    jobs: MemoryLiveJobStore = field(default_factory=MemoryLiveJobStore)
    exits: Exits = field(default_factory=Exits)

    def __post_init__(self) -> None:
        self.rooms = MemoryLiveRoomStore(self.jobs)
        self.commands = LiveCommands(
            commands=self.store,
            jobs=self.jobs,
            rooms=self.rooms,
            exits=self.exits,
            words=OWNER_WORDS,
            wall_clock=WallClock(self.clock),
        )

    async def execute(self, name: CommandName, **params: Any) -> str:
        return await self.commands.execute(*JOB, name, params)

    async def inserts(self) -> tuple[LiveCommand, ...]:
        page = await self.commands.insert_commands(*JOB, offset=0, limit=100)
        assert page.count == len(page.items)
        return page.items

    async def scripts(self, job_id: str | None = "job-1") -> list[str]:
        page = await self.commands.unjudged(
            PROJECT, job_id, CommandName.REWRITE_PLAY_SCRIPT, offset=0, limit=100
        )
        return [command.command_id for command in page.items]

    async def rules(self, job_id: str | None = "job-1") -> list[str]:
        page = await self.commands.unjudged(
            PROJECT, job_id, CommandName.REWRITE_INTERACTION_RULES, offset=0, limit=100
        )
        return [command.command_id for command in page.items]

    async def confirm(self, name: CommandName, *ids: str, confirmed: bool = True) -> None:
        await self.commands.confirm(
            *JOB, name=name, command_ids=frozenset(ids), confirmed=confirmed
        )


@pytest.fixture
async def desk() -> Desk:
    desk = Desk()
    await desk.rooms.save_room(a_room())
    await desk.jobs.save_job(a_job(state=JobState.PROCESSING))
    return desk


async def test_an_insertion_waits_for_its_turn(desk: Desk) -> None:
    command_id = await desk.execute(CommandName.INSERT_PLAY_SCRIPT, **INSERT)

    assert await desk.inserts() == (
        LiveCommand(
            command_id=command_id,
            project_id=PROJECT,
            room_id="room-1",
            job_id="job-1",
            name=CommandName.INSERT_PLAY_SCRIPT,
            params=INSERT,
            created_at_ms=desk.clock.utc_ns() // 1_000_000,
            source=CommandSource.EXTERNAL,
        ),
    )


async def test_insertions_come_in_pages_in_order(desk: Desk) -> None:
    ids = [await desk.execute(CommandName.INSERT_PLAY_AUDIO, audio_url="u") for _ in range(5)]

    page = await desk.commands.insert_commands(*JOB, offset=1, limit=2)

    assert page.count == 5
    assert [command.command_id for command in page.items] == ids[1:3]


async def test_queued_insertions_are_taken_back_by_id_or_all(desk: Desk) -> None:
    ids = [await desk.execute(CommandName.INSERT_PLAY_SCRIPT, **INSERT) for _ in range(3)]
    script = await desk.execute(CommandName.REWRITE_PLAY_SCRIPT, scene_scripts=[])

    await desk.commands.take_back(*JOB, frozenset({ids[1], "unknown"}))
    assert [command.command_id for command in await desk.inserts()] == [ids[0], ids[2]]

    await desk.commands.take_back(*JOB, frozenset())
    assert await desk.inserts() == ()
    assert await desk.scripts() == [script]


async def test_rewritten_scripts_and_rules_wait_for_a_persons_word(desk: Desk) -> None:
    first = await desk.execute(CommandName.REWRITE_PLAY_SCRIPT, scene_scripts=[1])
    second = await desk.execute(CommandName.REWRITE_PLAY_SCRIPT, scene_scripts=[2])
    rules = await desk.execute(CommandName.REWRITE_INTERACTION_RULES, interaction_rules=[{}])

    assert await desk.scripts() == [first, second]
    assert await desk.rules(None) == [rules]
    assert await desk.scripts("another job") == []

    await desk.confirm(CommandName.REWRITE_PLAY_SCRIPT, second, rules)
    assert await desk.scripts() == [first]

    await desk.confirm(CommandName.REWRITE_INTERACTION_RULES, confirmed=False)
    assert await desk.rules() == []


async def test_only_rewrites_are_judged(desk: Desk) -> None:
    await desk.execute(CommandName.INSERT_PLAY_SCRIPT, **INSERT)

    with pytest.raises(InvalidInput, match="command"):
        await desk.confirm(CommandName.INSERT_PLAY_SCRIPT)

    assert len(await desk.inserts()) == 1


async def test_rewritten_rules_get_indexes(desk: Desk) -> None:
    await desk.execute(
        CommandName.REWRITE_INTERACTION_RULES,
        interaction_rules=[{"rule_name": "a"}, {"rule_index": "7"}],
    )

    page = await desk.commands.unjudged(
        PROJECT, None, CommandName.REWRITE_INTERACTION_RULES, offset=0, limit=1
    )
    first, second = page.items[0].params["interaction_rules"]
    assert first["rule_index"]
    assert second == {"rule_index": "7"}


async def test_the_rooms_information_is_that_of_the_job(desk: Desk) -> None:
    program = Program(scenes=(), policy=PlayPolicy(repeat_count=3))
    job = replace(
        a_job(program=program),
        callback=CALLBACK,
        extras={"output_urls": ["job's"], "job_run_config": {}},
    )
    await desk.jobs.save_job(job)
    room = a_room(name="renamed since")
    await desk.rooms.save_room(
        replace(room, draft=replace(room.draft, extras={"output_urls": [], "priv_data": "p"}))
    )

    shown = await desk.commands.as_played(*JOB)

    assert shown.draft.name == "Evening Sale"
    assert (shown.draft.scenes, shown.draft.policy) == (program.scenes, program.policy)
    assert shown.draft.callback == CALLBACK
    assert shown.draft.extras == {"output_urls": ["job's"], "priv_data": "p"}


async def test_the_information_is_there_although_the_room_is_gone(desk: Desk) -> None:
    await desk.rooms.remove_room("room-1")

    shown = await desk.commands.as_played(*JOB)

    assert shown.draft.scenes == (SCENE,)
    assert shown.created_at_ms == T0


async def test_the_time_limit_is_changed(desk: Desk) -> None:
    limit = LiveExit(max_live_h=168, auto_stop=AutoStop.SCENE_END, max_exception_min=60)

    await desk.commands.reset_exit(*JOB, limit)

    assert desk.exits.reset == [("job-1", limit)]


@pytest.mark.parametrize("state", sorted(FINAL_STATES))
async def test_a_finished_job_takes_no_command_and_no_event(desk: Desk, state: JobState) -> None:
    await desk.execute(CommandName.INSERT_PLAY_SCRIPT, **INSERT)
    await desk.jobs.save_job(a_job(state=state))

    for name in STORED:
        with pytest.raises(LiveJobFinished):
            await desk.execute(name)
    for attempt in (
        desk.commands.take_back(*JOB, frozenset()),
        desk.commands.reset_exit(*JOB, LiveExit()),
        desk.commands.as_played(*JOB),
        desk.confirm(CommandName.REWRITE_PLAY_SCRIPT),
        desk.commands.report_events(*JOB, ()),
    ):
        with pytest.raises(LiveJobFinished):
            await attempt
    assert len(await desk.inserts()) == 1


@pytest.mark.parametrize(
    "job", [("other", *JOB[1:]), (PROJECT, "room-2", "job-1"), (PROJECT, "room-1", "unknown")]
)
async def test_a_job_is_found_in_its_project_and_room_only(
    desk: Desk, job: tuple[str, str, str]
) -> None:
    for attempt in (
        desk.commands.execute(*job, CommandName.INSERT_PLAY_SCRIPT, INSERT),
        desk.commands.take_back(*job, frozenset()),
        desk.commands.reset_exit(*job, LiveExit()),
        desk.commands.as_played(*job),
        desk.commands.insert_commands(*job, offset=0, limit=1),
        desk.commands.report_events(*job, ()),
    ):
        with pytest.raises(LiveJobNotFound):
            await attempt


async def test_a_job_takes_a_bounded_number_of_commands(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_commands, "MAX_COMMANDS", 2)
    for _ in range(2):
        await desk.execute(CommandName.INSERT_PLAY_SCRIPT, **INSERT)

    with pytest.raises(QuotaExceeded, match="at most 2"):
        await desk.execute(CommandName.REWRITE_PLAY_SCRIPT)


def an_event(kind: int = 1, content: str = COMMENT) -> AudienceEvent:
    return AudienceEvent(timestamp_ms=T0, type=kind, content=content)


async def test_of_events_that_cannot_all_be_read_none_is_kept(desk: Desk) -> None:
    def read() -> Iterator[AudienceEvent]:
        yield an_event()
        raise InvalidInput("events[1]", "is no event")

    with pytest.raises(InvalidInput):
        await desk.commands.report_events(*JOB, read())

    assert await desk.store.events("job-1") == []


async def test_only_the_latest_events_are_kept(desk: Desk) -> None:
    events = [an_event(6, json.dumps({"numberOfViewers": n})) for n in range(KEPT_EVENTS + 5)]

    await desk.commands.report_events(*JOB, tuple(events[:10]))
    await desk.commands.report_events(*JOB, tuple(events[10:]))

    assert await desk.store.events("job-1") == events[5:]
