"""Who is told what of a broadcast, as the wire says it."""

from __future__ import annotations

from airslice.domain.owner_event import CallbackAuth, LiveCallback
from airslice.domain.players import RtcNotice
from airslice.facades.huawei.callbacks import (
    LiveEventCallBackConfig,
    LiveEventKind,
    LiveRoomEventCallBackConfig,
    RTCLiveEventCallBackConfig,
)

KINDS = tuple(LiveEventKind)
NOTICES = tuple(RtcNotice)


def test_a_callback_is_shown_as_it_was_given_each_event_once() -> None:
    given = LiveEventCallBackConfig(
        live_event_type_callback_url="https://a.example/",
        auth_type=CallbackAuth.NONE,
        key="k",
        callback_event_type=[KINDS[0], KINDS[-1], KINDS[0]],
    )

    callback = given.callback()

    assert [kind.value for kind in callback.events] == [KINDS[0].value, KINDS[-1].value]
    assert LiveEventCallBackConfig.of(callback).callback() == callback


def test_nothing_given_means_nobody_is_told() -> None:
    assert LiveEventCallBackConfig().callback() == LiveCallback(
        url="", auth=CallbackAuth.NONE, key="", events=()
    )


def test_a_rooms_callback_says_whether_it_is_its_platforms() -> None:
    callback = LiveCallback(url="https://a.example/", auth=CallbackAuth.NONE, key="", events=())

    shown = LiveRoomEventCallBackConfig.of_room(callback, inherits=True)

    assert shown.is_inheritance_platform_callback is True
    assert shown.callback() == callback


def test_no_list_of_notices_is_not_an_empty_one() -> None:
    assert RTCLiveEventCallBackConfig().notices() is None
    assert RTCLiveEventCallBackConfig(rtc_callback_event_type=[]).notices() == ()
    assert RTCLiveEventCallBackConfig.of(NOTICES).notices() == NOTICES
