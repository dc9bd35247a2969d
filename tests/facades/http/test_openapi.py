"""The parts of OpenAPI documents; each façade's whole document is tested with the façade."""

from __future__ import annotations

from types import ModuleType

import httpx
import msgspec
import schemathesis
from starlette.applications import Starlette
from starlette.routing import Route

from airslice.facades.http import openapi
from airslice.facades.http.refusals import WireError


class Asked(msgspec.Struct):
    name: str
    count: int | None = None


def test_fields_of_a_query_cannot_be_null() -> None:
    _, schemas = openapi.schemas_of([Asked])

    assert openapi.query_parameters(schemas["Asked"]) == [
        {"name": "name", "in": "query", "required": True, "schema": {"type": "string"}},
        {"name": "count", "in": "query", "required": False, "schema": {"type": "integer"}},
    ]


def test_errors_are_found_in_their_module_and_described_by_status() -> None:
    module = ModuleType("errors")
    late, early = WireError("Late", 500, "late"), WireError("Early", 400, "%s early", 7)
    module.late, module.early, module.other = late, early, "text"  # type: ignore[attr-defined]

    found = openapi.errors_in(module)
    described = openapi.failures(found, lambda errors: {"x-count": len(errors)})

    assert found == (late, early)
    assert [*described] == ["400", "500"]
    assert described["400"] == {
        "description": "Bad Request\n\n- Early (7): %s early",
        "x-count": 1,
    }
    assert openapi.references(described)["500"] == {"$ref": "#/components/responses/500"}


async def test_a_whole_document_is_valid_and_shown() -> None:
    _, schemas = openapi.schemas_of([Asked])
    document = openapi.document(
        title="t",
        version="1",
        description="d",
        paths={
            "/": {
                "post": {
                    "requestBody": {"content": openapi.content(Asked)},
                    "responses": {"200": {"description": openapi.phrase(200)}},
                }
            }
        },
        components={"schemas": schemas},
        security={"key": openapi.api_key("header", "X-Key")},
    )
    transport = httpx.ASGITransport(Starlette(routes=[Route("/d", openapi.shown(document))]))

    async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
        answer = await client.get("/d")

    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["security"] == [{"key": []}]
    schemathesis.openapi.from_dict(answer.json()).validate()
