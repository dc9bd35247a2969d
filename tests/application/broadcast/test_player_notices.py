"""Who gets the messages of a broadcast."""

from __future__ import annotations

import asyncio

from airslice.application.broadcast.player_notices import MAX_WAITING, PlayerNotices
from airslice.domain.players import PlayState
from airslice.domain.playing import Line
from airslice.domain.room import RoomKey
from airslice.domain.script import Cursor, Paragraph, Scene
from airslice.domain.sentences import Sentence

ROOM, OTHER = RoomKey("app", "room"), RoomKey("app", "other")
SCENE = Scene(script_id="s", name="scene")


def progress(offset: int) -> Line:
    return Line(Cursor(), SCENE, Paragraph(number=1), Sentence(offset, ()))


async def test_every_subscriber_of_a_room_gets_its_messages_in_order() -> None:
    notices = PlayerNotices()
    first, second = notices.subscribe(ROOM), notices.subscribe(ROOM)
    elsewhere = notices.subscribe(OTHER)

    for number in range(3):
        notices.notify(ROOM, progress(number))
    notices.end(ROOM)
    notices.end(OTHER)

    expected = [progress(number) for number in range(3)]
    assert [message async for message in first] == expected
    assert [message async for message in second] == expected
    assert [message async for message in elsewhere] == []


async def test_a_new_subscriber_is_told_the_latest_state_first() -> None:
    notices = PlayerNotices()
    notices.notify(ROOM, PlayState.PROCESSING)
    notices.notify(ROOM, PlayState.PLAY_PAUSE)
    notices.notify(ROOM, progress(1))

    with notices.subscribe(ROOM) as messages:
        notices.notify(ROOM, progress(2))
        assert await anext(messages) == PlayState.PLAY_PAUSE
        assert await anext(messages) == progress(2)


async def test_a_subscriber_waits_for_what_comes() -> None:
    notices = PlayerNotices()
    messages = notices.subscribe(ROOM)
    waiting = asyncio.create_task(anext(messages))
    await asyncio.sleep(0)

    notices.notify(ROOM, progress(1))

    assert await waiting == progress(1)


async def test_a_subscriber_who_does_not_take_loses_the_oldest() -> None:
    notices = PlayerNotices()
    with notices.subscribe(ROOM) as slow:
        for number in range(MAX_WAITING + 3):
            notices.notify(ROOM, progress(number))
        assert await anext(slow) == progress(3)
        assert slow.dropped == 3
    assert notices.dropped == 3


async def test_after_the_end_nothing_of_a_room_is_remembered() -> None:
    notices = PlayerNotices()
    messages = notices.subscribe(ROOM)
    notices.notify(ROOM, PlayState.PLAY_END)
    notices.end(ROOM)

    assert [message async for message in messages] == [PlayState.PLAY_END]
    messages.close()  # harmless
    assert notices.rooms == set()


async def test_who_has_left_is_told_nothing() -> None:
    notices = PlayerNotices()
    with notices.subscribe(ROOM) as messages:
        pass

    notices.notify(ROOM, progress(1))

    assert [message async for message in messages] == []
    assert notices.rooms == set()
