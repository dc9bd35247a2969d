"""Every error of ours has a place on the wire."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from airslice.domain import errors as domain_errors
from airslice.domain.errors import AirsliceError
from airslice.domain.fields import SliceField
from airslice.facades.http.openapi import errors_in
from airslice.facades.http.refusals import WireError, refusal_of
from airslice.facades.volcengine import errors
from airslice.facades.volcengine.errors import FIELDS, WIRE_ERRORS
from airslice.facades.volcengine.openapi import openapi_document
from airslice.facades.volcengine.operations import OPERATIONS

COMPATIBILITY = (Path(__file__).parents[3] / "docs" / "compatibility.md").read_text()
ALL = errors_in(errors)


NEVER_RAISED = {
    domain_errors.TokenRefused,
    domain_errors.UserBanned,
    domain_errors.OfferRefused,
    domain_errors.RoomFull,
    domain_errors.ServerFull,
    domain_errors.SessionNotFound,
    domain_errors.PreconditionFailed,
    domain_errors.ObjectNotFound,
    domain_errors.DeliveryNotFound,
    domain_errors.StoreFailed,
    domain_errors.ProjectNotFound,
    domain_errors.LiveRoomNotFound,
    domain_errors.LiveRoomUnusable,
    domain_errors.LiveJobNotFound,
    domain_errors.LiveJobRunning,
    domain_errors.LiveJobFinished,
    domain_errors.RuleGroupNotFound,
    domain_errors.RuleNotFound,
    domain_errors.LivePlatformNotFound,
    domain_errors.LivePlatformFailed,
    domain_errors.ReportKeyRefused,
    domain_errors.TooManyLiveJobs,
    domain_errors.QuotaExceeded,
}
"""What no operation of this wire raises; if one ever does, the mistake is the server's."""


def subclasses(kind: type[AirsliceError]) -> set[type[AirsliceError]]:
    direct = set(kind.__subclasses__())
    return direct.union(*(subclasses(below) for below in direct))


def test_every_error_of_ours_is_mapped() -> None:
    ours = {kind for kind in subclasses(AirsliceError) if kind.__module__ == domain_errors.__name__}

    assert WIRE_ERRORS.keys() | NEVER_RAISED == ours
    assert not WIRE_ERRORS.keys() & NEVER_RAISED


def test_codes_are_unique() -> None:
    assert len({error.code for error in ALL}) == len(ALL)


@pytest.mark.parametrize("error", ALL, ids=lambda error: error.code)
def test_the_page_on_compatibility_lists_it(error: WireError) -> None:
    rows = [line.strip("|").split("|") for line in COMPATIBILITY.splitlines()]

    assert [error.code, str(error.status), str(error.code_n or "")] in [
        [cell.strip() for cell in row[:3]] for row in rows
    ]


@pytest.mark.parametrize("error", ALL, ids=lambda error: error.code)
def test_only_what_may_succeed_later_gets_a_status_that_sdks_repeat(error: WireError) -> None:
    repeated = error.status == 429 or error.status >= 500

    assert repeated == error.code.startswith(("FlowLimitExceeded", "InternalError"))


@pytest.mark.parametrize(
    "kind", [*WIRE_ERRORS, *sorted(NEVER_RAISED, key=str)], ids=lambda kind: kind.__name__
)
def test_what_the_server_did_wrong_is_not_told(kind: type[AirsliceError]) -> None:
    if issubclass(kind, domain_errors.InvalidInput):
        error: AirsliceError = kind("Field", "problem")
    else:
        error = kind("the problem")
    told = refusal_of(error, WIRE_ERRORS, FIELDS)

    if kind in NEVER_RAISED:
        assert told is None
    else:
        assert told is not None
        assert str(told) == str(error)


def test_an_error_that_nobody_mapped_is_the_servers_fault() -> None:
    class Unmapped(AirsliceError):
        pass

    assert refusal_of(Unmapped("x"), WIRE_ERRORS, FIELDS) is None


def test_every_field_that_a_use_case_refuses_has_a_name_of_this_wire() -> None:
    assert FIELDS.keys() == set(SliceField)
    document = msgspec.json.encode(openapi_document(OPERATIONS)).decode()
    assert all(f'"{name}"' in document for name in FIELDS.values())


@pytest.mark.parametrize("field", SliceField)
def test_a_refused_field_is_called_as_in_the_request(field: SliceField) -> None:
    told = refusal_of(domain_errors.InvalidInput(field, "is wrong"), WIRE_ERRORS, FIELDS)

    assert str(told) == f"{FIELDS[field]}: is wrong"
