from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from airslice.domain.errors import ObjectNotFound
from airslice.facades.objects import ObjectsFacade
from airslice.storage.signed_url import UrlSigner

NOW_S = 1_700_000_000
SIGNER = UrlSigner(bytes(32))


@pytest.fixture
async def http(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    (tmp_path / "bucket").mkdir()
    for extension in ("wav", "ogg", "flac", "mp3", "m4a", "other"):
        (tmp_path / "bucket" / f"a@b_0.{extension}").write_bytes(b"0123456789")

    def find(bucket: str, key: str) -> Path:
        path = tmp_path / bucket / key
        if not path.exists():
            raise ObjectNotFound(key)
        return path

    app = Starlette(routes=ObjectsFacade(SIGNER, find, lambda: NOW_S).routes())
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://server") as http:
        yield http


def url(key: str = "a@b_0.wav", *, expires_in_s: int = 60) -> str:
    return SIGNER.sign("bucket", key, expires_at_s=NOW_S + expires_in_s)


async def test_a_signed_url_opens_its_object(http: httpx.AsyncClient) -> None:
    response = await http.get(url())

    assert response.status_code == 200
    assert response.content == b"0123456789"


async def test_players_may_ask_for_a_range(http: httpx.AsyncClient) -> None:
    response = await http.get(url(), headers={"Range": "bytes=2-4"})

    assert response.status_code == 206
    assert response.content == b"234"
    assert response.headers["Content-Range"] == "bytes 2-4/10"


async def test_the_head_alone_can_be_asked_for(http: httpx.AsyncClient) -> None:
    response = await http.head(url())

    assert response.status_code == 200
    assert response.headers["Content-Length"] == "10"
    assert response.content == b""


@pytest.mark.parametrize(
    ("extension", "media_type"),
    [
        ("wav", "audio/wav"),
        ("ogg", "audio/ogg"),
        ("flac", "audio/flac"),
        ("mp3", "audio/mpeg"),
        ("m4a", "audio/mp4"),
        ("other", "application/octet-stream"),
    ],
)
async def test_the_media_type_is_that_of_the_slice_format(
    http: httpx.AsyncClient, extension: str, media_type: str
) -> None:
    response = await http.get(url(f"a@b_0.{extension}"))

    assert response.headers["Content-Type"] == media_type
    assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_what_was_heard_is_kept_by_no_cache(http: httpx.AsyncClient) -> None:
    response = await http.get(url())

    assert response.headers["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize(
    "refused",
    [
        "/objects/bucket/a@b_0.wav",
        url(expires_in_s=-1),
        url().replace("_0.wav", "_1.wav"),
        url().replace("bucket", "other"),
        url().replace(str(NOW_S + 60), str(NOW_S + 61)),
        url() + "0",
        "/objects/bucket/a@b_0.wav?expires=never&signature=%ff",
    ],
)
async def test_any_other_url_is_refused(http: httpx.AsyncClient, refused: str) -> None:
    response = await http.get(refused)

    assert response.status_code == 403
    assert b"0123" not in response.content


async def test_an_unsigned_url_does_not_tell_whether_there_is_an_object(
    http: httpx.AsyncClient,
) -> None:
    there = await http.get("/objects/bucket/a@b_0.wav")
    not_there = await http.get("/objects/bucket/gone.wav")

    assert (there.status_code, there.text) == (not_there.status_code, not_there.text)


async def test_an_object_that_is_gone_is_not_found(http: httpx.AsyncClient) -> None:
    response = await http.get(url("gone.wav"))

    assert response.status_code == 404


async def test_objects_can_only_be_read(http: httpx.AsyncClient) -> None:
    for method in ("PUT", "POST", "DELETE"):
        assert (await http.request(method, url())).status_code == 405
