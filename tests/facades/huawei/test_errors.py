"""Every error of ours has its place on the wire."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec
import pytest

from airslice.domain import errors as domain_errors
from airslice.domain.errors import AirsliceError, InvalidInput
from airslice.domain.fields import LiveField
from airslice.domain.live_job import FaultKind
from airslice.facades.http.openapi import errors_in
from airslice.facades.http.refusals import refusal_of
from airslice.facades.huawei import errors
from airslice.facades.huawei.errors import FAULT_CODES, FIELDS, WIRE_ERRORS
from airslice.facades.huawei.openapi import openapi_document
from airslice.facades.huawei.operations import OPERATIONS

NEVER_RAISED = {
    domain_errors.AppNotFound,
    domain_errors.AppNotOwned,
    domain_errors.TaskNotFound,
    domain_errors.TooManyTasks,
    domain_errors.TooManyBans,
    domain_errors.TokenRefused,
    domain_errors.UserBanned,
    domain_errors.OfferRefused,
    domain_errors.RoomFull,
    domain_errors.ServerFull,
    domain_errors.SessionNotFound,
    domain_errors.PreconditionFailed,
    domain_errors.CallbackExists,
    domain_errors.CallbackNotFound,
    domain_errors.DeliveryNotFound,
    domain_errors.ObjectNotFound,
    domain_errors.StoreFailed,
    domain_errors.StoreRefused,
}
"""What no operation of this wire raises; if one ever does, the mistake is the server's."""


def subclasses(kind: type[AirsliceError]) -> Iterator[type[AirsliceError]]:
    for below in kind.__subclasses__():
        yield below
        yield from subclasses(below)


def test_every_error_is_mapped() -> None:
    ours = {kind for kind in subclasses(AirsliceError) if kind.__module__ == domain_errors.__name__}

    assert WIRE_ERRORS.keys() | NEVER_RAISED == ours
    assert not WIRE_ERRORS.keys() & NEVER_RAISED


@pytest.mark.parametrize("kind", [*WIRE_ERRORS, *sorted(NEVER_RAISED, key=str)])
def test_every_error_is_told_or_the_servers_own(kind: type[AirsliceError]) -> None:
    error = kind("f", "100 %") if issubclass(kind, InvalidInput) else kind("100 % wrong")

    told = refusal_of(error, WIRE_ERRORS, FIELDS)

    assert (told is None) == (kind in NEVER_RAISED)
    assert told is None or "%s" not in str(told)


def test_codes_look_like_the_vendors() -> None:
    assert len(errors_in(errors)) > 20
    for error in errors_in(errors):
        assert re.fullmatch(r"MSS\.[0-9]{8}|APIGW\.[0-9]{4}", error.code)
        assert error.status >= 400


def test_every_field_that_a_use_case_refuses_has_a_name_of_this_wire() -> None:
    assert FIELDS.keys() == set(LiveField)
    properties = re.findall(r"\w+", " ".join(FIELDS.values()))
    document = msgspec.json.encode(openapi_document(OPERATIONS, version="")).decode()
    assert all(f'"{name}"' in document for name in properties)


@pytest.mark.parametrize("field", LiveField)
def test_a_refused_field_is_called_as_in_the_request(field: LiveField) -> None:
    told = refusal_of(InvalidInput(field, "is wrong"), WIRE_ERRORS, FIELDS)

    assert str(told) == f"Invalid parameter: {FIELDS[field]}: is wrong"


def test_every_fault_of_a_job_has_a_code() -> None:
    assert FAULT_CODES.keys() == set(FaultKind)
    assert all(re.fullmatch(r"MSS\.[0-9]{8}", code) for code in FAULT_CODES.values())
