"""Wire structs of the room operations, and what they mean to us.

Source: https://www.volcengine.com/docs/6348/1188353 and /336038 (BanRoomUser), /357742 (KickUser),
/1188355 and /1150847 (GetRoomOnlineUsers); DismissRoom of volc-sdk-golang
`service/rtc/v20201201/model.go`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec

from airslice.domain.ban import BanScope
from airslice.domain.errors import InvalidInput
from airslice.domain.room import RoomKey
from airslice.facades.http.refusals import Refusal
from airslice.facades.volcengine import errors
from airslice.facades.volcengine.fields import (
    Id,
    Int32,
    RequiredId,
    documented,
    optional_id,
    required_app_id,
    required_id,
    required_room_id,
)


class RoomRequest(msgspec.Struct, rename="pascal", frozen=True, kw_only=True):
    """Names a room, which is all that DismissRoom and GetRoomOnlineUsers say."""

    app_id: RequiredId | None = None
    room_id: RequiredId | None = None

    def room(self) -> RoomKey:
        """Return the room's key."""
        return RoomKey(required_app_id(self.app_id), required_room_id(self.room_id))


class KickUser(RoomRequest, rename="pascal", frozen=True, kw_only=True):
    """Body of KickUser: a user of a room."""

    user_id: RequiredId | None = None

    def user(self) -> str:
        """Return the user's id."""
        return required_id("UserId", self.user_id, missing=errors.NO_USER_ID)


class BanRoomUser(msgspec.Struct, rename="pascal", frozen=True, kw_only=True):
    """Body of BanRoomUser: a user, a room, or a user of one room."""

    app_id: RequiredId | None = None
    room_id: Id | None = None
    user_id: Id | None = None
    ip: Annotated[str, documented(maxLength=0)] | None = msgspec.field(name="IP", default=None)
    forbidden_interval: Annotated[Int32, documented(minimum=0, default=0)] | None = None

    def scope(self) -> BanScope:
        """Return who is to be banned, and from where."""
        app_id = required_app_id(self.app_id)
        if self.ip:
            # To read it as if it were not there would ban the whole room.
            raise InvalidInput("IP", "addresses cannot be banned")
        if not self.room_id and not self.user_id:
            raise Refusal(errors.NO_ROOM_ID, "RoomId or UserId")
        return BanScope(
            app_id=app_id,
            room_id=required_room_id(self.room_id) if self.room_id else None,
            user_id=optional_id("UserId", self.user_id),
        )

    def length_s(self) -> int:
        """Return the length of the ban in seconds, which is not negative; 0 if none is given."""
        length_s = self.forbidden_interval or 0
        if length_s < 0:
            raise Refusal(errors.FORBIDDEN_INTERVAL, "ForbiddenInterval: must not be negative")
        return length_s


class Message(msgspec.Struct, rename="pascal", frozen=True, kw_only=True):
    """Result of an operation of 2023-11-01 that has nothing else to say."""

    message: str = "success"


class OldMessage(msgspec.Struct, frozen=True, kw_only=True):
    """Result of an operation of 2020-12-01, whose field begins with a small letter."""

    message: str = "success"


class RoomUsers(msgspec.Struct, rename="pascal", frozen=True, kw_only=True):
    """Result of GetRoomOnlineUsers; a room that does not exist has the last field alone."""

    total_user: int | msgspec.UnsetType = msgspec.UNSET
    total_invisible_user: int | msgspec.UnsetType = msgspec.UNSET
    visible_user_list: Sequence[str] | msgspec.UnsetType = msgspec.UNSET
    invisible_user_list: Sequence[str] | msgspec.UnsetType = msgspec.UNSET
    room_exists: bool


def room_users(user_ids: Sequence[str]) -> RoomUsers:
    """Return what shows who is in a room, which exists while somebody is in it."""
    if not user_ids:
        return RoomUsers(room_exists=False)
    return RoomUsers(
        total_user=len(user_ids),
        total_invisible_user=0,
        visible_user_list=user_ids,
        invisible_user_list=(),
        room_exists=True,
    )
