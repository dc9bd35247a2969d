"""Which rooms are wanted: query parameters → the domain's values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeVar

from airslice.application.ports.live import RoomQuery
from airslice.domain.errors import InvalidInput
from airslice.domain.live_job import JobState
from airslice.domain.live_room import ConfirmState, LiveRoomType, TemplateOwner
from airslice.facades.huawei.fields import Text256, WindowQuery, since_ms, until_ms

T = TypeVar("T")

TEMPLATE_OWNERS = {
    "OWNED": TemplateOwner.OWNED,
    "SHARED_TO_OHTERS": TemplateOwner.SHARED_TO_OTHERS,
    "SHARED_FROM_OHTERS": TemplateOwner.SHARED_FROM_OTHERS,
    "PUBLIC": TemplateOwner.PUBLIC,
}

CANCELED = "CANCELED"
"""A state that no job here has."""

LIVE_STATES: Mapping[str, JobState | None] = {
    "WAITING": JobState.WAITING,
    "PROCESSING": JobState.PROCESSING,
    "SUCCESS": JobState.SUCCEED,
    "SUCCEED": JobState.SUCCEED,
    "FAILED": JobState.FAILED,
    "BLOCKED": JobState.BLOCKED,
    "NULL": None,
}

CONFIRM_STATES = {
    "unconfirm": ConfirmState.UNCONFIRMED,
    "confirmed": ConfirmState.CONFIRMED,
    "reject": ConfirmState.REJECTED,
}


class SmartLiveRoomsQuery(WindowQuery, frozen=True, kw_only=True):
    """Which rooms are wanted."""

    room_name: Text256 | None = None
    dh_id: Text256 | None = None
    model_name: Text256 | None = None
    live_state: Text256 | None = None
    start_time: str | None = None
    end_time: str | None = None
    room_type: LiveRoomType | None = None
    template_own_type: (
        Literal["OWNED", "SHARED_TO_OHTERS", "SHARED_FROM_OHTERS", "PUBLIC"] | None
    ) = None
    confirm_state: Text256 | None = None

    @property
    def owner(self) -> TemplateOwner | None:
        """Whose templates are wanted; None: rooms."""
        given = self.template_own_type
        return None if given is None else TEMPLATE_OWNERS[given]

    @property
    def is_in_vain(self) -> bool:
        """Whether no room can be what is wanted."""
        return set(split_list(self.live_state)) == {CANCELED}

    def query(self) -> RoomQuery:
        """Return what is asked for.

        Raises:
            InvalidInput: a value is none of the known ones.
        """
        states = [state for state in split_list(self.live_state) if state != CANCELED]
        return RoomQuery(
            window=self.window(),
            name=self.room_name or "",
            dh_id=self.dh_id or "",
            model_name=self.model_name or "",
            last_job_states=frozenset(known("live_state", state, LIVE_STATES) for state in states),
            last_job_since_ms=since_ms("start_time", self.start_time),
            last_job_until_ms=until_ms("end_time", self.end_time),
            types=frozenset({self.room_type}) if self.room_type else frozenset(),
            confirm_state=(
                known("confirm_state", self.confirm_state.lower(), CONFIRM_STATES)
                if self.confirm_state
                else None
            ),
        )


def split_list(text: str | None) -> list[str]:
    """Split a list of words at its commas."""
    return [word.strip() for word in (text or "").split(",") if word.strip()]


def known(field: str, word: str, words: Mapping[str, T]) -> T:
    """Return what `word` means.

    Raises:
        InvalidInput: it is none of `words`.
    """
    if word not in words:
        raise InvalidInput(field, f"must be of {', '.join(words)}")
    return words[word]
