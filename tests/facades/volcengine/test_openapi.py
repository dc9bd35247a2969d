"""The document says what the façade does: what it names is sent, within its bounds and beyond."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import httpx
import msgspec
import pytest
import schemathesis
from starlette.applications import Starlette

from airslice.facades.http.refusals import WireError
from airslice.facades.volcengine import errors
from airslice.facades.volcengine.facade import VolcengineFacade
from airslice.facades.volcengine.openapi import openapi_document
from airslice.facades.volcengine.operations import OPERATIONS
from tests.support.clients.wire_client import WireClient, error_of
from tests.support.values.sample_bodies import CUSTOM, KEY, NEW, OLD, OLD_TOS, START, TOS

DOCUMENT = msgspec.json.decode(msgspec.json.encode(openapi_document(OPERATIONS)))
SCHEMAS = DOCUMENT["components"]["schemas"]

ROOM = {name: KEY[name] for name in ("AppId", "RoomId")}
CALLBACK = {
    "AppId": KEY["AppId"],
    "BusinessId": "b",
    "EventList": ["RoomCreate"],
    "SecretKey": "s",
    "URL": "https://example.com/",
}
SLICING = {
    **KEY,
    "BusinessId": "b",
    "MaxIdleTime": 60,
    "Duration": 20,
    "Identifier": "i",
    "Handle": True,
    "TargetStreams": {"StreamList": [{"Index": 1, "UserId": "u", "StreamType": 0}]},
    "Control": {"Align": True, "Mixed": True, "IgnoreSilence": True, "RedundantDuration": 0},
}
BODIES: dict[str, list[dict[str, Any]]] = {
    "StartSegment20201201": [{**SLICING, "TosConfig": OLD_TOS}],
    "StartSegment20220601": [
        {**SLICING, "StorageConfig": {"Type": 0, "TosConfig": TOS}},
        {**SLICING, "StorageConfig": {"Type": 2, "CustomConfig": CUSTOM}},
    ],
    "UpdateSegment": [{**KEY, "Identifier": "i", "Handle": True, "Duration": 20}],
    "TaskRequest": [KEY],
    "RoomRequest": [ROOM],
    "KickUser": [{**ROOM, "UserId": "u"}],
    "BanRoomUser": [{**ROOM, "UserId": "u", "IP": "", "ForbiddenInterval": 60}],
    "NewCallback": [CALLBACK],
    "CallbackBody": [CALLBACK],
    "CallbackRequest": [{"AppId": KEY["AppId"], "BusinessId": "b"}],
}
"""Right requests of each shape, with every field that there is."""

LENIENT = {("2020-12-01", "Duration"), ("2020-12-01", "MaxIdleTime")}
"""What the description says is not refused."""

DEPENDS_ON_ANOTHER_FIELD = {"RedundantDuration", "Type", "Vendor", "Region"}
"""Not every value within the bounds goes with every other field."""

ONE_OF_TWO = {
    ("StartSegment20220601", "Type"),  # the default asks for the other config
    ("StartSegment20220601", "TosConfig"),
    ("StartSegment20220601", "CustomConfig"),
}
"""What can be left out only where another field makes up for it."""

Path = tuple[str | int, ...]

latest_of_each_shape = {
    operation.takes.__name__: key
    # A POST rather than a GET: GetCallback has no use for a BusinessId.
    for key, operation in sorted(OPERATIONS.items(), key=lambda row: (row[1].method, row[0][1]))
}
each_shape = pytest.mark.parametrize("shape", sorted(latest_of_each_shape))


def test_the_document_is_valid() -> None:
    schemathesis.openapi.from_dict(DOCUMENT).validate()


def test_it_has_every_operation() -> None:
    found = {(path, method) for path, methods in DOCUMENT["paths"].items() for method in methods}

    assert found == {
        (f"/?Action={action}&Version={version}", operation.method.lower())
        for (action, version), operation in OPERATIONS.items()
    }


def test_it_has_every_field() -> None:
    for (action, version), operation in OPERATIONS.items():
        fields = {field.encode_name for field in msgspec.structs.fields(operation.takes)}
        described = DOCUMENT["paths"][f"/?Action={action}&Version={version}"]
        if operation.method == "GET":
            parameters = described["get"]["parameters"]
            assert {parameter["name"] for parameter in parameters} == fields
        else:
            content = described["post"]["requestBody"]["content"]["application/json"]
            assert set(resolved(content["schema"])["properties"]) == fields


def test_it_has_every_error_with_its_status() -> None:
    table = [error for error in vars(errors).values() if isinstance(error, WireError)]
    assert len(table) > 20

    for error in table:
        response = DOCUMENT["components"]["responses"][str(error.status)]
        schema = response["content"]["application/json"]["schema"]
        details = schema["properties"]["ResponseMetadata"]["allOf"][1]["properties"]["Error"]
        assert error.code in details["properties"]["Code"]["enum"]
        assert error.message in response["description"]
        for methods in DOCUMENT["paths"].values():
            for operation in methods.values():
                assert str(error.status) in operation["responses"]


async def test_it_is_there_for_everybody(facade: VolcengineFacade) -> None:
    transport = httpx.ASGITransport(Starlette(routes=facade.routes()))
    async with httpx.AsyncClient(transport=transport, base_url="http://server") as http:
        response = await http.get("/api/openapi/volcengine.json")

    assert response.headers["content-type"] == "application/json"
    assert response.json() == DOCUMENT


@each_shape
def test_the_requests_below_use_every_field(shape: str) -> None:
    used = {path[-1] for body in BODIES[shape] for path, _ in walk(body, SCHEMAS[shape])}
    every = {name for path in paths(SCHEMAS[shape]) for name in path[-1:]}

    # The second spellings of AppId and BusinessId, and the place for Control that is none.
    assert every - used <= {"AppID", "BusinessID"}


def test_the_requests_below_use_every_type_of_storage() -> None:
    used = {body["StorageConfig"]["Type"] for body in BODIES["StartSegment20220601"]}

    assert used == set(SCHEMAS["StorageConfig"]["properties"]["Type"]["enum"])


@each_shape
async def test_what_is_required_is_missed_and_nothing_else(shape: str, wire: WireClient) -> None:
    for body in BODIES[shape]:
        for path, _ in walk(body, SCHEMAS[shape]):
            changed = deepcopy(body)
            del at(changed, path[:-1])[path[-1]]

            response = await ask(wire, shape, changed)

            required = resolved(schema_at(SCHEMAS[shape], path[:-1])).get("required", [])
            if path[-1] in required:
                status, code, message = error_of(response)
                assert (status, code.partition(".")[0]) == (400, "MissingParameter"), path
                assert str(path[-1]) in message
            elif (shape, path[-1]) not in ONE_OF_TWO:
                assert "MissingParameter" not in response.text, path


@each_shape
async def test_what_is_out_of_bounds_is_refused(shape: str, wire: WireClient) -> None:
    version = latest_of_each_shape[shape][1]
    tried = 0
    for body in BODIES[shape]:
        for path, schema in walk(body, SCHEMAS[shape]):
            for value in wrong_values(schema):
                if (version, path[-1]) in LENIENT:
                    continue
                changed = deepcopy(body)
                at(changed, path[:-1])[path[-1]] = value

                status, code, message = error_of(await ask(wire, shape, changed))

                assert status == 400, path
                assert code.partition(".")[0] in ("InvalidParameter", "MissingParameter"), path
                assert str(path[-1]) in message or "IllegalAppId" in code, (path, message)
                tried += 1
    assert tried


@pytest.mark.parametrize(
    "shape", ["StartSegment20201201", "StartSegment20220601", "UpdateSegment", "BanRoomUser"]
)
async def test_what_is_at_the_bounds_is_taken(shape: str, wire: WireClient) -> None:
    for body in BODIES[shape]:
        for path, schema in walk(body, SCHEMAS[shape]):
            if path[-1] in DEPENDS_ON_ANOTHER_FIELD:
                continue
            for value in right_values(schema):
                changed = deepcopy(body)
                at(changed, path[:-1])[path[-1]] = value

                response = await ask(wire, shape, changed)

                assert response.status_code == 200, (path, value, response.text)


async def ask(wire: WireClient, shape: str, body: dict[str, Any]) -> httpx.Response:
    """Send a request of a shape, where the task that it names is running."""
    action, version = latest_of_each_shape[shape]
    if action != "StartSegment":
        await wire.post("StartSegment", NEW, START)
    if OPERATIONS[action, version].method == "GET":
        return await wire.send("GET", {"Action": action, "Version": version, **body})
    if shape in ("UpdateSegment", "CallbackBody") or action == "StopSegment":
        await wire.post("CreateCallback", OLD, CALLBACK)
    return await wire.post(action, version, body)


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """Follow a reference."""
    found: dict[str, Any] = schema
    if "$ref" in schema:
        found = SCHEMAS[schema["$ref"].rpartition("/")[2]]
    return found


def paths(schema: dict[str, Any], above: Path = ()) -> Iterator[Path]:
    """Return the way to each field of a schema."""
    for name, kind in resolved(schema).get("properties", {}).items():
        yield (*above, name)
        yield from paths(kind.get("items", kind), (*above, name))


def walk(value: Any, schema: dict[str, Any], above: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Return the way to each field of a request, and the field's schema."""
    if isinstance(value, dict):
        for name, below in value.items():
            kind = resolved(schema)["properties"].get(name)
            if kind is not None:
                yield (*above, name), kind
                yield from walk(below, kind, (*above, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from walk(item, schema["items"], (*above, index))


def at(value: Any, path: Path) -> Any:
    """Return what is at the end of a way."""
    for step in path:
        value = value[step]
    return value


def schema_at(schema: dict[str, Any], path: Path) -> dict[str, Any]:
    """Return the schema at the end of a way."""
    for step in path:
        schema = schema["items"] if isinstance(step, int) else resolved(schema)["properties"][step]
    return schema


def wrong_values(schema: dict[str, Any]) -> Iterator[object]:
    """Return values beyond the bounds."""
    if "enum" in schema:
        numbers = range(min(schema["enum"]) - 1, max(schema["enum"]) + 2)
        yield from set(numbers) - set(schema["enum"])
    elif "minimum" in schema:
        yield schema["minimum"] - 1
        yield schema["maximum"] + 1
    if "pattern" in schema:
        yield "no, never!"
    if "maxItems" in schema:
        yield [{"UserId": f"u{number}"} for number in range(schema["maxItems"] + 1)]
    if schema.get("maxLength") == 0:
        yield "192.0.2.1"


def right_values(schema: dict[str, Any]) -> Iterator[object]:
    """Return values within the bounds, as far out as can be."""
    yield from schema.get("enum", ())
    if "minimum" in schema and "enum" not in schema:
        yield schema["minimum"]
        yield schema["maximum"]
    if "maxItems" in schema:
        yield [{"UserId": f"u{number}"} for number in range(schema["maxItems"])]
