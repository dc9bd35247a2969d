"""The index by which jobs are found, against the plainest model of it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from airslice.application.ports.live import JobQuery, Page, Window
from airslice.domain.live_job import JobState
from airslice.persistence.sqlite.live_job_index import JobIndex, JobKeys, job_keys

ROOMS = range(4)
TIMES = st.integers(min_value=0, max_value=6)
BOUNDS = st.none() | st.integers(min_value=-1, max_value=7)

JOBS = st.lists(
    st.builds(
        JobKeys,
        id=st.integers(min_value=1, max_value=30),
        room=st.sampled_from(ROOMS),
        state=st.sampled_from(JobState),
        created_at_ms=TIMES,
        updated_at_ms=TIMES,
    ),
    max_size=40,
)
QUERIES = st.builds(
    JobQuery,
    window=st.builds(
        Window,
        offset=st.integers(min_value=0, max_value=45),
        limit=st.integers(min_value=1, max_value=100),
        created_since_ms=BOUNDS,
        created_until_ms=BOUNDS,
    ),
    states=st.frozensets(st.sampled_from(JobState)),
    by_update=st.booleans(),
    descending=st.booleans(),
)
CHOSEN_ROOMS = st.none() | st.frozensets(st.sampled_from([*ROOMS, 9]))


def listed(jobs: Iterable[JobKeys], query: JobQuery, rooms: frozenset[int] | None) -> Page[int]:
    """What a list is, at its plainest."""
    window = query.window
    found = [
        job
        for job in jobs
        if (rooms is None or job.room in rooms)
        and (not query.states or job.state in query.states)
        and (window.created_since_ms is None or job.created_at_ms >= window.created_since_ms)
        and (window.created_until_ms is None or job.created_at_ms <= window.created_until_ms)
    ]
    found.sort(
        key=lambda job: (job.updated_at_ms if query.by_update else job.created_at_ms, job.id),
        reverse=query.descending,
    )
    part = found[window.offset : window.offset + window.limit]
    return Page(len(found), tuple(job.id for job in part))


def numbers(rooms: frozenset[int] | None) -> np.ndarray[tuple[int], np.dtype[np.int32]] | None:
    return None if rooms is None else np.array(sorted(rooms), dtype=np.int32)


def in_order(jobs: list[JobKeys]) -> list[JobKeys]:
    """The jobs as they are saved: new ids rise, known ones keep their creation."""
    known: dict[int, JobKeys] = {}
    highest = 0
    saved = []
    for job in jobs:
        number = job.id if job.id in known else highest + 1
        highest = max(highest, number)
        created_at_ms = known[number].created_at_ms if number in known else job.created_at_ms
        known[number] = job._replace(id=number, created_at_ms=created_at_ms)
        saved.append(known[number])
    return saved


@given(jobs=JOBS, begin_with=st.integers(0, 40), query=QUERIES, rooms=CHOSEN_ROOMS)
def test_a_list_is_that_of_the_plain_model(
    jobs: list[JobKeys], begin_with: int, query: JobQuery, rooms: frozenset[int] | None
) -> None:
    saved = in_order(jobs)
    stored = {job.id: job for job in saved[:begin_with]}
    index = JobIndex(job_keys(stored[number] for number in sorted(stored)))
    for job in saved[begin_with:]:
        index.put(job)

    found = index.find(query, numbers(rooms))

    latest = {job.id: job for job in saved}
    assert found == listed(latest.values(), query, rooms)


def test_it_grows_as_far_as_it_must() -> None:
    index = JobIndex(job_keys(()))
    jobs = [JobKeys(n, n % 40, JobState.WAITING, 1_000 - n, n * 7 % 100) for n in range(1, 1_000)]

    for job in jobs:
        index.put(job)

    for rooms in (None, frozenset({3}), frozenset(range(30))):
        for by_update in (False, True):
            query = JobQuery(window=Window(limit=2_000), by_update=by_update)
            assert index.find(query, numbers(rooms)) == listed(jobs, query, rooms)
