from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airslice.domain.ban import Ban, BanScope, ban_length_s, scopes_of
from airslice.domain.room import RoomKey

ROOM = RoomKey("app", "room")
USER = BanScope(app_id="app", room_id="room", user_id="ann")
ALL_ROOMS = BanScope(app_id="app", user_id="ann")
EVERYBODY = BanScope(app_id="app", room_id="room")

some_ids = st.sampled_from(["a", "b"])
some_scopes = st.tuples(some_ids, st.none() | some_ids, st.none() | some_ids).filter(
    lambda ids: ids[1] is not None or ids[2] is not None
)


@pytest.mark.parametrize("scope", [USER, ALL_ROOMS, EVERYBODY])
def test_each_scope_covers_the_user_in_the_room(scope: BanScope) -> None:
    assert scope.covers(ROOM, "ann")
    assert not scope.covers(RoomKey("other", "room"), "ann")


def test_what_a_scope_does_not_name_is_all() -> None:
    elsewhere = RoomKey("app", "elsewhere")

    assert [scope.covers(elsewhere, "ann") for scope in (USER, ALL_ROOMS, EVERYBODY)] == [
        False,
        True,
        False,
    ]
    assert [scope.covers(ROOM, "bob") for scope in (USER, ALL_ROOMS, EVERYBODY)] == [
        False,
        False,
        True,
    ]


def test_a_whole_application_cannot_be_banned() -> None:
    with pytest.raises(ValueError, match="room, a user"):
        BanScope(app_id="app")


@given(ids=some_scopes, room=st.tuples(some_ids, some_ids), user_id=some_ids)
def test_the_scopes_of_a_user_are_those_that_cover_him(
    ids: tuple[str, str | None, str | None], room: tuple[str, str], user_id: str
) -> None:
    scope = BanScope(app_id=ids[0], room_id=ids[1], user_id=ids[2])
    key = RoomKey(*room)

    assert (scope in scopes_of(key, user_id)) == scope.covers(key, user_id)


def test_a_ban_lasts_up_to_its_expiry() -> None:
    ban = Ban(scope=USER, expires_at_ms=1_000)

    assert [ban.has_expired(now_ms) for now_ms in (999, 1_000)] == [False, True]


@pytest.mark.parametrize(
    ("asked_s", "length_s"),
    [(0, 0), (1, 10), (10, 10), (11, 11), (604_800, 604_800), (604_801, 604_800)],
)
def test_a_length_other_than_none_is_brought_into_the_bounds(asked_s: int, length_s: int) -> None:
    assert ban_length_s(asked_s) == length_s
