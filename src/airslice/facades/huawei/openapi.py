"""The OpenAPI 3.1 document of this wire, made of the table that requests are answered by."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from airslice.facades.http import openapi
from airslice.facades.huawei import errors
from airslice.facades.huawei.calls import Operation
from airslice.facades.huawei.exchange import ErrorBody

DESCRIPTION = """\
Requests are signed with SDK-HMAC-SHA256
(https://support.huaweicloud.com/intl/en-us/devg-apisign/api-sign-algorithm.html), or carry a token
of `POST /v3/auth/tokens` in X-Auth-Token. Fields that are null and query parameters that are empty
count as absent; unknown ones are not read. X-Request-Id is in every answer."""

_REQUEST_ID = {"X-Request-Id": {"schema": {"type": "string"}, "required": True}}
_FAILURES = openapi.failures(
    openapi.errors_in(errors),
    lambda _: {"headers": _REQUEST_ID, "content": openapi.content(ErrorBody)},
)


def openapi_document(operations: Sequence[Operation], *, version: str) -> dict[str, Any]:
    """Return the document that describes `operations`, for a version of airslice."""
    shapes = {shape for operation in operations for shape in operation.shapes} | {ErrorBody}
    _, schemas = openapi.schemas_of(sorted(shapes, key=lambda shape: shape.__name__))
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        path = f"/v1/{{project_id}}{operation.path}"
        paths.setdefault(path, {})[operation.method.lower()] = _describe(operation, path, schemas)
    return openapi.document(
        title="airslice smart live API, on Huawei's wire",
        version=version,
        description=DESCRIPTION,
        paths=paths,
        components={"schemas": schemas, "responses": _FAILURES},
        security={
            "signature": openapi.api_key("header", "Authorization"),
            "token": openapi.api_key("header", "X-Auth-Token"),
        },
    )


def _describe(operation: Operation, path: str, schemas: Mapping[str, Any]) -> dict[str, Any]:
    query, body, gives = operation.shapes
    success: dict[str, Any] = {
        "description": openapi.phrase(operation.status),
        "headers": _REQUEST_ID,
    }
    if gives.__struct_fields__:
        success["content"] = openapi.content(gives)
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": (operation.run.__doc__ or "").partition("\n")[0],
        "parameters": [
            *(
                {"name": name, "in": "path", "required": True, "schema": _id(name)}
                for name in re.findall(r"{(\w+)}", path)
            ),
            *openapi.query_parameters(schemas[query.__name__]),
        ],
        "responses": {str(operation.status): success, **openapi.references(_FAILURES)},
    }
    if body.__struct_fields__:
        described["requestBody"] = {
            "required": bool(schemas[body.__name__]["required"]),
            "content": openapi.content(body),
        }
    return described


def _id(name: str) -> dict[str, Any]:
    """Describe an id in a path: the configuration decides what a project's may be."""
    if name == "project_id":
        return {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"}
    return {"type": "string", "minLength": 1}
