"""The document that is made of the table of operations."""

from __future__ import annotations

import json
import re
from typing import Any

import huaweicloudsdkmetastudio.v1 as sdk
import pytest

from airslice.facades.huawei.calls import Operation
from airslice.facades.huawei.openapi import openapi_document
from airslice.facades.huawei.operations import OPERATIONS

OPERATIONS_OF_SMART_LIVE = 36
NAMES = [operation.name for operation in OPERATIONS]
HEADERS = {"x_app_user_id", "x_mss_auth_key", "x_mss_expires_time"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    made: dict[str, Any] = json.loads(json.dumps(openapi_document(OPERATIONS, version="1")))
    return made


def described(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Operations by their names, with method and path."""
    return {
        operation["operationId"]: {**operation, "method": method.upper(), "path": path}
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def test_all_operations_are_described(document: dict[str, Any]) -> None:
    assert len(OPERATIONS) == len(described(document)) == OPERATIONS_OF_SMART_LIVE


@pytest.mark.parametrize("operation", OPERATIONS, ids=NAMES)
def test_method_path_and_query_are_the_sdks(document: dict[str, Any], operation: Operation) -> None:
    request = getattr(sdk, f"{operation.name}Request")
    snake_case = re.sub(r"(?<!^)(?=[A-Z])", "_", operation.name).lower()
    sent = getattr(sdk.MetaStudioClient, f"_{snake_case}_http_info")(request())

    shown = described(document)[operation.name]

    assert shown["method"] == sent["method"]
    assert shown["path"] == sent["resource_path"]
    query = {each["name"] for each in shown["parameters"] if each["in"] == "query"}
    in_path = set(re.findall(r"{(\w+)}", shown["path"]))
    assert query == set(request.openapi_types) - in_path - HEADERS - {"body"}
    assert ("requestBody" in shown) == ("body" in request.openapi_types)


@pytest.mark.parametrize("operation", OPERATIONS, ids=NAMES)
def test_fields_are_the_sdks(document: dict[str, Any], operation: Operation) -> None:
    schemas = document["components"]["schemas"]
    response = getattr(sdk, f"{operation.name}Response")
    body = getattr(sdk, f"{operation.name}Request").openapi_types.get("body")

    shown = schemas[operation.shapes.gives.__name__]["properties"]

    assert set(shown) == set(response.openapi_types) - {"x_request_id"}
    if body is not None:
        given = schemas[operation.shapes.body.__name__]["properties"]
        assert set(given) == set(getattr(sdk, body).openapi_types)


def test_parts_have_the_fields_of_the_sdks_models(document: dict[str, Any]) -> None:
    shapes = {
        name: set(schema["properties"])
        for name, schema in document["components"]["schemas"].items()
        if hasattr(sdk, name) and "properties" in schema
    }

    assert len(shapes) > 50
    for name, fields in shapes.items():
        assert fields == set(getattr(sdk, name).openapi_types) - {"x_request_id"}, name
