from __future__ import annotations

import pytest

from airslice.application.rooms import bans as module
from airslice.application.rooms.bans import SWEEP_MS, Bans
from airslice.application.wall_clock import WallClock
from airslice.domain.ban import Ban, BanScope
from airslice.domain.errors import StoreFailed, TooManyBans, UserBanned
from airslice.domain.room import RoomKey
from tests.support.memory.bans import MemoryBanStore
from tests.support.stages.stage import HandClock

ROOM = RoomKey("app", "room")
ANN = BanScope(app_id="app", room_id="room", user_id="ann")


class BrokenBanStore(MemoryBanStore):
    async def save_ban(self, ban: Ban) -> None:
        raise StoreFailed("the disk is full")

    async def lift_ban(self, scope: BanScope) -> None:
        raise StoreFailed("the disk is full")


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def store() -> MemoryBanStore:
    return MemoryBanStore()


@pytest.fixture
def bans(store: MemoryBanStore, clock: HandClock) -> Bans:
    return Bans(store=store, wall_clock=WallClock(clock))


def a_ban(clock: HandClock, scope: BanScope = ANN, *, seconds: int = 10) -> Ban:
    return Ban(scope=scope, expires_at_ms=clock.utc_ns() // 1_000_000 + seconds * 1000)


def is_banned(bans: Bans, user_id: str = "ann", room: RoomKey = ROOM) -> bool:
    try:
        bans.check(room, user_id)
    except UserBanned:
        return True
    return False


async def test_a_ban_holds_for_its_time(bans: Bans, clock: HandClock) -> None:
    await bans.put(a_ban(clock))

    clock.now_ns += 9_999_000_000
    assert is_banned(bans)
    clock.now_ns += 1_000_000
    assert not is_banned(bans)


@pytest.mark.parametrize(
    ("scope", "banned"),
    [
        (ANN, [True, False, False, False]),
        (BanScope(app_id="app", room_id="room"), [True, True, False, False]),
        (BanScope(app_id="app", user_id="ann"), [True, False, True, False]),
    ],
)
async def test_a_ban_holds_for_its_scope(
    bans: Bans, clock: HandClock, scope: BanScope, banned: list[bool]
) -> None:
    await bans.put(a_ban(clock, scope))

    assert [
        is_banned(bans),
        is_banned(bans, "bob"),
        is_banned(bans, room=RoomKey("app", "elsewhere")),
        is_banned(bans, room=RoomKey("other", "room")),
    ] == banned


async def test_lifting_a_ban_leaves_the_wider_ones(bans: Bans, clock: HandClock) -> None:
    await bans.put(a_ban(clock))
    await bans.put(a_ban(clock, BanScope(app_id="app", room_id="room")))

    await bans.lift(ANN)

    assert is_banned(bans)
    await bans.lift(BanScope(app_id="app", room_id="room"))
    assert not is_banned(bans)


async def test_bans_outlive_a_restart_and_expired_ones_are_removed(
    store: MemoryBanStore, bans: Bans, clock: HandClock
) -> None:
    bob = BanScope(app_id="app", room_id="room", user_id="bob")
    await bans.put(a_ban(clock, seconds=20))
    await bans.put(a_ban(clock, bob, seconds=10))
    clock.now_ns += 10_000_000_000

    restarted = Bans(store=store, wall_clock=WallClock(clock))
    await restarted.recover()

    assert is_banned(restarted)
    assert not is_banned(restarted, "bob")
    assert [ban.scope for ban in await store.bans()] == [ANN]


async def test_expired_bans_are_removed_while_others_come(
    store: MemoryBanStore, bans: Bans, clock: HandClock
) -> None:
    await bans.put(a_ban(clock))
    clock.now_ns += SWEEP_MS * 1_000_000
    bob = BanScope(app_id="app", room_id="room", user_id="bob")

    await bans.put(a_ban(clock, bob))

    assert [ban.scope for ban in await store.bans()] == [bob]


async def test_an_application_has_so_many_bans_and_others_have_their_own(
    bans: Bans, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_BANS", 2)
    for user in ("ann", "bob"):
        await bans.put(a_ban(clock, BanScope(app_id="app", user_id=user), seconds=600))

    with pytest.raises(TooManyBans):
        await bans.put(a_ban(clock, BanScope(app_id="app", user_id="cid")))

    await bans.put(a_ban(clock, BanScope(app_id="app", user_id="bob"), seconds=20))
    await bans.put(a_ban(clock, BanScope(app_id="other", user_id="cid")))
    clock.now_ns += SWEEP_MS * 1_000_000
    await bans.put(a_ban(clock, BanScope(app_id="app", user_id="cid")))
    assert is_banned(bans, "cid")


async def test_a_ban_that_cannot_be_remembered_holds_nevertheless(clock: HandClock) -> None:
    bans = Bans(store=BrokenBanStore(), wall_clock=WallClock(clock))

    with pytest.raises(StoreFailed):
        await bans.put(a_ban(clock))
    assert is_banned(bans)

    with pytest.raises(StoreFailed):
        await bans.lift(ANN)
    assert not is_banned(bans)
