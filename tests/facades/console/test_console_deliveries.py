"""The outbox in the admin API, and the client that the command line asks with."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from typing import TypeVar

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette

from airslice.domain.callback import CallbackEvent
from airslice.domain.outbox import Delivery, DeliveryKind, DeliveryState, SliceName
from airslice.domain.room import StreamKey
from airslice.facades.console import AdminAccess, ConsoleFacade
from airslice.facades.console.client import AdminClient, AdminRefused
from tests.support.clock import HandClock
from tests.support.stages.console_stand_ins import PASSWORD, START_MS, Letters, Tasks, services

T = TypeVar("T")

EVENT = CallbackEvent(
    event_type="RoomCreate",
    event_id="event",
    app_id="app",
    version="2020-12-01",
    time_ms=START_MS,
    data='{"RoomId":"HIDDEN"}',
)
UPLOAD = Delivery(
    id=1,
    kind=DeliveryKind.UPLOAD,
    destination="tos/bucket",
    lane="lane",
    position=3,
    state=DeliveryState.WAITING,
    attempts=2,
    due_at_ms=START_MS + 5,
    created_at_ms=START_MS,
    last_error="HTTP 503",
    slice=SliceName("run", StreamKey("alice"), 3),
)
LETTER = Delivery(
    id=2,
    kind=DeliveryKind.CALLBACK,
    destination="app",
    lane="app/app/lobby",
    position=0,
    state=DeliveryState.DEAD,
    attempts=12,
    due_at_ms=START_MS,
    created_at_ms=START_MS,
    last_error="HTTP 500",
    event=EVENT,
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


@pytest.fixture
def port(letters: Letters) -> Iterator[int]:
    """A console with a password, served in a thread."""
    app = console(letters, PASSWORD)
    server = uvicorn.Server(uvicorn.Config(app, ws="none", lifespan="off", log_level="error"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield listener.getsockname()[1]
        server.should_exit = True
        thread.join()


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


def asked(port: int, password: str | None, question: Callable[[AdminClient], T]) -> T:
    with AdminClient("0.0.0.0", port, password) as client:
        return question(client)


async def test_the_client_signs_in_and_asks(port: int) -> None:
    def question(client: AdminClient) -> tuple[list[int], list[int], str, int]:
        everything = [delivery.id for delivery in client.deliveries("all")]
        dead = [delivery.id for delivery in client.deliveries("dead")]
        return everything, dead, client.delivery(2).last_error, client.retry_dead()

    told = await asyncio.to_thread(asked, port, PASSWORD, question)

    assert told == ([1, 2], [2], "HTTP 500", 1)


async def test_the_client_reads_page_after_page(port: int, letters: Letters) -> None:
    letters.kept = {n: replace(UPLOAD, id=n) for n in range(1, 1_201)}

    found = await asyncio.to_thread(asked, port, PASSWORD, lambda c: c.deliveries("all"))

    assert [delivery.id for delivery in found] == list(range(1, 1_201))


@pytest.mark.parametrize(
    ("password", "told"),
    [("wrong", "password is wrong"), (None, "without server|sign in"), (PASSWORD, "no delivery 7")],
)
async def test_the_client_tells_the_servers_refusals(
    port: int, password: str | None, told: str
) -> None:
    with pytest.raises(AdminRefused, match=told):
        await asyncio.to_thread(asked, port, password, lambda client: client.retry(7))


async def test_the_client_says_when_nobody_is_there(unused_tcp_port: int) -> None:
    with pytest.raises(ConnectionError):
        await asyncio.to_thread(asked, unused_tcp_port, PASSWORD, lambda client: client.retry(7))
