"""The outbox in the admin API, and the client that the command line asks with."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette

from airslice.domain.outbox import DeliveryState
from airslice.facades.console.access import AdminAccess
from airslice.facades.console.facade import ConsoleFacade
from tests.support.clock import HandClock
from tests.support.stages.console_stand_ins import (
    LETTER,
    START_MS,
    UPLOAD,
    Letters,
    Tasks,
    services,
)


@pytest.fixture
def letters() -> Letters:
    letters = Letters()
    letters.kept = {1: UPLOAD, 2: LETTER}
    return letters


def console(letters: Letters, password: str | None) -> Starlette:
    access = AdminAccess(password=password, master_key=bytes(32), clock=HandClock())
    return Starlette(routes=ConsoleFacade(services(Tasks(), (), letters), access).routes())


@pytest.fixture
async def http(letters: Letters) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(console(letters, None), client=("127.0.0.1", 50_000))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        yield http


async def test_a_delivery_is_shown_without_the_events_data(http: httpx.AsyncClient) -> None:
    response = await http.get("/api/deliveries/2")

    assert response.json() == {
        "id": 2,
        "kind": "callback",
        "state": "dead",
        "destination": "app",
        "lane": "app/app/lobby",
        "event_type": "RoomCreate",
        "event_id": "event",
        "run_id": None,
        "user_id": None,
        "index": None,
        "attempts": 12,
        "due_ms": START_MS,
        "created_ms": START_MS,
        "last_error": "HTTP 500",
    }


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("", [1, 2]),
        ("?state=dead", [2]),
        ("?state=pending", [1]),
        ("?limit=1", [1]),
        ("?after=1", [2]),
    ],
)
async def test_deliveries_are_listed(http: httpx.AsyncClient, query: str, ids: list[int]) -> None:
    response = await http.get(f"/api/deliveries{query}")

    assert [delivery["id"] for delivery in response.json()["deliveries"]] == ids


@pytest.mark.parametrize(
    "query", ["state=lost", "limit=0", "limit=501", "limit=x", "after=-1", f"after={2**63}"]
)
async def test_what_cannot_be_listed_is_a_problem(http: httpx.AsyncClient, query: str) -> None:
    response = await http.get(f"/api/deliveries?{query}")

    assert response.status_code == 400
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("number", "status"), [("7", 404), ("9" * 19, 404), ("9" * 40, 400), ("x", 400), ("-1", 400)]
)
async def test_what_is_not_there_is_a_problem(
    http: httpx.AsyncClient, number: str, status: int
) -> None:
    assert (await http.get(f"/api/deliveries/{number}")).status_code == status
    assert (await http.post(f"/api/deliveries/{number}/retry")).status_code == status


async def test_a_dead_letter_is_sent_again(http: httpx.AsyncClient, letters: Letters) -> None:
    response = await http.post("/api/deliveries/2/retry")

    assert response.json()["state"] == "waiting"
    assert letters.kept[2].attempts == 0


async def test_all_dead_letters_are_sent_again(http: httpx.AsyncClient, letters: Letters) -> None:
    response = await http.post("/api/deliveries/retry-dead")

    assert response.json() == {"revived": 1}
    assert letters.kept[2].state is DeliveryState.WAITING
