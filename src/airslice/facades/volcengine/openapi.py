"""The OpenAPI 3.1 document of this wire, made of the tables that requests are answered by.

All operations share the path `/`; their query tells them apart, which OpenAPI cannot express. So
each has its own query in its path: `/?Action=StartSegment&Version=2023-11-01`. Client generators
and test programs append that to the server's address and send the right request, and every
operation has its own body and Result. With one path for all, the body would be a union over an
enum of Actions; with paths told apart by a fragment (`/#StartSegment`), it would be left to the
caller to find the right Action and Version.
"""

from __future__ import annotations

import http
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import inspect

from airslice.facades.volcengine import errors
from airslice.facades.volcengine.envelope import ResponseMetadata
from airslice.facades.volcengine.errors import WireError
from airslice.facades.volcengine.fields import REQUIRED
from airslice.facades.volcengine.operations import Operation

WIRE_ERRORS = tuple(error for error in vars(errors).values() if isinstance(error, WireError))
"""Every error that there is."""

STATUSES = sorted({error.status for error in WIRE_ERRORS})

DESCRIPTION = """\
Requests are signed with HMAC-SHA256 (https://www.volcengine.com/docs/6348/69859), in the header or
in the query. Fields that are empty or null count as absent; unknown ones are not read. The
versions 2020-12-01 and 2022-06-01 take the default for a Duration or MaxIdleTime out of range."""

_METADATA = {"$ref": "#/components/schemas/ResponseMetadata"}


def openapi_document(operations: Mapping[tuple[str, str], Operation]) -> dict[str, Any]:
    """Describe `operations`, by Action and Version."""
    described = [*operations.values()]
    found, schemas = msgspec.json.schema_components(
        [*(op.gives for op in described), *(op.takes for op in described), ResponseMetadata],
        ref_template="#/components/schemas/{name}",
    )
    for operation in described:
        for shape in _structs(inspect.type_info(operation.takes)):
            schemas[shape.cls.__name__] |= _fields(shape, schemas[shape.cls.__name__])
    paths = {}
    for (key, operation), result in zip(operations.items(), found, strict=False):
        action, version = key
        paths[f"/?Action={action}&Version={version}"] = {
            operation.method.lower(): {
                "operationId": f"{action}_{version.replace('-', '')}",
                "tags": [action],
                **_request(operation, schemas[operation.takes.__name__]),
                "responses": _responses(result),
            }
        }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "airslice slicing API, on Volcengine's wire",
            "version": max(version for _, version in operations),
            "description": DESCRIPTION,
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": {str(status): _failure(status) for status in STATUSES},
            "securitySchemes": {
                "signature": {"type": "apiKey", "in": "header", "name": "Authorization"}
            },
        },
        "security": [{"signature": []}],
    }


def _structs(kind: inspect.Type) -> Iterator[inspect.StructType]:
    """Return the structs that a type is made of."""
    match kind:
        case inspect.Metadata(type=inner) | inspect.ListType(item_type=inner):
            yield from _structs(inner)
        case inspect.UnionType(types=kinds):
            for one in kinds:
                yield from _structs(one)
        case inspect.StructType(fields=fields):
            yield kind
            for field in fields:
                yield from _structs(field.type)


def _fields(shape: inspect.StructType, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a request as code takes them; in `schema` none of them is required.

    Null, which every field may be, means what the description says and would be in the way here.
    """
    properties, required = {}, []
    for field in shape.fields:
        kind = schema["properties"][field.encode_name]
        kind = next((one for one in kind.get("anyOf", ()) if one != {"type": "null"}), kind)
        mark = _mark(field.type)
        properties[field.encode_name] = {**kind, **(mark.extra_json_schema or {})}
        if mark.extra == REQUIRED.extra:
            required.append(field.encode_name)
    return {"properties": properties, "required": required}


def _mark(kind: inspect.Type) -> inspect.Metadata:
    """Return what a field's type is annotated with."""
    kinds = kind.types if isinstance(kind, inspect.UnionType) else (kind,)
    marks = (one for one in kinds if isinstance(one, inspect.Metadata))
    return next(marks, inspect.Metadata(kind))


def _request(operation: Operation, schema: Mapping[str, Any]) -> dict[str, Any]:
    if operation.method != "GET":
        body = {"$ref": f"#/components/schemas/{operation.takes.__name__}"}
        content = {"application/json": {"schema": body}}
        return {"requestBody": {"required": True, "content": content}}
    return {
        "parameters": [
            {"name": name, "in": "query", "required": name in schema["required"], "schema": kind}
            for name, kind in schema["properties"].items()
        ]
    }


def _responses(result: Mapping[str, Any]) -> dict[str, Any]:
    envelope = {
        "type": "object",
        "properties": {"Result": result, "ResponseMetadata": _METADATA},
        "required": ["Result", "ResponseMetadata"],
    }
    success = {"description": "OK", "content": {"application/json": {"schema": envelope}}}
    failures = {str(status): {"$ref": f"#/components/responses/{status}"} for status in STATUSES}
    return {"200": success, **failures}


def _failure(status: int) -> dict[str, Any]:
    """Describe the errors with an HTTP status, each with its number and its text."""
    found = [error for error in WIRE_ERRORS if error.status == status]
    lines = [f"- {e.code}{f' ({e.code_n})' if e.code_n else ''}: {e.message}" for e in found]
    error = {"properties": {"Code": {"enum": [error.code for error in found]}}}
    metadata = {"allOf": [_METADATA, {"properties": {"Error": error}, "required": ["Error"]}]}
    envelope = {
        "type": "object",
        "properties": {"ResponseMetadata": metadata},
        "required": ["ResponseMetadata"],
    }
    return {
        "description": "\n".join([http.HTTPStatus(status).phrase, "", *lines]),
        "content": {"application/json": {"schema": envelope}},
    }
