"""How errors are told on a wire."""

from __future__ import annotations

from collections.abc import Mapping

from airslice.domain import errors
from airslice.domain.errors import AirsliceError, InvalidInput, TaskNotFound
from airslice.domain.fields import SliceField

NAMES: Mapping[str, str] = {SliceField.DURATION: "Duration"}

CODES = {
    "app_not_found",
    "app_not_owned",
    "callback_exists",
    "callback_not_found",
    "delivery_not_found",
    "invalid_input",
    "live_job_finished",
    "live_job_not_found",
    "live_job_running",
    "live_platform_failed",
    "live_platform_not_found",
    "live_room_not_found",
    "live_room_unusable",
    "object_not_found",
    "offer_refused",
    "precondition_failed",
    "project_not_found",
    "quota_exceeded",
    "rate_limited",
    "report_key_refused",
    "room_full",
    "rule_group_not_found",
    "rule_not_found",
    "server_full",
    "session_not_found",
    "store_failed",
    "store_refused",
    "task_not_found",
    "token_refused",
    "too_many_bans",
    "too_many_live_jobs",
    "too_many_tasks",
    "user_banned",
}
"""What clients and logs of released servers know; none may go."""


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


def test_each_error_has_the_code_that_it_has_always_had() -> None:
    classes = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    kinds = [kind for kind in classes if issubclass(kind, AirsliceError)]

    assert AirsliceError.code == "error"
    assert {kind.code for kind in kinds if kind is not AirsliceError} == CODES
    assert InvalidInput.code == "invalid_input"
    assert TaskNotFound.code == "task_not_found"
