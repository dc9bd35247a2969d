"""S3ObjectStore against a store that does what it should not."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from airslice.domain.errors import StoreFailed, StoreRefused
from airslice.domain.storage_endpoints import StorageOverride
from airslice.domain.storage_target import StorageTarget
from airslice.storage.s3 import S3ObjectStore
from tests.support.clock import HandClock
from tests.support.stages.scripted_store import ACCESS_KEY, SECRET_KEY, ScriptedStore, etag
from tests.support.values.values import TARGET

KEY = "prefix_alice@b_1700000000000_0.wav"
BODY = bytes(range(256)) * 4_096
PATIENCE_S = 0.5
OTHER_SHA256 = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="


class Subject:
    """A scripted store, and ours that talks to it."""

    def __init__(self, script: ScriptedStore, override: StorageOverride) -> None:
        self.script = script
        self.store = S3ObjectStore(HandClock(), [override], timeout_s=60)
        self._hasty = S3ObjectStore(HandClock(), [override], timeout_s=PATIENCE_S)

    async def put(self, source: Path, target: StorageTarget = TARGET) -> None:
        await put(self.store, source, target)

    async def put_hastily(self, source: Path) -> None:
        """Put to a store that will not answer."""
        await put(self._hasty, source)

    async def close(self) -> None:
        await self.store.close()
        await self._hasty.close()


async def put(store: S3ObjectStore, source: Path, target: StorageTarget = TARGET) -> None:
    await store.put(
        target,
        KEY,
        source,
        content_type="audio/wav",
        sha256=hashlib.sha256(BODY).hexdigest(),
        metadata={"room": "Raum 1 ü", "start-ms": "1700000000000"},
    )


@pytest.fixture
async def subject() -> AsyncIterator[Subject]:
    async with ScriptedStore() as script:
        made = Subject(script, script.override())
        yield made
        script.released.set()
        await made.close()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "0123456789abcdef.wav"
    path.write_bytes(BODY)
    return path


async def test_everything_about_a_slice_is_sent_and_signed(subject: Subject, source: Path) -> None:
    await subject.put(source)

    (request,) = subject.script.requests
    assert request.body == BODY
    assert request.path == "/moderation/prefix_alice%40b_1700000000000_0.wav"
    sent = {name.lower(): value for name, value in request.headers.items()}
    assert sent["content-type"] == "audio/wav"
    assert sent["content-length"] == str(len(BODY))
    assert sent["x-amz-meta-room"] == "Raum%201%20%C3%BC"
    assert sent["x-amz-meta-start-ms"] == "1700000000000"
    assert sent["x-amz-content-sha256"] == hashlib.sha256(BODY).hexdigest()
    signed = sent["authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
    unsigned = {"authorization", "accept", "accept-encoding", "user-agent", "content-length"}
    assert set(sent) - unsigned == set(signed)


async def test_the_spools_file_name_is_nobodys_business(subject: Subject, source: Path) -> None:
    await subject.put(source)

    assert source.name not in str(subject.script.requests[0].headers)


@pytest.mark.parametrize("status", [500, 502, 503, 504, 429, 408, 409])
async def test_a_fault_of_the_store_may_pass(subject: Subject, source: Path, status: int) -> None:
    subject.script.scripts = [subject.script.says(status, "SlowDown")]

    with pytest.raises(StoreFailed, match=f"{status} SlowDown") as caught:
        await subject.put(source)

    assert type(caught.value) is StoreFailed
    assert subject.script.methods == ["PUT"]  # one try, for the caller knows when to make more


@pytest.mark.parametrize(
    ("status", "code", "meaning"),
    [
        (403, "AccessDenied", "may not write"),
        (403, "InvalidAccessKeyId", "no such access key"),
        (403, "SignatureDoesNotMatch", "secret key"),
        (404, "NoSuchBucket", "no such bucket"),
        (400, "AuthorizationHeaderMalformed", "region"),
        (400, "InvalidBucketName", "no such bucket"),
        (403, "", "403"),
        (501, "NotImplemented", "501"),
    ],
)
async def test_what_somebody_must_mend_is_a_refusal(
    subject: Subject, source: Path, status: int, code: str, meaning: str
) -> None:
    subject.script.scripts = [subject.script.says(status, code)] * 2

    with pytest.raises(StoreRefused, match=meaning):
        await subject.put(source)
    with pytest.raises(StoreRefused, match=meaning):
        await subject.store.check(TARGET)


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "BadDigest"), (400, "XAmzContentSHA256Mismatch"), (403, "RequestTimeTooSkewed")],
)
async def test_damage_on_the_way_and_a_clock_that_is_off_may_pass(
    subject: Subject, source: Path, status: int, code: str
) -> None:
    subject.script.scripts = [subject.script.says(status, code)]

    with pytest.raises(StoreFailed) as caught:
        await subject.put(source)

    assert type(caught.value) is StoreFailed


async def test_redirects_are_not_followed(subject: Subject, source: Path) -> None:
    async with ScriptedStore() as elsewhere:
        location = elsewhere.override().endpoint
        subject.script.scripts = [
            subject.script.says(301, "PermanentRedirect", Location=location),
            subject.script.says(307, "TemporaryRedirect", Location=location),
        ]

        with pytest.raises(StoreRefused, match="another region"):
            await subject.put(source)
        with pytest.raises(StoreFailed, match="307"):
            await subject.put(source)

        assert elsewhere.requests == []


async def test_the_endpoint_that_a_request_names_is_not_dialled(
    subject: Subject, source: Path
) -> None:
    async with ScriptedStore() as elsewhere:
        named = replace(TARGET, endpoint=elsewhere.override().endpoint)

        await subject.put(source, named)

        assert (elsewhere.requests, subject.script.methods) == ([], ["PUT"])


async def test_a_store_that_says_nothing_is_not_waited_for(subject: Subject, source: Path) -> None:
    subject.script.scripts = [subject.script.hangs]

    async with asyncio.timeout(60):
        with pytest.raises(StoreFailed, match="in time"):
            await subject.put_hastily(source)


async def test_a_slow_store_is_waited_for(subject: Subject, source: Path) -> None:
    subject.script.delay_s = PATIENCE_S / 5

    await subject.put(source)

    assert list(subject.script.objects.values()) == [BODY]


async def test_writing_again_what_was_stored_but_not_confirmed_is_harmless(
    subject: Subject, source: Path
) -> None:
    subject.script.scripts = [subject.script.stores_and_hangs]

    with pytest.raises(StoreFailed, match="in time"):
        await subject.put_hastily(source)
    await subject.put(source)

    assert list(subject.script.objects.values()) == [BODY]


async def test_connections_that_break_amid_the_body_are_a_failure(
    subject: Subject, source: Path
) -> None:
    subject.script.scripts = [subject.script.resets] * 2

    with pytest.raises(StoreFailed, match="broke"):
        await subject.put(source)

    assert subject.script.methods == ["PUT", "PUT"]


async def test_the_whole_body_is_sent_again_when_a_connection_breaks_once(
    subject: Subject, source: Path
) -> None:
    subject.script.scripts = [subject.script.resets]

    await subject.put(source)

    assert [request.body == BODY for request in subject.script.requests] == [False, True]


@pytest.mark.parametrize(
    ("endpoint", "reason"),
    [(f"http://{'x' * 64}.invalid", "resolved"), ("https://127.0.0.1:{port}", "TLS")],
)
async def test_a_wrong_endpoint_is_a_failure_with_its_reason(
    subject: Subject, source: Path, endpoint: str, reason: str
) -> None:
    override = subject.script.override()
    port = override.endpoint.rpartition(":")[2]
    wrong = replace(override, endpoint=endpoint.format(port=port))
    store = S3ObjectStore(HandClock(), [wrong], timeout_s=60)

    with pytest.raises(StoreFailed, match=f"cannot be reached: .*{reason}"):
        await put(store, source)

    await store.close()


async def test_a_store_that_is_down_is_a_failure(source: Path) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        override = StorageOverride(endpoint=endpoint, access_key="AK", secret_key=SECRET_KEY)
        store = S3ObjectStore(HandClock(), [override], timeout_s=60)

        with pytest.raises(StoreFailed, match="cannot be reached: Connection refused") as caught:
            await put(store, source)

        assert endpoint not in str(caught.value)
        await store.close()


@pytest.mark.parametrize(
    "headers",
    [
        {"x_amz_checksum_sha256": OTHER_SHA256, "ETag": etag(BODY)},
        {"ETag": etag(b"other")},
        {"ETag": etag(b"other"), "x_amz_server_side_encryption": "AES256"},
    ],
    ids=["sha256", "etag", "etag of an encrypted object"],
)
async def test_a_wrong_checksum_is_a_failure(
    subject: Subject, source: Path, headers: dict[str, str]
) -> None:
    subject.script.scripts = [subject.script.says(200, **headers)]

    with pytest.raises(StoreFailed, match="other bytes"):
        await subject.put(source)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"ETag": '"FkODc3XzQn9rR"'},
        {"ETag": etag(b""), "x_amz_server_side_encryption": "aws:kms"},
    ],
    ids=["none", "of another kind", "of the encrypted object"],
)
class TestAnswersWithoutChecksum:
    async def test_the_stored_size_must_be_right(
        self, subject: Subject, source: Path, headers: dict[str, str]
    ) -> None:
        subject.script.objects[f"/moderation/{KEY}"] = BODY
        subject.script.scripts = [subject.script.says(200, **headers)]

        await subject.put(source)

        assert subject.script.methods == ["PUT", "HEAD"]

    async def test_another_size_is_a_failure(
        self, subject: Subject, source: Path, headers: dict[str, str]
    ) -> None:
        subject.script.objects[f"/moderation/{KEY}"] = BODY[1:]
        subject.script.scripts = [subject.script.says(200, **headers)]

        with pytest.raises(StoreFailed, match="number of bytes"):
            await subject.put(source)

    async def test_an_object_that_is_not_there_is_a_failure(
        self, subject: Subject, source: Path, headers: dict[str, str]
    ) -> None:
        subject.script.scripts = [subject.script.says(200, **headers)]

        with pytest.raises(StoreFailed, match="does not have it") as caught:
            await subject.put(source)

        assert caught.value.retryable

    async def test_keys_that_may_not_read_are_enough(
        self, subject: Subject, source: Path, headers: dict[str, str]
    ) -> None:
        subject.script.scripts = [subject.script.says(200, **headers), subject.script.says(403)]

        await subject.put(source)

    async def test_a_store_that_fails_meanwhile_has_confirmed_nothing(
        self, subject: Subject, source: Path, headers: dict[str, str]
    ) -> None:
        subject.script.scripts = [subject.script.says(200, **headers), subject.script.says(503)]

        with pytest.raises(StoreFailed, match="503"):
            await subject.put(source)


@pytest.mark.parametrize("status", [201, 202, 204])
async def test_nothing_but_200_means_stored(subject: Subject, source: Path, status: int) -> None:
    subject.script.scripts = [subject.script.says(status, ETag=etag(BODY))]

    with pytest.raises(StoreFailed) as caught:
        await subject.put(source)

    assert caught.value.retryable


async def test_a_file_that_is_not_the_slice_is_not_sent(subject: Subject, source: Path) -> None:
    source.write_bytes(BODY[:-1])

    with pytest.raises(StoreFailed, match="differs"):
        await subject.put(source)

    assert subject.script.requests == []


async def test_no_secret_is_in_errors_or_logs(
    subject: Subject, source: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    script = subject.script
    script.scripts = [
        script.says(403, "SignatureDoesNotMatch"),
        script.says(500, "InternalError"),
        script.hangs,
        script.resets,
        script.resets,
    ]
    told = []

    for put in (subject.put, subject.put, subject.put_hastily, subject.put):
        with pytest.raises(StoreFailed) as caught:
            await put(source)
        told += [repr(caught.value), *map(repr, (caught.value.__cause__, caught.value.__context__))]

    shown = "\n".join([*told, caplog.text])
    assert SECRET_KEY not in shown
    assert ACCESS_KEY not in "\n".join(told)
    assert script.override().endpoint not in "\n".join(told)


async def test_the_environment_has_no_say(
    subject: Subject, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKenvironment")

    await subject.put(source)

    assert f"Credential={ACCESS_KEY}/" in subject.script.requests[0].headers["Authorization"]
