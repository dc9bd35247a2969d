"""The room operations: what is asked reaches the use cases, and what is wrong is named."""

from __future__ import annotations

from typing import Any

import pytest

from airslice.domain.ban import BanScope
from airslice.domain.errors import TooManyBans
from airslice.domain.room import RoomKey
from tests.support.clients.wire_client import WireClient, error_of
from tests.support.clock import HandClock
from tests.support.stages.recording_moderation import RecordingModeration
from tests.support.values.sample_bodies import NEW, OLD

APP_ID = "661e0000000000000005543c"
APP = {"AppId": APP_ID}
ROOM = {**APP, "RoomId": "Room1"}
USER = {**ROOM, "UserId": "ann"}
ROOM_KEY = RoomKey(APP_ID, "Room1")

POSTED = [("BanRoomUser", NEW), ("BanRoomUser", OLD), ("KickUser", OLD), ("DismissRoom", OLD)]


class TestBanRoomUser:
    @pytest.mark.parametrize("version", [OLD, NEW])
    @pytest.mark.parametrize(
        ("names", "scope"),
        [
            ({"RoomId": "r", "UserId": "u"}, BanScope(app_id=APP_ID, room_id="r", user_id="u")),
            ({"RoomId": "r"}, BanScope(app_id=APP_ID, room_id="r")),
            ({"RoomId": "r", "UserId": ""}, BanScope(app_id=APP_ID, room_id="r")),
            ({"RoomId": None, "UserId": "u"}, BanScope(app_id=APP_ID, user_id="u")),
        ],
    )
    async def test_a_user_a_room_or_a_user_of_a_room(
        self,
        wire: WireClient,
        moderation: RecordingModeration,
        version: str,
        names: dict[str, str],
        scope: BanScope,
    ) -> None:
        answer = await wire.post("BanRoomUser", version, {**APP, **names})

        assert answer.status_code == 200
        assert moderation.bans == [(scope, 0)]

    async def test_the_length_goes_to_the_use_case(
        self, wire: WireClient, moderation: RecordingModeration
    ) -> None:
        for length in (None, 0, 1, 604_801):
            await wire.post("BanRoomUser", NEW, {**USER, "ForbiddenInterval": length})

        assert [length_s for _, length_s in moderation.bans] == [0, 0, 1, 604_801]

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ({"RoomId": "r"}, "MissingParameter.NoAppId"),
            (APP, "MissingParameter.NoRoomId"),
            ({**APP, "RoomId": "", "UserId": ""}, "MissingParameter.NoRoomId"),
            ({**APP, "RoomId": "a/b"}, "InvalidParameter.IllegalRoomID"),
            ({**APP, "UserId": "a/b"}, "InvalidParameter"),
            ({**USER, "ForbiddenInterval": -1}, "MissingParameter.Forbidden"),
            ({**USER, "ForbiddenInterval": "60"}, "InvalidParameter"),
            ({**USER, "ForbiddenInterval": 2**31}, "InvalidParameter"),
        ],
    )
    async def test_what_is_wrong_is_named(
        self, wire: WireClient, moderation: RecordingModeration, body: dict[str, Any], code: str
    ) -> None:
        assert (await wire.refused(body, "BanRoomUser"))[0] == code
        assert not moderation.bans

    async def test_a_ban_of_an_address_does_not_become_one_of_the_room(
        self, wire: WireClient, moderation: RecordingModeration
    ) -> None:
        body = {**ROOM, "IP": "192.0.2.1"}

        assert await wire.refused(body, "BanRoomUser") == (
            "InvalidParameter",
            "IP: addresses cannot be banned",
        )
        assert not moderation.bans

    async def test_a_full_list_may_have_room_later(
        self, wire: WireClient, moderation: RecordingModeration
    ) -> None:
        moderation.failure = TooManyBans("full")

        answer = error_of(await wire.post("BanRoomUser", NEW, USER))

        assert answer == (429, "FlowLimitExceeded.QPSOverLimit", "full")


async def test_a_user_is_kicked(wire: WireClient, moderation: RecordingModeration) -> None:
    await wire.post("KickUser", OLD, USER)

    assert moderation.kicks == [(ROOM_KEY, "ann")]


async def test_who_is_kicked_must_be_said(wire: WireClient) -> None:
    status, code, _ = error_of(await wire.post("KickUser", OLD, ROOM))

    assert (status, code) == (400, "MissingParameter.NoUserId")


async def test_a_room_is_dismissed(wire: WireClient, moderation: RecordingModeration) -> None:
    await wire.post("DismissRoom", OLD, ROOM)

    assert moderation.dismissals == [ROOM_KEY]


@pytest.mark.parametrize("version", ["2023-08-01", NEW])
async def test_the_users_of_a_room_are_listed(
    wire: WireClient, moderation: RecordingModeration, version: str
) -> None:
    moderation.users[ROOM_KEY] = ["bob", "ann"]

    answer = await wire.send("GET", {"Action": "GetRoomOnlineUsers", "Version": version, **ROOM})

    assert answer.json()["Result"] == {
        "TotalUser": 2,
        "TotalInvisibleUser": 0,
        "VisibleUserList": ["bob", "ann"],
        "InvisibleUserList": [],
        "RoomExists": True,
    }


@pytest.mark.parametrize(("action", "version"), POSTED)
async def test_another_accounts_application(
    wire: WireClient, moderation: RecordingModeration, action: str, version: str
) -> None:
    wire.keys = ("AKOTHER", "SKOTHER")

    assert error_of(await wire.post(action, version, USER))[:2] == (403, "Unauthorized")
    assert not [*moderation.bans, *moderation.kicks, *moderation.dismissals]


async def test_another_accounts_room(wire: WireClient, moderation: RecordingModeration) -> None:
    moderation.users[ROOM_KEY] = ["bob"]
    wire.keys = ("AKOTHER", "SKOTHER")

    answer = await wire.send("GET", {"Action": "GetRoomOnlineUsers", "Version": NEW, **ROOM})

    assert error_of(answer)[:2] == (403, "Unauthorized")


@pytest.mark.parametrize(
    ("action", "version", "per_second"),
    [("BanRoomUser", NEW, 20), ("KickUser", OLD, 60), ("DismissRoom", OLD, 60)],
)
async def test_an_account_may_moderate_so_often(
    wire: WireClient, clock: HandClock, action: str, version: str, per_second: int
) -> None:
    async def ask() -> int:
        return (await wire.post(action, version, USER)).status_code

    assert [await ask() for _ in range(per_second + 1)] == [200] * per_second + [429]

    clock.turn(1)
    assert await ask() == 200


async def test_an_account_may_list_users_so_often(wire: WireClient) -> None:
    query = {"Action": "GetRoomOnlineUsers", "Version": NEW, **ROOM}

    assert [(await wire.send("GET", query)).status_code for _ in range(41)] == [200] * 40 + [429]
