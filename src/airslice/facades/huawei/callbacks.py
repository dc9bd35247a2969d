"""Who is told what of a broadcast: wire structs ↔ the domain's values."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from msgspec import Meta, structs

from airslice.domain.owner_event import CallbackAuth, LiveCallback, OwnerEventKind
from airslice.domain.players import RtcNotice
from airslice.facades.huawei.fields import HttpUrl, Wire


class LiveEventKind(StrEnum):
    """What an owner can ask to be told of."""

    SHOOT_SCRIPT_SWITCH = OwnerEventKind.PARAGRAPH_BEGAN.value
    RTMP_STREAM_STATE_CHANGE = OwnerEventKind.STREAM_STATE_CHANGED.value
    REPLY_COMMAND_FINISH = OwnerEventKind.REPLY_FINISHED.value


EventKinds = Annotated[list[LiveEventKind], Meta(max_length=10)]


class LiveEventCallBackConfig(Wire, frozen=True, kw_only=True):
    """Where an owner is told of a broadcast's events, and of which."""

    live_event_type_callback_url: HttpUrl | None = None
    auth_type: CallbackAuth | None = None
    key: Annotated[str, Meta(max_length=32)] | None = None
    callback_event_type: EventKinds | None = None

    def callback(self) -> LiveCallback:
        """Return the callback that is asked for."""
        return LiveCallback(
            url=self.live_event_type_callback_url or "",
            auth=self.auth_type or CallbackAuth.NONE,
            key=self.key or "",
            events=tuple(dict.fromkeys(map(OwnerEventKind, self.callback_event_type or ()))),
        )

    @classmethod
    def of(cls, callback: LiveCallback) -> Self:
        """Return what shows a callback to its owner."""
        return cls(
            live_event_type_callback_url=callback.url or None,
            auth_type=callback.auth,
            key=callback.key or None,
            callback_event_type=[LiveEventKind(kind) for kind in callback.events],
        )


class LiveRoomEventCallBackConfig(LiveEventCallBackConfig, frozen=True, kw_only=True):
    """Where a room's owner is told of events; the room may take over its platform's address."""

    is_inheritance_platform_callback: bool | None = None

    @classmethod
    def of_room(cls, callback: LiveCallback, *, inherits: bool) -> LiveRoomEventCallBackConfig:
        """Return what shows a room's callback to its owner."""
        return structs.replace(cls.of(callback), is_inheritance_platform_callback=inherits)


class RTCLiveEventCallBackConfig(Wire, frozen=True, kw_only=True):
    """What players in the RTC room are told."""

    rtc_callback_event_type: Annotated[list[RtcNotice], Meta(max_length=10)] | None = None

    def notices(self) -> tuple[RtcNotice, ...] | None:
        """Return which notices are asked for, each once; None if the field is absent."""
        given = self.rtc_callback_event_type
        return None if given is None else tuple(dict.fromkeys(given))

    @classmethod
    def of(cls, notices: tuple[RtcNotice, ...]) -> RTCLiveEventCallBackConfig:
        """Return what shows which notices players get."""
        return cls(rtc_callback_event_type=list(notices))
