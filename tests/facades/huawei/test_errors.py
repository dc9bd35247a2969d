"""Every error of ours has its place on the wire."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from airslice.domain.errors import AirsliceError, InvalidInput
from airslice.facades.http.openapi import errors_in
from airslice.facades.http.refusals import refusal_of
from airslice.facades.huawei import errors
from airslice.facades.huawei.errors import INTERNAL_ERROR, WIRE_ERRORS


def subclasses(kind: type[AirsliceError]) -> Iterator[type[AirsliceError]]:
    for below in kind.__subclasses__():
        yield below
        yield from subclasses(below)


def test_every_error_is_mapped() -> None:
    assert set(WIRE_ERRORS) == set(subclasses(AirsliceError))


@pytest.mark.parametrize("kind", WIRE_ERRORS)
def test_every_error_is_told_or_the_servers_own(kind: type[AirsliceError]) -> None:
    error = kind("f", "100 %") if issubclass(kind, InvalidInput) else kind("100 % wrong")

    told = refusal_of(error, WIRE_ERRORS)

    assert (told is None) == (WIRE_ERRORS[kind] is INTERNAL_ERROR)
    assert told is None or "%s" not in str(told)


def test_codes_look_like_the_vendors() -> None:
    assert len(errors_in(errors)) > 20
    for error in errors_in(errors):
        assert re.fullmatch(r"MSS\.[0-9]{8}|APIGW\.[0-9]{4}", error.code)
        assert error.status >= 400
