from __future__ import annotations

import pytest
from aioice import stun as oracle
from hypothesis import given
from hypothesis import strategies as st

from airslice.engines.embedded.stun import (
    ROLE_CONFLICT,
    UNKNOWN_ATTRIBUTE,
    BindingRequest,
    error_response,
    is_authentic,
    parse_binding_request,
    success_response,
)

# RFC 5769 section 2.1.
SAMPLE_REQUEST = bytes.fromhex(
    "000100582112a442b7e7a701bc34d686fa87dfae"
    "802200105354554e207465737420636c69656e74"
    "002400046e0001ff"
    "80290008932ff9b151263b36"
    "000600096576746a3a68367659202020"
    "000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2"
    "80280004e57a3bcf"
)
SAMPLE_PASSWORD = b"VOkJxbRl1RmTxUk/WvJxBt"


def sample() -> BindingRequest:
    request = parse_binding_request(SAMPLE_REQUEST)
    assert request is not None
    return request


def test_the_sample_request_of_the_rfc_is_understood() -> None:
    request = sample()

    assert request.username == b"evtj:h6vY"
    assert request.transaction_id.hex() == "b7e7a701bc34d686fa87dfae"
    assert not request.use_candidate
    assert request.sender_is_controlled
    assert request.unknown == ()


def test_only_the_right_password_makes_a_request_authentic() -> None:
    assert is_authentic(SAMPLE_REQUEST, sample(), SAMPLE_PASSWORD)
    assert not is_authentic(SAMPLE_REQUEST, sample(), SAMPLE_PASSWORD[:-1])


@pytest.mark.parametrize(
    ("host", "mapped"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1234:5678:11:2233:4455:6677", "2001:db8:1234:5678:11:2233:4455:6677"),
    ],
)
def test_a_response_tells_the_senders_address(host: str, mapped: str) -> None:
    response = success_response(sample(), host=host, port=32853, password=SAMPLE_PASSWORD)

    message = oracle.parse_message(response)
    assert message.message_class == oracle.Class.RESPONSE
    assert message.transaction_id == sample().transaction_id
    assert message.attributes["XOR-MAPPED-ADDRESS"] == (mapped, 32853)
    assert message.check_message_integrity(SAMPLE_PASSWORD)
    assert "FINGERPRINT" in message.attributes


def test_a_response_has_the_mapped_address_of_the_rfcs_sample() -> None:
    response = success_response(sample(), host="192.0.2.1", port=32853, password=b"")

    assert bytes.fromhex("002000080001a147e112a643") in response  # RFC 5769 section 2.2


def test_errors_name_their_number() -> None:
    message = oracle.parse_message(error_response(sample(), ROLE_CONFLICT, password=b"x"))

    assert message.message_class == oracle.Class.ERROR
    assert message.attributes["ERROR-CODE"] == (487, "Role Conflict")
    assert message.check_message_integrity(b"x")


def test_unknown_attributes_that_must_be_understood_are_named() -> None:
    message = oracle.Message(oracle.Method.BINDING, oracle.Class.REQUEST)
    message.attributes["USERNAME"] = "a:b"
    message.attributes["CHANNEL-NUMBER"] = 0x4000
    message.add_message_integrity(b"x")

    request = parse_binding_request(bytes(message))

    assert request is not None
    assert request.unknown == (0x000C,)
    refusal = error_response(request, UNKNOWN_ATTRIBUTE, password=b"x")
    assert oracle.parse_message(refusal).attributes["ERROR-CODE"][0] == 420
    assert bytes.fromhex("000a0002000c0000") in refusal


def request_without(*names: str) -> bytes:
    message = oracle.Message(oracle.Method.BINDING, oracle.Class.REQUEST)
    message.attributes["USERNAME"] = "a:b"
    message.add_message_integrity(b"x")
    for name in names:
        del message.attributes[name]
    if "FINGERPRINT" not in names:
        message.add_fingerprint()
    return bytes(message)


@pytest.mark.parametrize("name", ["USERNAME", "MESSAGE-INTEGRITY", "FINGERPRINT"])
def test_a_request_without_what_ice_demands_is_none(name: str) -> None:
    assert parse_binding_request(request_without()) is not None
    assert parse_binding_request(request_without(name)) is None


@given(st.integers(0, len(SAMPLE_REQUEST) * 8 - 1))
def test_no_flipped_bit_goes_unnoticed(bit: int) -> None:
    damaged = bytearray(SAMPLE_REQUEST)
    damaged[bit // 8] ^= 1 << bit % 8

    assert parse_binding_request(bytes(damaged)) is None


@given(st.integers(0, len(SAMPLE_REQUEST) - 1))
def test_a_truncated_request_is_none(size: int) -> None:
    assert parse_binding_request(SAMPLE_REQUEST[:size]) is None


@given(st.binary(max_size=200), st.booleans())
def test_no_bytes_make_it_fail(data: bytes, has_header: bool) -> None:
    if has_header:
        data = b"\0\1" + len(data).to_bytes(2, "big") + SAMPLE_REQUEST[4:20] + data

    assert parse_binding_request(data) is None
