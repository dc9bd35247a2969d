from __future__ import annotations

import pytest

from airslice.application.console import OBJECT_URL_S, TOKEN_S, RoomConsole
from airslice.application.wall_clock import WallClock
from airslice.domain.errors import TokenRefused
from airslice.domain.room import RoomKey, StreamKey, StreamType
from airslice.domain.room_token import RoomGrant, verify
from tests.support.stages.stage import APP, Stage


class NamingSigner:
    """Signs by naming what it was asked to sign (port `UrlSigner`)."""

    def sign(self, bucket: str, key: str, *, expires_at_s: int) -> str:
        return f"{bucket}/{key} until {expires_at_s}"


@pytest.fixture
def console(stage: Stage) -> RoomConsole:
    return RoomConsole(rooms=stage.rooms, wall_clock=WallClock(stage.clock), signer=NamingSigner())


def test_only_streams_that_are_being_published_are_shown(
    stage: Stage, console: RoomConsole
) -> None:
    stage.join("ann")
    stage.join("ann", StreamType.SCREEN)
    stage.join("bob").sink.ended()

    assert console.streams(RoomKey(APP.app_id, "room")) == [
        StreamKey("ann"),
        StreamKey("ann", StreamType.SCREEN),
    ]
    assert console.streams(RoomKey(APP.app_id, "another")) == []


def test_a_token_lets_its_bearer_publish_and_subscribe_for_an_hour(
    stage: Stage, console: RoomConsole
) -> None:
    token = console.mint_token(APP, "room", "ann")
    now_s = stage.clock.utc_ns() // 1_000_000_000

    def granted(after_s: int) -> RoomGrant:
        return verify(
            token,
            app_id=APP.app_id,
            app_key=APP.app_key,
            room_id="room",
            now_s=now_s + after_s,
        )

    grant = granted(TOKEN_S)
    assert (grant.user_id, grant.may_publish_audio, grant.may_subscribe) == ("ann", True, True)
    with pytest.raises(TokenRefused):
        granted(TOKEN_S + 1)


def test_two_tokens_of_one_second_differ(console: RoomConsole) -> None:
    assert console.mint_token(APP, "room", "ann") != console.mint_token(APP, "room", "ann")


def test_urls_of_objects_work_for_an_hour(stage: Stage, console: RoomConsole) -> None:
    expires_at_s = stage.clock.utc_ns() // 1_000_000_000 + OBJECT_URL_S

    assert console.sign_url("bucket", "key.wav") == f"bucket/key.wav until {expires_at_s}"
