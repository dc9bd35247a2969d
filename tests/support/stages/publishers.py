"""Publishers without media, and what lets them in."""

from __future__ import annotations

from dataclasses import dataclass, field

from airslice.application.ports.media import StreamSink
from airslice.domain import room_token
from airslice.domain.errors import OfferRefused
from airslice.domain.room import RoomKey, StreamKey
from airslice.domain.room_event import EndReason
from airslice.domain.room_token import Privilege
from tests.support.stages.stage import APP, Stage


@dataclass
class FakeSession:
    """A session without media."""

    sink: StreamSink
    answer: str = "answer"
    closed: bool = False

    def restart(self, fragment: str) -> str:
        if fragment == "garbage":
            raise OfferRefused("cannot be parsed")
        return "" if fragment == "candidates" else "new credentials"

    def close(self) -> None:
        self.end(EndReason.LOST)

    def end(self, reason: EndReason) -> None:
        """What the engine does when it finds the publisher gone."""
        if not self.closed:
            self.closed = True
            self.sink.ended(reason)


@dataclass
class FakeEngine:
    """An engine without media (port `MediaEngine`)."""

    sessions: list[FakeSession] = field(default_factory=list)

    def open(self, offer: str, sink: StreamSink) -> FakeSession:
        if offer == "garbage":
            raise OfferRefused("no audio")
        self.sessions.append(FakeSession(sink))
        return self.sessions[-1]


@dataclass
class RecordingObserver:
    """Keeps what it is told of sessions (port `SessionObserver`)."""

    began: list[tuple[RoomKey, StreamKey]] = field(default_factory=list)
    ended: list[tuple[RoomKey, StreamKey, EndReason]] = field(default_factory=list)

    def session_began(self, room: RoomKey, stream: StreamKey) -> None:
        self.began.append((room, stream))

    def session_ended(self, room: RoomKey, stream: StreamKey, reason: EndReason) -> None:
        self.ended.append((room, stream, reason))


def token(stage: Stage, user: str = "ann", *, may_publish: bool = True, room: str = "room") -> str:
    """A room token that is valid for a minute."""
    now_s = stage.clock.utc_ns() // 1_000_000_000
    granted = Privilege.PUBLISH_STREAM if may_publish else Privilege.SUBSCRIBE_STREAM
    return room_token.mint(
        room_token.RoomClaims(
            room_id=room,
            user_id=user,
            privileges={granted: 0},
            issued_at_s=now_s,
            expires_at_s=now_s + 60,
        ),
        app_id=APP.app_id,
        app_key=APP.app_key,
        nonce=1,
    )
