"""The other end of the admin API, for the command line."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeVar

import pytest
import uvicorn
from starlette.applications import Starlette

from airslice.facades.console.access import AdminAccess
from airslice.facades.console.client import AdminClient, AdminRefused
from airslice.facades.console.facade import ConsoleFacade
from tests.support.clock import HandClock
from tests.support.stages.console_stand_ins import (
    LETTER,
    PASSWORD,
    UPLOAD,
    Letters,
    Tasks,
    services,
)

T = TypeVar("T")


@pytest.fixture
def letters() -> Letters:
    letters = Letters()
    letters.kept = {1: UPLOAD, 2: LETTER}
    return letters


def console(letters: Letters, password: str | None) -> Starlette:
    access = AdminAccess(password=password, master_key=bytes(32), clock=HandClock())
    return Starlette(routes=ConsoleFacade(services(Tasks(), (), letters), access).routes())


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
