"""Publishers' and listeners' sessions whose outcome a test decides, and how they are asked for."""

from __future__ import annotations

from typing import Any

import httpx

from airslice.application.broadcast.player_notices import PlayerNotices, Subscription
from airslice.application.listening.sessions import Listening
from airslice.application.rooms.publishing import Publishing
from airslice.application.rooms.room_sessions import OpenedSession
from airslice.domain.players import PlayState
from airslice.domain.room import RoomKey, StreamType

AUTHORIZATION = {"Authorization": "Bearer 001token"}
OFFER = {**AUTHORIZATION, "Content-Type": "application/sdp"}
FRAGMENT = {**AUTHORIZATION, "Content-Type": "application/trickle-ice-sdpfrag"}
ROOM = RoomKey("app", "room@1")


class _Scripted:
    """Sessions whose outcome a test decides."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []
        self.error: Exception | None = None
        self.restart_answer = "a=ice-ufrag:new\r\n"

    def restart(
        self, session_id: str, *, token: str, etag: str | None, fragment: str
    ) -> tuple[str, str]:
        self._called(session_id=session_id, token=token, etag=etag, fragment=fragment)
        return self.restart_answer, "tag-2" if self.restart_answer else "tag-1"

    def end(self, session_id: str, *, token: str) -> None:
        self._called(session_id=session_id, token=token)

    def _called(self, **arguments: Any) -> None:
        self.calls.append(arguments)
        if self.error is not None:
            raise self.error


class ScriptedPublishing(_Scripted, Publishing):
    """The use cases on publishing: remembers how it was called, and fails if told so."""

    def publish(
        self, app_id: str, room_id: str, *, token: str, offer: str, stream_type: StreamType
    ) -> OpenedSession:
        self._called(
            app_id=app_id, room_id=room_id, token=token, offer=offer, stream_type=stream_type
        )
        return OpenedSession(session_id="session", etag="tag-1", answer="v=0\r\n")


class ScriptedListening(_Scripted, Listening):
    """The use cases on listening: remembers how it was called, and fails if told so."""

    def __init__(self) -> None:
        super().__init__()
        self.notices = PlayerNotices()
        self.subscriptions: list[Subscription] = []

    def open(
        self, app_id: str, room_id: str, *, token: str, offer: str, user_id: str | None = None
    ) -> OpenedSession:
        self._called(app_id=app_id, room_id=room_id, token=token, offer=offer, user_id=user_id)
        return OpenedSession(session_id="session", etag="tag-1", answer="v=0\r\n")

    def events(self, session_id: str) -> Subscription:
        self._called(session_id=session_id)
        self.subscriptions.append(self.notices.subscribe(ROOM))
        return self.subscriptions[-1]

    async def command(self, session_id: str, command: str, timing: str) -> PlayState:
        self._called(session_id=session_id, command=command, timing=timing)
        return PlayState.PLAY_PAUSE


def code_of(response: httpx.Response) -> str:
    """The code of a problem (RFC 9457), which any page may read."""
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    problem = response.json()
    assert problem["status"] == response.status_code
    assert problem["detail"]
    return str(problem["code"])
