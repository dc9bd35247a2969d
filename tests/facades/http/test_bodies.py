"""Bodies are read within bounds, and their wrong fields are named."""

from __future__ import annotations

import msgspec
import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from airslice.facades.http.bodies import invalid_input, read_body
from airslice.facades.http.refusals import Refusal, WireError

TOO_LARGE = Refusal(WireError("large", 413, "too large"))


def request(*messages: Message) -> Request:
    """A request whose body comes in these messages; asking for more is an error."""
    left = list(messages)

    async def receive() -> Message:
        return left.pop(0)

    return Request({"type": "http", "headers": []}, receive)


def chunk(body: bytes, more: bool = True) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


async def test_chunks_are_joined_up_to_the_bound() -> None:
    coming = request(chunk(b"ab"), chunk(b""), chunk(b"cd", more=False))

    assert await read_body(coming, max_bytes=4, too_large=TOO_LARGE) == b"abcd"


async def test_one_byte_more_is_refused_and_nothing_is_read_after_it() -> None:
    coming = request(chunk(b"ab"), chunk(b"cde"))

    with pytest.raises(Refusal) as refused:
        await read_body(coming, max_bytes=4, too_large=TOO_LARGE)
    assert refused.value is TOO_LARGE


async def test_a_client_that_leaves_has_sent_no_body() -> None:
    with pytest.raises(ClientDisconnect):
        await read_body(
            request(chunk(b"ab"), {"type": "http.disconnect"}), max_bytes=4, too_large=TOO_LARGE
        )


class Inner(msgspec.Struct):
    number: int


class Outer(msgspec.Struct):
    inner: Inner
    numbers: list[int] = []


@pytest.mark.parametrize(
    ("body", "field", "problem"),
    [
        (b'{"inner": {"number": "x"}}', "inner.number", "Expected `int`, got `str`"),
        (b'{"inner": {"number": 1}, "numbers": [1, null]}', "numbers[1]", "Expected `int`"),
        (b'{"inner": {}}', "inner.number", "must be given"),
        (b"{}", "inner", "must be given"),
        (b"[]", "body", "Expected `object`, got `array`"),
    ],
)
def test_a_wrong_field_is_named_by_its_path(body: bytes, field: str, problem: str) -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.json.decode(body, type=Outer)

    told = invalid_input(str(caught.value))

    assert (told.field, told.problem[: len(problem)]) == (field, problem)
