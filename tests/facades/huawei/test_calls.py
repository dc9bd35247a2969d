"""How operations are described."""

from __future__ import annotations

import pytest

from airslice.facades.huawei.calls import Operation
from airslice.facades.huawei.fields import NoBody, NoQuery
from airslice.facades.huawei.live_jobs import (
    SmartLiveJobs,
    SmartLiveQuery,
    list_jobs_of_room,
    stop_job,
)
from airslice.facades.huawei.operations import OPERATIONS


def test_what_is_taken_and_given_is_said_by_the_signature() -> None:
    listing = Operation("List", "GET", "/jobs", list_jobs_of_room)
    stop = Operation("Stop", "POST", "/stop", stop_job)

    assert listing.shapes == (SmartLiveQuery, NoBody, SmartLiveJobs)
    assert stop.shapes == (NoQuery, NoBody, NoBody)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_every_operation_says_what_it_does(operation: Operation) -> None:
    assert (operation.run.__doc__ or "").strip()
