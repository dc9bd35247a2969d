"""Fetches recordings from URLs that owners give, and from the server's own disk, as PCM.

Which addresses may be dialled is decided by the resolver that `FetchedRecordings` is given.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from airslice.application.ports.live import RecordingNotFound, SpeechFailed, SpeechRefused
from airslice.presenter.process_engine import Decode

MAX_FILE_BYTES = 100_000_000
"""Largest recording that is fetched; the cloud has the same bound."""

MAX_FETCHES = 4
"""Downloads under way at a time; further ones wait, and their time-out starts afterwards."""

TIMEOUT_S = 300.0
"""How long a download may take, unless said otherwise."""

_STALL_S = 20.0
_CONNECT_S = 10.0

_DECODING_THREADS = 2

_GONE = (HTTPStatus.NOT_FOUND, HTTPStatus.GONE)

_PASSING = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)
"""Refusals that may pass, as may any status from 500 on."""

_SAFE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class FetchedRecordings:
    """Recordings as MP3 files (port `Recordings`).

    A URL's address is resolved once, checked, and that address is dialled; redirects are not
    followed. Make it on the event loop that it serves.

    Args:
        check_url: Parses a URL, or raises a ValueError whose message says why it is refused.
        resolver: Resolves names to addresses that may be dialled, or raises a ValueError.
        decode: Decodes MP3 files.
        assets: Folder of the files ``{project_id}/{asset_id}.mp3``.
        timeout_s: How long a download may take, in seconds.
    """

    def __init__(
        self,
        *,
        check_url: Callable[[str], URL],
        resolver: AbstractResolver,
        decode: Decode,
        assets: Path,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._check_url = check_url
        self._decode = decode
        self._assets = assets
        self._turns = asyncio.Semaphore(MAX_FETCHES)
        # Not the event loop's usual threads: decoding a long recording takes seconds.
        self._threads = ThreadPoolExecutor(_DECODING_THREADS, "recordings")
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(resolver=resolver, use_dns_cache=False),
            timeout=aiohttp.ClientTimeout(
                total=timeout_s, sock_connect=_CONNECT_S, sock_read=_STALL_S
            ),
            headers={"User-Agent": "airslice", "Accept-Encoding": "identity"},
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
        )

    async def close(self) -> None:
        """Close the connections; nothing comes after this."""
        await self._session.close()
        self._threads.shutdown(cancel_futures=True)

    async def fetch(self, url: str) -> bytes:
        """Return the MP3 file at a URL as PCM (port `Recordings`)."""
        async with self._turns:
            with TemporaryFile() as file:
                try:
                    await self._download(self._check_url(url), file)
                except ValueError as error:
                    raise SpeechRefused(f"audio URL refused, {error}") from error
                except (aiohttp.ClientError, OSError) as error:  # a TimeoutError is an OSError
                    # Its message may hold the URL, which may hold a secret.
                    raise SpeechFailed(f"no recording, {type(error).__name__}") from error
                return await self._decoded(file)

    async def asset(self, project_id: str, asset_id: str) -> bytes:
        """Return an MP3 asset of a project as PCM (port `Recordings`)."""
        path = self._assets / project_id / f"{asset_id}.mp3"
        safe = _SAFE_ID.fullmatch(project_id) and _SAFE_ID.fullmatch(asset_id)
        if not safe or not await asyncio.to_thread(path.is_file):
            raise RecordingNotFound(f"there is no audio asset {asset_id}")
        with await asyncio.to_thread(path.open, "rb") as file:
            return await self._decoded(file)

    async def _download(self, url: URL, file: BinaryIO) -> None:
        async with self._session.get(url, allow_redirects=False) as response:
            if response.status != HTTPStatus.OK:
                raise _failure(response.status)
            size = response.content_length or 0
            async for piece in response.content.iter_any():
                size = max(size, file.tell() + len(piece))
                if size > MAX_FILE_BYTES:
                    raise SpeechRefused(f"the recording is over {MAX_FILE_BYTES // 10**6} MB")
                file.write(piece)
        file.seek(0)

    async def _decoded(self, file: BinaryIO) -> bytes:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, self._decode, file, "mp3")
        except SpeechFailed as error:
            raise SpeechRefused(str(error)) from error


def _failure(status: int) -> SpeechFailed:
    reason = f"no recording, HTTP {status}"
    if status in _GONE:
        return RecordingNotFound(reason)
    if status in _PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return SpeechFailed(reason)
    return SpeechRefused(reason)
