"""One signed request; what stores make of it is tested with the store."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from airslice.domain.errors import StoreFailed
from airslice.domain.storage_endpoints import BucketAccess, bucket_access
from airslice.storage.s3_requests import EMPTY_SHA256, ObjectRequest, S3Requests
from tests.support.stages.scripted_store import ACCESS_KEY, ScriptedStore
from tests.support.values.values import TARGET

LIMITS = aiohttp.ClientTimeout(total=30)


@pytest.fixture
async def script() -> AsyncIterator[ScriptedStore]:
    async with ScriptedStore() as script:
        yield script


@pytest.fixture
async def requests() -> AsyncIterator[S3Requests]:
    requests = S3Requests()
    yield requests
    await requests.close()


def access_to(script: ScriptedStore) -> BucketAccess:
    return bucket_access(TARGET, script.override())


def test_a_key_is_percent_encoded_as_the_signature_wants_it() -> None:
    access = BucketAccess(
        url="https://b.s3.example", region="r", takes_sha256=True, access_key="a", secret_key="s"
    )
    request = ObjectRequest(method="PUT", access=access, key="p/a@b ü_0~1.wav")

    assert request.url == "https://b.s3.example/p/a%40b%20%C3%BC_0~1.wav"
    assert hashlib.sha256(b"").hexdigest() == EMPTY_SHA256


async def test_a_body_is_sent_with_the_digest_that_was_signed(
    script: ScriptedStore, requests: S3Requests, tmp_path: Path
) -> None:
    source = tmp_path / "spooled"
    source.write_bytes(b"audio")
    digest = hashlib.sha256(b"audio").hexdigest()

    with source.open("rb") as body:
        request = ObjectRequest(
            method="PUT",
            access=access_to(script),
            key="a@b.wav",
            headers={"Content-Type": "audio/wav"},
            body=body,
            sha256=digest,
        )
        answer = await requests.send(request, LIMITS)

    [received] = script.requests
    assert answer.status == 200
    assert (received.method, received.path) == ("PUT", "/moderation/a%40b.wav")
    assert received.body == b"audio"
    assert received.headers["X-Amz-Content-SHA256"] == digest
    assert f"Credential={ACCESS_KEY}/" in received.headers["Authorization"]
    assert "content-type" in received.headers["Authorization"]


async def test_a_store_that_is_gone_is_a_failure_without_its_address(requests: S3Requests) -> None:
    async with ScriptedStore() as script:
        access = access_to(script)

    with pytest.raises(StoreFailed) as caught:
        await requests.send(ObjectRequest(method="HEAD", access=access, key="k"), LIMITS)

    assert str(caught.value) == "the store cannot be reached: Connection refused"
