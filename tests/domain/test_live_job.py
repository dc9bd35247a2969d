"""The life of a live job."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from airslice.domain.live_job import (
    FINAL_STATES,
    TRANSITIONS,
    IllegalJobTransition,
    JobEvent,
    JobState,
    LiveJob,
    RtcUserKind,
    rtc_place,
)
from airslice.domain.room import is_valid_id
from airslice.domain.script import Program

PAGE = Path(__file__).parents[2] / "docs" / "live.md"

JOB = LiveJob(
    job_id="26f06524-4f75-4b3a-a853-b649a21aaf66",
    project_id="project",
    room_id="room",
    room_name="a room",
    program=Program(),
    place=rtc_place("app", "job", has_capture=False),
    created_at_ms=1_000,
    updated_at_ms=1_000,
)


def test_the_documented_diagram_is_the_transition_table() -> None:
    jobs = PAGE.read_text().partition("## Jobs")[2]
    drawn = re.findall(r"^    (\w+) --> (\w+): (\w+)$", jobs, re.MULTILINE)

    assert drawn == [
        (str(before), str(after), str(event)) for (before, event), after in TRANSITIONS.items()
    ]


@pytest.mark.parametrize("state", JobState)
@pytest.mark.parametrize("event", JobEvent)
def test_an_event_without_a_meaning_changes_nothing(state: JobState, event: JobEvent) -> None:
    job = replace(JOB, state=state)

    if (state, event) in TRANSITIONS:
        assert job.after(event, at_ms=2_000).state is TRANSITIONS[state, event]
    else:
        with pytest.raises(IllegalJobTransition):
            job.after(event, at_ms=2_000)


def test_final_states_have_no_way_out_and_all_others_have_an_end() -> None:
    assert not {state for state, _ in TRANSITIONS} & FINAL_STATES
    for state in set(JobState) - FINAL_STATES:
        ends = {after for (before, _), after in TRANSITIONS.items() if before is state}
        assert ends >= FINAL_STATES


def test_times_are_those_of_what_happened() -> None:
    on_air = JOB.after(JobEvent.WENT_ON_AIR, at_ms=2_000)
    ended = on_air.after(JobEvent.SCRIPT_ENDED, at_ms=5_000)

    assert (on_air.started_at_ms, on_air.ended_at_ms, on_air.updated_at_ms) == (2_000, 0, 2_000)
    assert (ended.started_at_ms, ended.ended_at_ms, ended.updated_at_ms) == (2_000, 5_000, 5_000)


def test_a_duration_runs_while_a_job_is_on_air() -> None:
    on_air = replace(JOB, state=JobState.PROCESSING, updated_at_ms=5_000, on_air_ms=700)

    assert JOB.on_air_for(9_000) == 0
    assert on_air.on_air_for(6_500) == 2_200
    assert on_air.on_air_for(4_000) == 700  # the wall clock was put back
    assert replace(on_air, state=JobState.SUCCEED).on_air_for(9_000) == 700


def test_a_broadcast_has_a_room_and_users_of_its_own() -> None:
    place = rtc_place("app", JOB.job_id, has_capture=True)
    other = rtc_place("app", "another", has_capture=True)

    ids = [place.room_id, *(user.user_id for user in place.users)]
    assert all(map(is_valid_id, ids))
    assert [user.kind for user in place.users] == list(RtcUserKind)
    assert not set(ids) & {other.room_id, *(user.user_id for user in other.users)}
