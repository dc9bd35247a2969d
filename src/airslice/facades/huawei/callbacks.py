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
    """The owner's address for events."""

    live_event_type_callback_url: HttpUrl | None = None
    auth_type: CallbackAuth | None = None
    key: Annotated[str, Meta(max_length=32)] | None = None
    callback_event_type: EventKinds | None = None

    def callback(self) -> LiveCallback:
        """Return what is given."""
        return LiveCallback(
            url=self.live_event_type_callback_url or "",
            auth=self.auth_type or CallbackAuth.NONE,
            key=self.key or "",
            events=tuple(dict.fromkeys(map(OwnerEventKind, self.callback_event_type or ()))),
        )

    @classmethod
    def of(cls, callback: LiveCallback) -> Self:
        """Show a callback."""
        return cls(
            live_event_type_callback_url=callback.url or None,
            auth_type=callback.auth,
            key=callback.key or None,
            callback_event_type=[LiveEventKind(kind) for kind in callback.events],
        )


class LiveRoomEventCallBackConfig(LiveEventCallBackConfig, frozen=True, kw_only=True):
    """A room's address for events, which may be that of its platform."""

    is_inheritance_platform_callback: bool | None = None

    @classmethod
    def of_room(cls, callback: LiveCallback, *, inherits: bool) -> LiveRoomEventCallBackConfig:
        """Show a room's callback."""
        return structs.replace(cls.of(callback), is_inheritance_platform_callback=inherits)


class RTCLiveEventCallBackConfig(Wire, frozen=True, kw_only=True):
    """What players in the RTC room are told."""

    rtc_callback_event_type: Annotated[list[RtcNotice], Meta(max_length=10)] | None = None

    def notices(self) -> tuple[RtcNotice, ...] | None:
        """Return what is given; None: nothing."""
        given = self.rtc_callback_event_type
        return None if given is None else tuple(dict.fromkeys(given))

    @classmethod
    def of(cls, notices: tuple[RtcNotice, ...]) -> RTCLiveEventCallBackConfig:
        """Show what players are told."""
        return cls(rtc_callback_event_type=list(notices))
