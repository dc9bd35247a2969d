"""Why a request is refused: a value, which each façade renders in the words of its wire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from airslice.domain.errors import AirsliceError


@dataclass(frozen=True, slots=True)
class WireError:
    """An error that a wire knows, with its code, its HTTP status and its text."""

    code: str
    """Stable name of the error, for programs."""
    status: int
    """HTTP status that goes with the error."""
    message: str = "%s"
    """Text for people, with `%s` where details go."""
    code_n: int | None = None
    """Number that goes with the code, on wires that have one."""


class Refusal(Exception):
    """A request cannot be answered, and its sender is told which error of the wire this is.

    Args:
        error: Which one.
        details: What takes the places of its message's `%s`.
        headers: Sent along with the answer.
    """

    def __init__(
        self, error: WireError, *details: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(error.message % details)
        self.error = error
        self.headers = headers or {}


def refusal_of(
    error: Exception,
    wire_errors: Mapping[type[AirsliceError], WireError],
    fields: Mapping[str, str],
) -> Refusal | None:
    """Return what the caller is told of `error`; None if it is the server's own fault.

    Args:
        error: What was raised while the request was answered.
        wire_errors: The wire's error for each of ours; without one, or with one of
            status 500, it is the server's own fault.
        fields: How the wire's requests call what use cases find fault with.
    """
    if isinstance(error, Refusal):
        return error
    if not isinstance(error, AirsliceError):
        return None
    wire_error = wire_errors.get(type(error))
    if wire_error is None or wire_error.status == 500:
        return None
    return Refusal(wire_error, *([error.told(fields)] if "%s" in wire_error.message else []))
