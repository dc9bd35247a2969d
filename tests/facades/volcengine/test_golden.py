"""Exchanges byte for byte, as the vendor's pages show them."""

from __future__ import annotations

import json
import re

import pytest

from tests.support.clients.wire_client import WireClient
from tests.support.values.http_text import VECTORS

STORIES = {path.stem: path.read_text() for path in VECTORS.glob("volcengine/golden/*.json")}


@pytest.mark.parametrize("name", sorted(STORIES))
async def test_the_answers_are_the_documented_ones(name: str, wire: WireClient) -> None:
    for exchange in json.loads(STORIES[name])["exchanges"]:
        request, expected = exchange["request"], exchange["response"]
        body = json.dumps(request["body"]).encode() if "body" in request else b""

        response = await wire.send(request["method"], request["query"], body)

        answer = response.json()
        request_id = answer["ResponseMetadata"].pop("RequestId")
        assert (response.status_code, answer) == (expected["status"], expected["body"])
        assert re.fullmatch("20230227060212[0-9A-F]{20}", request_id)
        assert response.headers["x-tt-logid"] == request_id
        assert response.headers["content-type"] == "application/json"


def test_there_are_stories() -> None:
    assert len(STORIES) == 6
