"""Errors of the admin API are problem details."""

from __future__ import annotations

import httpx

from airslice.domain import errors
from airslice.domain.errors import AirsliceError
from airslice.facades.console.problems import STATUSES
from tests.support.stages.console_stand_ins import APP_ID, Tasks

ROOM = f"/api/rooms/{APP_ID}/lobby"


def subclasses(error: type[AirsliceError]) -> set[type[AirsliceError]]:
    below = set(error.__subclasses__())
    return below.union(*(subclasses(child) for child in below))


async def start(client: httpx.AsyncClient, **order: object) -> httpx.Response:
    return await client.put(f"{ROOM}/slicing", json=order)


async def test_a_refusal_of_the_use_case_keeps_its_code(
    client: httpx.AsyncClient, tasks: Tasks
) -> None:
    tasks.failure = errors.TooManyTasks("the server takes no more tasks now")

    response = await start(client)

    assert response.status_code == 503
    assert response.json() == {
        "type": "urn:airslice:problem:too_many_tasks",
        "title": "Service Unavailable",
        "status": 503,
        "detail": "the server takes no more tasks now",
    }


def test_every_error_has_its_status() -> None:
    assert set(STATUSES) == subclasses(AirsliceError)
