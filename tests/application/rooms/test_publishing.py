from __future__ import annotations

import pytest

from airslice.application.rooms.bans import Bans
from airslice.application.rooms.publishing import Publishing
from airslice.application.rooms.room_sessions import Admission, OpenedSession
from airslice.application.wall_clock import WallClock
from airslice.domain.ban import Ban, BanScope
from airslice.domain.errors import (
    AppNotFound,
    InvalidInput,
    OfferRefused,
    PreconditionFailed,
    RoomFull,
    SessionNotFound,
    TokenRefused,
    UserBanned,
)
from airslice.domain.room import RoomKey, StreamKey, StreamType
from airslice.domain.room_event import EndReason
from tests.support.memory.bans import MemoryBanStore
from tests.support.stages.publishers import FakeEngine, RecordingObserver, token
from tests.support.stages.stage import APP, Stage


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def bans(stage: Stage) -> Bans:
    return Bans(store=MemoryBanStore(), wall_clock=WallClock(stage.clock))


@pytest.fixture
def observer() -> RecordingObserver:
    return RecordingObserver()


@pytest.fixture
def publishing(
    stage: Stage, engine: FakeEngine, bans: Bans, observer: RecordingObserver
) -> Publishing:
    return Publishing(
        admission=Admission(apps={APP.app_id: APP}, wall_clock=WallClock(stage.clock), bans=bans),
        rooms=stage.rooms,
        engine=engine,
        observer=observer,
    )


def publish(
    publishing: Publishing, token: str, *, offer: str = "offer", room: str = "room"
) -> OpenedSession:
    return publishing.publish(
        APP.app_id, room, token=token, offer=offer, stream_type=StreamType.MAIN
    )


def published(stage: Stage) -> list[StreamKey]:
    room = stage.rooms.find(RoomKey(APP.app_id, "room"))
    return [s.key for s in room.streams.values() if s.published] if room else []


def test_the_tokens_user_publishes(stage: Stage, publishing: Publishing) -> None:
    opened = publish(publishing, token(stage))

    assert opened.answer == "answer"
    assert published(stage) == [StreamKey("ann")]


def test_an_ended_session_is_gone(stage: Stage, publishing: Publishing) -> None:
    opened = publish(publishing, token(stage))

    publishing.end(opened.session_id, token=token(stage))

    assert published(stage) == []
    with pytest.raises(SessionNotFound):
        publishing.end(opened.session_id, token=token(stage))


def test_a_session_that_the_engine_ends_is_gone(
    stage: Stage, publishing: Publishing, engine: FakeEngine
) -> None:
    publish(publishing, token(stage))

    engine.sessions[0].close()

    assert published(stage) == []
    assert publishing.sessions == 0


def test_a_user_who_publishes_again_replaces_his_session(
    stage: Stage, publishing: Publishing, engine: FakeEngine
) -> None:
    first = publish(publishing, token(stage))
    second = publish(publishing, token(stage))

    assert [session.closed for session in engine.sessions] == [True, False]
    assert published(stage) == [StreamKey("ann")]
    assert first.session_id != second.session_id
    assert publishing.sessions == 1


def test_a_refused_offer_leaves_the_users_session_alone(
    stage: Stage, publishing: Publishing, engine: FakeEngine
) -> None:
    publish(publishing, token(stage))

    with pytest.raises(OfferRefused):
        publish(publishing, token(stage), offer="garbage")

    assert not engine.sessions[0].closed
    assert published(stage) == [StreamKey("ann")]


def test_a_full_room_takes_nobody(stage: Stage, publishing: Publishing, engine: FakeEngine) -> None:
    for number in range(50):
        publish(publishing, token(stage, f"user{number}"))

    with pytest.raises(RoomFull):
        publish(publishing, token(stage, "another"))

    assert engine.sessions[-1].closed
    assert publishing.sessions == 50
    publish(publishing, token(stage, "user7"))  # who is in may come back


@pytest.mark.parametrize("flaw", ["may not publish", "other room", "expired", "nonsense"])
def test_a_token_must_allow_publishing_here_and_now(
    stage: Stage, publishing: Publishing, flaw: str
) -> None:
    given = {
        "may not publish": token(stage, may_publish=False),
        "other room": token(stage, room="elsewhere"),
        "expired": token(stage),
        "nonsense": "001",
    }[flaw]
    if flaw == "expired":
        stage.clock.now_ns += 61_000_000_000

    with pytest.raises(TokenRefused):
        publish(publishing, given)


def test_unknown_applications_and_bad_rooms_are_named(stage: Stage, publishing: Publishing) -> None:
    with pytest.raises(AppNotFound):
        publishing.publish(
            "nowhere", "room", token="001", offer="offer", stream_type=StreamType.MAIN
        )
    with pytest.raises(InvalidInput, match="room:"):
        publish(publishing, token(stage), room="a/b")


def test_a_restart_makes_a_new_entity_tag(stage: Stage, publishing: Publishing) -> None:
    opened = publish(publishing, token(stage))

    answer, etag = publishing.restart(
        opened.session_id, token=token(stage), etag=opened.etag, fragment="new"
    )

    assert answer == "new credentials"
    assert etag != opened.etag
    with pytest.raises(PreconditionFailed):
        publishing.restart(opened.session_id, token=token(stage), etag=opened.etag, fragment="new")


def test_candidates_alone_restart_nothing(stage: Stage, publishing: Publishing) -> None:
    opened = publish(publishing, token(stage))

    answer, etag = publishing.restart(
        opened.session_id, token=token(stage), etag="*", fragment="candidates"
    )

    assert (answer, etag) == ("", opened.etag)


def test_another_users_token_does_not_end_a_session(stage: Stage, publishing: Publishing) -> None:
    opened = publish(publishing, token(stage))

    with pytest.raises(TokenRefused):
        publishing.end(opened.session_id, token=token(stage, "bob"))


async def test_a_banned_user_may_not_publish_until_the_ban_expires(
    stage: Stage, publishing: Publishing, bans: Bans, engine: FakeEngine
) -> None:
    ann = BanScope(app_id=APP.app_id, room_id="room", user_id="ann")
    now_ms = stage.clock.utc_ns() // 1_000_000
    await bans.put(Ban(scope=ann, expires_at_ms=now_ms + 10_000))

    with pytest.raises(UserBanned, match="for 10 s"):
        publish(publishing, token(stage))
    assert not engine.sessions
    publish(publishing, token(stage, "bob"))
    publish(publishing, token(stage, room="elsewhere"), room="elsewhere")

    stage.clock.now_ns += 10_000_000_000
    publish(publishing, token(stage))


async def test_a_ban_is_told_only_to_the_user_himself(
    publishing: Publishing, bans: Bans, stage: Stage
) -> None:
    room = BanScope(app_id=APP.app_id, room_id="room")
    await bans.put(Ban(scope=room, expires_at_ms=2**60))

    with pytest.raises(TokenRefused):
        publish(publishing, token(stage, may_publish=False))


def test_all_sessions_in_a_scope_are_ended(
    stage: Stage, publishing: Publishing, observer: RecordingObserver
) -> None:
    for user, room in [("ann", "room"), ("bob", "room"), ("ann", "elsewhere")]:
        publish(publishing, token(stage, user, room=room), room=room)

    publishing.end_all(BanScope(app_id=APP.app_id, user_id="ann"), EndReason.KICKED)

    assert observer.ended == [
        (RoomKey(APP.app_id, room), StreamKey("ann"), EndReason.KICKED)
        for room in ("room", "elsewhere")
    ]
    assert publishing.sessions == 1
    assert published(stage) == [StreamKey("bob")]


def test_observers_are_told_why_each_session_ended(
    stage: Stage, publishing: Publishing, engine: FakeEngine, observer: RecordingObserver
) -> None:
    publish(publishing, token(stage))
    again = publish(publishing, token(stage))
    publishing.end(again.session_id, token=token(stage))
    for reason in (EndReason.LEFT, EndReason.LOST, EndReason.SHUTDOWN):
        publish(publishing, token(stage))
        engine.sessions[-1].end(reason)

    assert [reason for _, _, reason in observer.ended] == [
        EndReason.REPLACED,
        EndReason.LEFT,
        EndReason.LEFT,
        EndReason.LOST,
        EndReason.SHUTDOWN,
    ]
    assert len(observer.began) == 5


def test_observers_are_not_told_of_somebody_whom_a_full_room_refused(
    stage: Stage, publishing: Publishing, observer: RecordingObserver
) -> None:
    for number in range(50):
        publish(publishing, token(stage, f"user{number}"))

    with pytest.raises(RoomFull):
        publish(publishing, token(stage, "another"))

    assert (len(observer.began), len(observer.ended)) == (50, 0)
