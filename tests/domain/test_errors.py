"""How errors are told on a wire."""

from __future__ import annotations

from collections.abc import Mapping

from airslice.domain.errors import InvalidInput, TaskNotFound
from airslice.domain.fields import SliceField

NAMES: Mapping[str, str] = {SliceField.DURATION: "Duration"}


def test_a_field_is_called_as_the_wire_calls_it() -> None:
    error = InvalidInput(SliceField.DURATION, "is too short")

    assert error.told(NAMES) == "Duration: is too short"
    assert str(error) == "duration: is too short"


def test_a_field_that_a_facade_has_named_stays_as_it_is() -> None:
    assert InvalidInput("StorageConfig.Type", "is wrong").told(NAMES) == (
        "StorageConfig.Type: is wrong"
    )


def test_other_errors_are_told_as_they_are() -> None:
    assert TaskNotFound("there is no task").told(NAMES) == "there is no task"
