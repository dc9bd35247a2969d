"""Whatever is sent, the answer is one that is documented."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airslice.facades.http.openapi import errors_in
from airslice.facades.huawei import errors
from airslice.facades.huawei.calls import Operation
from airslice.facades.huawei.operations import OPERATIONS
from tests.support.clients.huawei_client import HuaweiClient, error_of
from tests.support.stages.smart_live_stage import SmartLiveStage
from tests.support.values.sample_rooms import ROOM
from tests.support.values.smart_live_bodies import PLATFORM, RULE, SAMPLES

CODES = {(error.status, error.code) for error in errors_in(errors) if error.status < 500}

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=30)
    | st.sampled_from(["", "x" * 10_000, 0, -1, 2**31, "2022-02-30T00:00:00Z", "<speak>"])
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=9,
)


def nodes(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Places in a JSON value."""
    yield path
    steps: list[str | int] = []
    if isinstance(value, dict | list):
        steps = [*value] if isinstance(value, dict) else [*range(len(value))]
    for step in steps:
        yield from nodes(value[step], (*path, step))


@st.composite
def bodies(draw: st.DrawFn, samples: list[Any]) -> Any:
    """A right body with one value changed, or with none."""
    body = copy.deepcopy(draw(st.sampled_from(samples)))
    path = draw(st.sampled_from([*nodes(body)]))
    if not path:
        return draw(st.sampled_from([body]) | JSON)
    parent = body
    for step in path[:-1]:
        parent = parent[step]
    parent[path[-1]] = draw(JSON)
    return body


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_every_answer_is_documented(operation: Operation) -> None:
    query, body, _ = operation.shapes

    @settings(
        max_examples=12, derandomize=True, deadline=None, suppress_health_check=[*HealthCheck]
    )
    @given(
        bodies(SAMPLES[body.__name__]),
        st.dictionaries(
            st.sampled_from(query.__struct_fields__ or ("x",)),
            st.text(max_size=20) | st.sampled_from(["0", "1", "true", "WAITING", "NULL", "asc"]),
        ),
    )
    def attack(body: Any, query: dict[str, str]) -> None:
        asyncio.run(ask(operation, body, query))

    attack()


async def ask(operation: Operation, body: Any, query: dict[str, str]) -> None:
    """Ask a façade that has one of each thing."""
    live = SmartLiveStage()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(live.facade)) as http:
        client = HuaweiClient(http=http, clock=live.clock)
        ids = await one_of_each(client)
        live.clock.turn(1)

        answer = await client.call(operation.method, operation.path.format(**ids), body, **query)

    if answer.status_code == operation.status:
        if operation.shapes.gives.__struct_fields__:
            msgspec.json.decode(answer.content, type=operation.shapes.gives)
        json.dumps(answer.content.decode())
    else:
        assert error_of(answer)[:2] in CODES


async def one_of_each(client: HuaweiClient) -> dict[str, str]:
    """Make one of each thing; return their ids."""
    ids: dict[str, str] = await client.create("/smart-live-rooms", ROOM)
    jobs = f"/smart-live-rooms/{ids['room_id']}/smart-live-jobs"
    ids["job_id"] = (await client.create(jobs, {}, 202))["job_id"]
    groups = "/smart-live-interaction-rule-groups"
    ids |= await client.create(groups, {"group_name": "g"})
    ids["rule_id"] = (await client.create(f"{groups}/{ids['group_id']}/rules", RULE))["rule_id"]
    ids |= await client.create("/live-platforms/platforms", PLATFORM)
    return ids
