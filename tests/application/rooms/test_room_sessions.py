from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from airslice.application.rooms.bans import Bans
from airslice.application.rooms.room_sessions import (
    Admission,
    Purpose,
    RoomSession,
    RoomSessions,
    check_id,
)
from airslice.application.wall_clock import WallClock
from airslice.domain.ban import Ban, BanScope
from airslice.domain.errors import (
    AppNotFound,
    InvalidInput,
    PreconditionFailed,
    SessionNotFound,
    TokenRefused,
    UserBanned,
)
from airslice.domain.fields import SessionField
from airslice.domain.room import RoomKey
from airslice.domain.room_event import EndReason
from tests.support.memory.bans import MemoryBanStore
from tests.support.stages.publishers import token
from tests.support.stages.stage import APP, Stage

ROOM = RoomKey(APP.app_id, "room")


@dataclass
class Connection:
    """A connection without media (port `MediaSession`)."""

    answer: str = "answer"
    fragments: list[str] = field(default_factory=list)
    is_open: bool = True

    def restart(self, fragment: str) -> str:
        self.fragments.append(fragment)
        return "" if fragment == "candidates" else "new credentials"

    def close(self) -> None:
        self.is_open = False


class Sessions(RoomSessions[RoomSession[Connection]]):
    """Sessions that are simply there."""

    def enter(self, user_id: str, room: RoomKey = ROOM) -> RoomSession[Connection]:
        session: RoomSession[Connection] = RoomSession(room, user_id)
        session.connection = Connection()
        self._by_id[session.id] = session
        return session


@pytest.fixture
def bans(stage: Stage) -> Bans:
    return Bans(store=MemoryBanStore(), wall_clock=WallClock(stage.clock))


@pytest.fixture
def admission(stage: Stage, bans: Bans) -> Admission:
    return Admission(apps={APP.app_id: APP}, wall_clock=WallClock(stage.clock), bans=bans)


@pytest.fixture
def sessions(admission: Admission) -> Sessions:
    return Sessions(admission, Purpose.PUBLISH)


def test_a_room_is_named_by_its_application_and_an_id(admission: Admission) -> None:
    assert admission.room(APP.app_id, "room") == ROOM
    with pytest.raises(AppNotFound, match="there is no application nowhere"):
        admission.room("nowhere", "a/b")
    with pytest.raises(InvalidInput, match=SessionField.ROOM):
        admission.room(APP.app_id, "a/b")


@pytest.mark.parametrize(("value", "is_id"), [("a", True), ("a" * 128, True), ("", False)])
def test_ids_are_checked_by_name(value: str, is_id: bool) -> None:
    if is_id:
        check_id(SessionField.HEARD_USER, value)
    else:
        with pytest.raises(InvalidInput, match=SessionField.HEARD_USER):
            check_id(SessionField.HEARD_USER, value)


@pytest.mark.parametrize("purpose", Purpose)
def test_a_token_serves_the_purpose_it_was_made_for(
    stage: Stage, admission: Admission, purpose: Purpose
) -> None:
    publishes = purpose is Purpose.PUBLISH
    fitting, other = (token(stage, may_publish=may) for may in (publishes, not publishes))

    assert admission.admit(ROOM, fitting, purpose) == "ann"
    with pytest.raises(TokenRefused, match=f"the privilege to {purpose}"):
        admission.admit(ROOM, other, purpose)


async def test_a_ban_keeps_the_bearer_of_a_good_token_out(
    stage: Stage, admission: Admission, bans: Bans
) -> None:
    ann = BanScope(app_id=APP.app_id, room_id="room", user_id="ann")
    await bans.put(Ban(scope=ann, expires_at_ms=2**60))

    with pytest.raises(UserBanned):
        admission.admit(ROOM, token(stage), Purpose.PUBLISH)
    with pytest.raises(UserBanned):
        admission.check(ROOM, "ann")
    assert admission.bearer(ROOM, token(stage), Purpose.PUBLISH) == "ann"
    admission.check(ROOM, "bob")


def test_what_a_user_is_told_names_his_session(sessions: Sessions) -> None:
    first, second = sessions.enter("ann"), sessions.enter("ann")

    assert first.opened.answer == "answer"
    assert first.opened.session_id == first.id
    assert len({first.id, second.id, first.etag, second.etag}) == 4
    assert len(first.id) >= 32
    assert sessions.sessions == 2


def test_a_restart_makes_a_new_entity_tag_and_candidates_do_not(
    stage: Stage, sessions: Sessions
) -> None:
    session = sessions.enter("ann")
    tag = session.etag

    def restart(etag: str | None, fragment: str) -> tuple[str, str]:
        return sessions.restart(session.id, token=token(stage), etag=etag, fragment=fragment)

    assert restart(tag, "candidates") == ("", tag)
    answer, new_tag = restart(tag, "credentials")
    assert (answer, new_tag) == ("new credentials", session.etag)
    assert new_tag != tag
    with pytest.raises(PreconditionFailed):
        restart(tag, "credentials")
    assert session.connection.fragments == ["candidates", "credentials"]
    for anything in (None, "*"):
        assert restart(anything, "candidates") == ("", new_tag)


def test_only_its_user_may_change_a_session(stage: Stage, sessions: Sessions) -> None:
    session = sessions.enter("ann")

    with pytest.raises(TokenRefused, match="another user's"):
        sessions.end(session.id, token=token(stage, "bob"))
    with pytest.raises(TokenRefused, match="another user's"):
        sessions.restart(session.id, token=token(stage, "bob"), etag=None, fragment="new")
    with pytest.raises(SessionNotFound):
        sessions.end("another", token=token(stage))
    assert session.connection.is_open

    sessions.end(session.id, token=token(stage))

    assert not session.connection.is_open


def test_the_sessions_of_a_scope_end(sessions: Sessions) -> None:
    elsewhere = ROOM._replace(room_id="elsewhere")
    entered = [sessions.enter("ann"), sessions.enter("ann", elsewhere), sessions.enter("bob")]

    sessions.end_all(BanScope(app_id=APP.app_id, user_id="ann"), EndReason.KICKED)

    assert [session.connection.is_open for session in entered] == [False, False, True]
