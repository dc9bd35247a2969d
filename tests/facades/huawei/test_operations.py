"""Which operation a request is for."""

from __future__ import annotations

import pytest

from airslice.facades.http.refusals import Refusal
from airslice.facades.huawei import errors
from airslice.facades.huawei.calls import Operation
from airslice.facades.huawei.operations import OPERATIONS, find_operation


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_every_operation_is_found_by_its_method_and_path(operation: Operation) -> None:
    path = f"/v1/{{project_id}}{operation.path}".replace("{", "").replace("}", "")

    found, ids = find_operation(operation.method, path.encode())

    assert found is operation
    assert "project_id" in ids
    assert all(name == value for name, value in ids.items())


def test_an_encoded_slash_is_part_of_an_id() -> None:
    operation, ids = find_operation("GET", b"/v1/p/smart-live-rooms/a%2Fb%20c")

    assert operation.name == "ShowSmartLiveRoom"
    assert ids == {"project_id": "p", "room_id": "a/b c"}


@pytest.mark.parametrize(
    ("method", "path", "error"),
    [
        ("GET", b"/v1/p/nothing", errors.NO_SUCH_API),
        ("GET", b"/v1//smart-live-rooms", errors.NO_SUCH_API),
        ("GET", b"/v1/p/smart-live-rooms/%ff", errors.NO_SUCH_API),
        ("GET", b"/v1/p/smart-live-rooms/\xff", errors.NO_SUCH_API),
        ("PATCH", b"/v1/p/smart-live-rooms", errors.NO_SUCH_METHOD),
    ],
)
def test_others_are_not_there(method: str, path: bytes, error: object) -> None:
    with pytest.raises(Refusal) as refused:
        find_operation(method, path)

    assert refused.value.error is error
