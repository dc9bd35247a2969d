"""The OpenAPI 3.1 document of this wire, made of the table that requests are answered by."""

from __future__ import annotations

import http
import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from airslice.facades.huawei import errors
from airslice.facades.huawei.arrived import ErrorBody
from airslice.facades.huawei.errors import WireError
from airslice.facades.huawei.fields import Wire
from airslice.facades.huawei.operations import Operation

WIRE_ERRORS = tuple(error for error in vars(errors).values() if isinstance(error, WireError))
"""Every error that there is."""

STATUSES = sorted({error.status for error in WIRE_ERRORS})

DESCRIPTION = """\
Requests are signed with SDK-HMAC-SHA256
(https://support.huaweicloud.com/intl/en-us/devg-apisign/api-sign-algorithm.html), or carry a token
of `POST /v3/auth/tokens` in X-Auth-Token. Fields that are null and query parameters that are empty
count as absent; unknown ones are not read. X-Request-Id is in every answer."""

_REQUEST_ID = {"X-Request-Id": {"schema": {"type": "string"}, "required": True}}


def openapi_document(operations: Sequence[Operation], *, version: str) -> dict[str, Any]:
    """Describe `operations`.

    Args:
        operations: All of the wire's.
        version: Of airslice.
    """
    shapes = {shape for operation in operations for shape in operation.shapes} | {ErrorBody}
    _, schemas = msgspec.json.schema_components(
        sorted(shapes, key=lambda shape: shape.__name__),
        ref_template="#/components/schemas/{name}",
    )
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        path = f"/v1/{{project_id}}{operation.path}"
        paths.setdefault(path, {})[operation.method.lower()] = _describe(operation, path, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "airslice smart live API, on Huawei's wire",
            "version": version,
            "description": DESCRIPTION,
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": {str(status): _failure(status) for status in STATUSES},
            "securitySchemes": {
                "signature": {"type": "apiKey", "in": "header", "name": "Authorization"},
                "token": {"type": "apiKey", "in": "header", "name": "X-Auth-Token"},
            },
        },
        "security": [{"signature": []}, {"token": []}],
    }


def _describe(operation: Operation, path: str, schemas: Mapping[str, Any]) -> dict[str, Any]:
    query, body, gives = operation.shapes
    success: dict[str, Any] = {
        "description": http.HTTPStatus(operation.status).phrase,
        "headers": _REQUEST_ID,
    }
    if gives.__struct_fields__:
        success["content"] = _content(gives)
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": (operation.run.__doc__ or "").partition("\n")[0],
        "parameters": [
            *(
                {"name": name, "in": "path", "required": True, "schema": _id(name)}
                for name in re.findall(r"{(\w+)}", path)
            ),
            *_query_parameters(schemas[query.__name__]),
        ],
        "responses": {
            str(operation.status): success,
            **{str(status): {"$ref": f"#/components/responses/{status}"} for status in STATUSES},
        },
    }
    if body.__struct_fields__:
        described["requestBody"] = {
            "required": bool(schemas[body.__name__]["required"]),
            "content": _content(body),
        }
    return described


def _id(name: str) -> dict[str, Any]:
    """Describe an id in a path: the configuration decides what a project's may be."""
    if name == "project_id":
        return {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"}
    return {"type": "string", "minLength": 1}


def _query_parameters(schema: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Describe the fields of a query. Null, which each may be in a body, cannot be sent here."""
    parameters = []
    for name, given in schema["properties"].items():
        kinds = [kind for kind in given.get("anyOf", ()) if kind != {"type": "null"}]
        parameters.append(
            {
                "name": name,
                "in": "query",
                "required": name in schema["required"],
                "schema": kinds[0] if kinds else given,
            }
        )
    return parameters


def _failure(status: int) -> dict[str, Any]:
    """Describe the errors with an HTTP status."""
    found = [error for error in WIRE_ERRORS if error.status == status]
    lines = [f"- {error.code}: {error.message}" for error in found]
    return {
        "description": "\n".join([http.HTTPStatus(status).phrase, "", *lines]),
        "headers": _REQUEST_ID,
        "content": _content(ErrorBody),
    }


def _content(shape: type[Wire] | type[ErrorBody]) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{shape.__name__}"}
    return {"application/json": {"schema": schema}}
