"""The OpenAPI 3.1 document of this wire, made of the tables that requests are answered by.

All operations share the path `/`; their query tells them apart, which OpenAPI cannot express. So
each has its own query in its path: `/?Action=StartSegment&Version=2023-11-01`. Client generators
and test programs append that to the server's address and send the right request, and every
operation has its own body and Result. With one path for all, the body would be a union over an
enum of Actions; with paths told apart by a fragment (`/#StartSegment`), it would be left to the
caller to find the right Action and Version.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import inspect

from airslice.facades.http import openapi
from airslice.facades.http.refusals import WireError
from airslice.facades.volcengine import errors
from airslice.facades.volcengine.envelope import ResponseMetadata
from airslice.facades.volcengine.fields import REQUIRED
from airslice.facades.volcengine.operations import Operation

DESCRIPTION = """\
Requests are signed with HMAC-SHA256 (https://www.volcengine.com/docs/6348/69859), in the header or
in the query. Fields that are empty or null count as absent; unknown ones are not read. The
versions 2020-12-01 and 2022-06-01 take the default for a Duration or MaxIdleTime out of range."""

_METADATA = {"$ref": "#/components/schemas/ResponseMetadata"}


def openapi_document(operations: Mapping[tuple[str, str], Operation]) -> dict[str, Any]:
    """Return the document that describes `operations`, by Action and Version."""
    described = [*operations.values()]
    found, schemas = openapi.schemas_of(
        [*(op.gives for op in described), *(op.takes for op in described), ResponseMetadata]
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
    return openapi.document(
        title="airslice slicing API, on Volcengine's wire",
        version=max(version for _, version in operations),
        description=DESCRIPTION,
        paths=paths,
        components={"schemas": schemas, "responses": _FAILURES},
        security={"signature": openapi.api_key("header", "Authorization")},
    )


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
        kind = openapi.without_null(schema["properties"][field.encode_name])
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


def _request(operation: Operation, schema: dict[str, Any]) -> dict[str, Any]:
    if operation.method != "GET":
        return {"requestBody": {"required": True, "content": openapi.content(operation.takes)}}
    return {"parameters": openapi.query_parameters(schema)}


def _responses(result: Mapping[str, Any]) -> dict[str, Any]:
    success = _envelope(Result=result, ResponseMetadata=_METADATA)
    return {"200": {"description": "OK", **success}, **openapi.references(_FAILURES)}


def _failure(found: list[WireError]) -> dict[str, Any]:
    """Describe the body of errors with one HTTP status."""
    error = {"properties": {"Code": {"enum": [error.code for error in found]}}}
    metadata = {"allOf": [_METADATA, {"properties": {"Error": error}, "required": ["Error"]}]}
    return _envelope(ResponseMetadata=metadata)


def _envelope(**properties: Any) -> dict[str, Any]:
    """Describe a body of which each part is required."""
    schema = {"type": "object", "properties": properties, "required": [*properties]}
    return {"content": openapi.content(schema)}


_FAILURES = openapi.failures(openapi.errors_in(errors), _failure)
