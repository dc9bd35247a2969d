from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from airslice.application.ports import StreamSink
from airslice.application.publishing import OpenedSession, Publishing
from airslice.application.wall_clock import WallClock
from airslice.domain import room_token
from airslice.domain.errors import (
    AppNotFound,
    InvalidInput,
    OfferRefused,
    PreconditionFailed,
    RoomFull,
    SessionNotFound,
    TokenRefused,
)
from airslice.domain.room import RoomKey, StreamKey, StreamType
from airslice.domain.room_token import Privilege
from tests.application.stage import APP, Stage


@dataclass
class FakeSession:
    sink: StreamSink
    answer: str = "answer"
    closed: bool = False

    def restart(self, fragment: str) -> str:
        if fragment == "garbage":
            raise OfferRefused("cannot be parsed")
        return "" if fragment == "candidates" else "new credentials"

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self.sink.ended()


@dataclass
class FakeEngine:
    sessions: list[FakeSession] = field(default_factory=list)

    def open(self, offer: str, sink: StreamSink) -> FakeSession:
        if offer == "garbage":
            raise OfferRefused("no audio")
        self.sessions.append(FakeSession(sink))
        return self.sessions[-1]


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def publishing(stage: Stage, engine: FakeEngine) -> Publishing:
    return Publishing(
        apps={APP.app_id: APP},
        rooms=stage.rooms,
        engine=engine,
        wall_clock=WallClock(stage.clock),
    )


def token(stage: Stage, user: str = "ann", *, may_publish: bool = True, room: str = "room") -> str:
    now_s = stage.clock.utc_ns() // 1_000_000_000
    granted = Privilege.PUBLISH_STREAM if may_publish else Privilege.SUBSCRIBE_STREAM
    return room_token.mint(
        app_id=APP.app_id,
        app_key=APP.app_key,
        room_id=room,
        user_id=user,
        privileges={granted: 0},
        issued_at_s=now_s,
        expires_at_s=now_s + 60,
        nonce=1,
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
    with pytest.raises(InvalidInput, match="RoomId"):
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
