"""The OpenAPI 3.1 document of the admin API, made from the table of its operations."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from airslice.facades.console.access import COOKIE
from airslice.facades.console.problems import CONTENT_TYPE, ProblemDetails
from airslice.facades.http import openapi


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: how it is asked, who answers, and what."""

    method: str
    path: str
    """Path with `{parameters}`, which Starlette and OpenAPI write alike."""
    handle: Callable[[Request], Awaitable[Response]]
    """Answers requests; the first line of its docstring is the operation's summary."""
    takes: type[msgspec.Struct] | None = None
    gives: type[msgspec.Struct] | None = None
    status: int = 200
    """HTTP status of success."""
    also: tuple[int, ...] = ()
    """Other HTTP statuses of success, with the same body."""
    errors: tuple[int, ...] = ()
    """HTTP statuses of refusals, beyond those that every operation may answer with."""
    query: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """JSON Schemas of the query's parameters, none of which is required."""
    open: bool = False
    """Whether it can be asked without being signed in."""


def openapi_document(operations: Iterable[Operation], *, version: str) -> dict[str, Any]:
    """Return the document that describes `operations`, for a version of airslice."""
    operations = list(operations)
    shapes = {shape for op in operations for shape in (op.takes, op.gives) if shape}
    _, schemas = openapi.schemas_of(
        sorted(shapes | {ProblemDetails}, key=lambda shape: shape.__name__)
    )
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _describe(operation)
    return openapi.document(
        title="airslice admin API",
        version=version,
        description="Behind the console. Errors are problem details (RFC 9457).",
        paths=paths,
        components={"schemas": schemas},
        security={"session": openapi.api_key("cookie", COOKIE)},
    )


def _describe(operation: Operation) -> dict[str, Any]:
    summary = (operation.handle.__doc__ or "").partition("\n")[0]
    content = {"content": openapi.content(operation.gives)} if operation.gives else {}
    description: dict[str, Any] = {
        "operationId": getattr(operation.handle, "__name__", ""),
        "summary": summary,
        "responses": {
            str(status): {"description": openapi.phrase(status), **content}
            for status in (operation.status, *operation.also)
        },
    }
    refusals = {403, *operation.errors} if operation.open else {401, 403, *operation.errors}
    for status in sorted(refusals):
        description["responses"][str(status)] = {
            "description": openapi.phrase(status),
            "content": openapi.content(ProblemDetails, CONTENT_TYPE),
        }
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", operation.path)
    ] + [{"name": name, "in": "query", "schema": kind} for name, kind in operation.query.items()]
    if parameters:
        description["parameters"] = parameters
    if operation.takes:
        content = openapi.content(operation.takes)
        description["requestBody"] = {"required": True, "content": content}
    if operation.open:
        description["security"] = []
    return description
