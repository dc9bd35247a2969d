"""The parts that every OpenAPI 3.1 document is made of; a façade's own module fills them."""

from __future__ import annotations

import http
from collections.abc import Awaitable, Callable, Iterable, Mapping
from types import ModuleType
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from airslice.facades.http.refusals import WireError

Json = dict[str, Any]


def document(
    *,
    title: str,
    version: str,
    description: str,
    paths: Json,
    components: Json,
    security: Mapping[str, Json],
) -> Json:
    """Return a whole OpenAPI document.

    Args:
        title: Of the API.
        version: Of the API.
        description: What holds for all operations.
        paths: Operations, by path and method.
        components: Schemas and responses that `paths` refers to.
        security: Ways to prove who one is, by name; any one of them suffices.
    """
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version, "description": description},
        "paths": paths,
        "components": {**components, "securitySchemes": dict(security)},
        "security": [{name: []} for name in security],
    }


def schemas_of(shapes: Iterable[Any]) -> tuple[tuple[Json, ...], dict[str, Json]]:
    """Return a schema for each of `shapes`, and the named ones that these refer to."""
    return msgspec.json.schema_components(shapes, ref_template="#/components/schemas/{name}")


def content(schema: type[msgspec.Struct] | Json, media_type: str = "application/json") -> Json:
    """Describe a body: by its schema, or by the struct that it is read into or made of."""
    if not isinstance(schema, dict):
        schema = {"$ref": f"#/components/schemas/{schema.__name__}"}
    return {media_type: {"schema": schema}}


def api_key(place: str, name: str) -> Json:
    """Describe a proof of who one is that is sent in `place`, header or cookie."""
    return {"type": "apiKey", "in": place, "name": name}


def query_parameters(schema: Json) -> list[Json]:
    """Describe the fields of a struct that is read from a query."""
    return [
        {
            "name": name,
            "in": "query",
            "required": name in schema["required"],
            "schema": without_null(field),
        }
        for name, field in schema["properties"].items()
    ]


def without_null(schema: Json) -> Json:
    """Return a field's schema without null, which cannot be sent or means the field's absence."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    return kinds[0] if kinds else schema


def errors_in(module: ModuleType) -> tuple[WireError, ...]:
    """Return every error that a module defines, in order of definition."""
    return tuple(error for error in vars(module).values() if isinstance(error, WireError))


def failures(
    errors: Iterable[WireError], describe: Callable[[list[WireError]], Json]
) -> dict[str, Json]:
    """Describe the answers to refused requests, by HTTP status.

    Args:
        errors: All errors of the wire.
        describe: Returns what one status's errors add to their description.
    """
    by_status: dict[int, list[WireError]] = {}
    for error in sorted(errors, key=lambda error: error.status):
        by_status.setdefault(error.status, []).append(error)
    return {
        str(status): {
            "description": "\n".join([phrase(status), "", *map(_line, found)]),
            **describe(found),
        }
        for status, found in by_status.items()
    }


def references(statuses: Iterable[str]) -> dict[str, Json]:
    """Refer to the answers that `failures` describes."""
    return {status: {"$ref": f"#/components/responses/{status}"} for status in statuses}


def phrase(status: int) -> str:
    """Return the standard words for an HTTP status."""
    return http.HTTPStatus(status).phrase


def shown(document: Json) -> Callable[[Request], Awaitable[Response]]:
    """Return an endpoint that answers with `document`."""
    encoded = msgspec.json.encode(document)

    async def endpoint(request: Request) -> Response:
        del request
        return Response(encoded, media_type="application/json")

    return endpoint


def _line(error: WireError) -> str:
    number = f" ({error.code_n})" if error.code_n else ""
    return f"- {error.code}{number}: {error.message}"
