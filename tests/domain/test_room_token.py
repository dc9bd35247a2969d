"""Room tokens of version "001".

The vector was computed with the vendor's own signer.
Source: AccessToken of github.com/volcengine/VolcEngineRTC.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct
from collections.abc import Mapping
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airslice.domain.errors import TokenRefused
from airslice.domain.room_token import ANY_ROOM, Privilege, RoomClaims, RoomGrant, mint, verify

APP_ID = "123456781234567812345678"
APP_KEY = "app key"
ISSUED_AT_S = 1_700_000_000
EXPIRES_AT_S = 1_700_003_600

VECTOR = (
    "001123456781234567812345678QwAEAwIBAPFTZRD/U2UIAG5ldyByb29tCwBuZXcgdXNlciBpZAUAAAAQ/1NlAQAQ"
    "/1NlAgAQ/1NlAwAQ/1NlBAAAAAAAIADUsSAR2s3TNv+VdQZZTW6Qf0kaqgtFA+1qoS9lmfYQzQ=="
)


def a_token(
    *,
    app_id: str = APP_ID,
    app_key: str = APP_KEY,
    room_id: str = "room",
    user_id: str = "alice",
    privileges: Mapping[int, int] | None = None,
    expires_at_s: int = EXPIRES_AT_S,
) -> str:
    return mint(
        RoomClaims(
            room_id=room_id,
            user_id=user_id,
            privileges={Privilege.PUBLISH_STREAM: 0} if privileges is None else privileges,
            issued_at_s=ISSUED_AT_S,
            expires_at_s=expires_at_s,
        ),
        app_id=app_id,
        app_key=app_key,
        nonce=7,
    )


def check(token: str, *, room_id: str = "room", now_s: float = ISSUED_AT_S) -> RoomGrant:
    return verify(token, app_id=APP_ID, app_key=APP_KEY, room_id=room_id, now_s=now_s)


def signed(message: bytes, *, trailer: bytes = b"") -> str:
    """Sign any bytes at all, without the code under test."""
    signature = hmac.new(APP_KEY.encode(), message, hashlib.sha256).digest()
    packed = struct.pack("<H", len(message)) + message + struct.pack("<H", 32) + signature
    return "001" + APP_ID + base64.b64encode(packed + trailer).decode()


def test_a_minted_token_is_the_vendors() -> None:
    token = mint(
        RoomClaims(
            room_id="new room",
            user_id="new user id",
            privileges={Privilege.SUBSCRIBE_STREAM: 0, Privilege.PUBLISH_STREAM: EXPIRES_AT_S},
            issued_at_s=ISSUED_AT_S,
            expires_at_s=EXPIRES_AT_S,
        ),
        app_id=APP_ID,
        app_key=APP_KEY,
        nonce=0x01020304,
    )

    assert token == VECTOR


def test_the_vendors_token_passes_all_but_the_rule_for_user_ids() -> None:
    with pytest.raises(TokenRefused, match="user id"):
        check(VECTOR, room_id="new room")


def test_a_grant_names_its_user_and_privileges() -> None:
    token = a_token(privileges={Privilege.PUBLISH_STREAM: 0, Privilege.SUBSCRIBE_STREAM: 0})

    assert check(token) == RoomGrant(user_id="alice", privileges=frozenset(range(5)))


@pytest.mark.parametrize(
    ("privileges", "may_publish", "may_subscribe"),
    [
        ({}, False, False),
        ({Privilege.PUBLISH_STREAM: 0}, True, False),
        ({Privilege.PUBLISH_AUDIO: 0}, True, False),
        ({Privilege.PUBLISH_VIDEO: 0, Privilege.PUBLISH_DATA: 0}, False, False),
        ({Privilege.SUBSCRIBE_STREAM: 0}, False, True),
    ],
)
def test_a_grant_allows_what_its_privileges_say(
    privileges: Mapping[int, int], may_publish: bool, may_subscribe: bool
) -> None:
    grant = check(a_token(privileges=privileges))

    assert (grant.may_publish_audio, grant.may_subscribe) == (may_publish, may_subscribe)


def test_a_privilege_expires_by_itself() -> None:
    token = a_token(privileges={Privilege.PUBLISH_STREAM: ISSUED_AT_S + 60}, expires_at_s=0)

    assert check(token, now_s=ISSUED_AT_S + 60).may_publish_audio
    assert not check(token, now_s=ISSUED_AT_S + 60.5).may_publish_audio


def test_a_token_expires() -> None:
    check(a_token(), now_s=EXPIRES_AT_S)
    with pytest.raises(TokenRefused, match="expired"):
        check(a_token(), now_s=EXPIRES_AT_S + 1)


def test_a_token_that_expires_at_zero_never_does() -> None:
    assert check(a_token(expires_at_s=0), now_s=2**40).may_publish_audio


def test_another_room_is_refused() -> None:
    with pytest.raises(TokenRefused, match="another room"):
        check(a_token(room_id="other"))


def test_a_wildcard_opens_every_room() -> None:
    assert check(a_token(room_id=ANY_ROOM), room_id="whichever").user_id == "alice"


def test_another_application_is_refused() -> None:
    with pytest.raises(TokenRefused, match="another application"):
        check(a_token(app_id="9" * 24))


def test_another_key_is_a_wrong_signature() -> None:
    with pytest.raises(TokenRefused, match="signature"):
        check(a_token(app_key="another key"))


@pytest.mark.parametrize("user_id", ["", "a/b", "../alice", "new user", "a" * 129, "mixed"])
def test_a_user_id_that_is_none_is_refused(user_id: str) -> None:
    with pytest.raises(TokenRefused, match="user id"):
        check(a_token(user_id=user_id))


@given(position=st.integers(0, 66), bit=st.integers(0, 7))
def test_no_bit_of_the_message_can_be_changed(position: int, bit: int) -> None:
    packed = bytearray(base64.b64decode(VECTOR[27:]))
    packed[2 + position] ^= 1 << bit

    with pytest.raises(TokenRefused, match="signature"):
        check(VECTOR[:27] + base64.b64encode(packed).decode(), room_id="new room")


@pytest.mark.parametrize(
    "token",
    [
        "",
        "001",
        "002" + a_token()[3:],
        "001" + APP_ID,
        "001" + APP_ID + "é",
        "001" + APP_ID + "!!!!",
        "001" + APP_ID + "abc",
        a_token()[:-4],
        a_token() + "AAAA",
        a_token()[:40] + "\n" + a_token()[40:],
        "001" + APP_ID + "A" * 4_096,
        signed(b""),
        signed(b"\0" * 12 + b"\xff\xff"),
        signed(b"\0" * 12 + b"\1\0\xff" + b"\1\0a" + b"\0\0"),  # room id is no UTF-8
        signed(b"\0" * 12 + b"\4\0room" + b"\1\0a" + b"\2\0" + b"\0" * 6),  # one of two privileges
        signed(b"\0" * 12 + b"\4\0room" + b"\1\0a" + b"\0\0" + b"\0"),  # one byte too many
        signed(b"\0" * 12 + b"\4\0room" + b"\1\0a" + b"\0\0", trailer=b"\0"),
    ],
)
def test_a_malformed_token_is_refused(token: str) -> None:
    with pytest.raises(TokenRefused, match=r"malformed|another application"):
        check(token)


@given(st.one_of(st.text(), st.binary(max_size=200).map(lambda b: base64.b64encode(b).decode())))
def test_garbage_is_refused_and_nothing_else(garbage: str) -> None:
    for token in (garbage, "001" + garbage, "001" + APP_ID + garbage):
        with pytest.raises(TokenRefused):
            check(token)


@given(st.binary(max_size=200))
def test_signed_garbage_is_refused_or_read(message: bytes) -> None:
    try:
        grant = check(signed(message))
    except TokenRefused:
        return
    assert grant.user_id


@given(st.binary(max_size=60), st.integers(0, 66))
def test_a_signed_message_that_is_cut_and_extended_never_fails_otherwise(
    tail: bytes, kept: int
) -> None:
    message = base64.b64decode(a_token()[27:])[2:-34]
    with suppress(TokenRefused):
        check(signed(message[:kept] + tail))


def test_lasting_claims_grant_everything_for_as_long_as_the_token_is_valid() -> None:
    both = [Privilege.PUBLISH_STREAM, Privilege.SUBSCRIBE_STREAM]

    claims = RoomClaims.lasting("room", "alice", both, now_s=ISSUED_AT_S, valid_s=60)

    assert (claims.issued_at_s, claims.expires_at_s) == (ISSUED_AT_S, ISSUED_AT_S + 60)
    assert claims.privileges == dict.fromkeys(both, ISSUED_AT_S + 60)
