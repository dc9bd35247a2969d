"""Live jobs of recordings, each a tone of its own: what is heard tells what was played."""

from __future__ import annotations

import asyncio
import itertools
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import av
import httpx
import numpy as np

from tests.support.audio.slice_audio import Samples
from tests.support.server.running_server import RunningServer
from tests.support.waiting import PATIENCE_S

MP3_RATE = 48_000
WINDOW_S = 0.02
FINAL = ("SUCCEED", "FAILED", "BLOCKED")
PAUSE_S = 0.3


def tone_hz(number: int) -> float:
    """The frequency of a recording: far enough from the others for one window."""
    return 400 + 200 * number


def write_tones(folder: Path, lengths_s: list[float]) -> None:
    """Write ``tone-{number}.mp3`` for each length."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, length_s in enumerate(lengths_s):
        at = np.arange(round(length_s * MP3_RATE)) / MP3_RATE
        pcm = (12_000 * np.sin(2 * np.pi * tone_hz(number) * at)).astype(np.int16)
        with av.open(str(folder / f"tone-{number}.mp3"), "w") as file:
            stream = file.add_stream("mp3", rate=MP3_RATE, layout="mono")
            frame = av.AudioFrame.from_ndarray(pcm.reshape(1, -1), "s16", "mono")
            frame.sample_rate = MP3_RATE
            resampler = av.AudioResampler(stream.format, "mono", MP3_RATE, stream.frame_size)
            for part in [*resampler.resample(frame), *resampler.resample(None)]:
                file.mux(stream.encode(part))
            file.mux(stream.encode(None))


class Played(NamedTuple):
    """A stretch of one tone."""

    number: int
    start_s: float
    """From the first sample."""
    length_s: float


def played(samples: Samples, tones: int, *, rate: int) -> list[Played]:
    """Return the tones that are heard, in order; short rests of a cut tone are left out."""
    size = round(WINDOW_S * rate)
    windows = samples[: samples.size // size * size].reshape(-1, size).astype(float)
    at = np.arange(size) / rate
    probes = np.exp(-2j * np.pi * np.outer(at, [tone_hz(number) for number in range(tones)]))
    strengths = np.abs(windows @ probes)
    loud = np.sqrt(np.mean(windows**2, axis=1)) > 1_500
    heard = np.where(loud, np.argmax(strengths, axis=1), -1)
    runs = []
    place = 0
    for number, windows_of_run in itertools.groupby(heard):
        length = len(list(windows_of_run))
        if number >= 0 and length >= 3:
            runs.append(Played(int(number), place * WINDOW_S, length * WINDOW_S))
        place += length
    return runs


@dataclass(frozen=True, kw_only=True)
class StartedJob:
    """A job that was started."""

    room_id: str
    job_id: str
    rtc_room_id: str
    tokens: dict[str, str]
    """By kind of user."""
    users: dict[str, str]


class LiveClient:
    """Calls the smart live API with a token, as a client without an SDK does."""

    def __init__(self, server: RunningServer, http: httpx.AsyncClient) -> None:
        self._server = server
        self._http = http
        self.token = ""
        """Fetched with the first call."""

    async def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Return the answer of an operation that must succeed."""
        response = await self._send(method, path, body)
        assert response.status_code < 300, response.text
        return response.json() if response.content else None

    async def refused(self, method: str, path: str, body: dict[str, Any] | None = None) -> str:
        """Return the error code of an operation that must fail."""
        response = await self._send(method, path, body)
        assert response.status_code >= 400, response.text
        return str(response.json()["error_code"])

    async def start(
        self,
        tones: int,
        *,
        auto_play: bool = True,
        callback: dict[str, Any] | None = None,
        **room_fields: Any,
    ) -> StartedJob:
        """Start a job of recordings, each a paragraph of its own."""
        paragraphs = [
            {
                "sequence_no": number,
                "title": f"tone {number}",
                "audio_config": {"asset_id": f"tone-{number}"},
            }
            for number in range(tones)
        ]
        room = {
            "room_name": "tones",
            "scene_scripts": [{"script_name": "scene", "shoot_scripts": paragraphs}],
            "play_policy": {
                "repeat_count": 0, "auto_play_script": auto_play, "play_mode": "AUDIO",
            },
            **room_fields,
        }  # fmt: skip
        room_id = (await self.call("POST", "smart-live-rooms", room))["room_id"]
        order = {} if callback is None else {"live_event_callback_config": callback}
        job = await self.call("POST", f"smart-live-rooms/{room_id}/smart-live-jobs", order)
        users = job["rtc_room_info"]["users"]
        return StartedJob(
            room_id=room_id,
            job_id=job["job_id"],
            rtc_room_id=job["rtc_room_info"]["room_id"],
            tokens={user["user_type"]: user["signature"] for user in users},
            users={user["user_type"]: user["user_id"] for user in users},
        )

    async def show(self, job: StartedJob) -> Any:
        """Return a job as it is now."""
        return await self.call(
            "GET", f"smart-live-rooms/{job.room_id}/smart-live-jobs/{job.job_id}"
        )

    async def stop(self, job: StartedJob) -> None:
        """Stop it."""
        await self.call("POST", f"smart-live-rooms/{job.room_id}/smart-live-jobs/{job.job_id}/stop")

    async def ended(self, job: StartedJob, timeout_s: float = 2 * PATIENCE_S) -> Any:
        """Wait until it has ended; return it."""
        deadline = time.monotonic() + timeout_s
        while (shown := await self.show(job))["state"] not in FINAL:
            assert time.monotonic() < deadline, shown
            await asyncio.sleep(0.2)
        return shown

    async def _send(self, method: str, path: str, body: dict[str, Any] | None) -> httpx.Response:
        if not self.token:
            self.token = await self._fetch_token()
        project_id = self._server.project.project_id
        return await self._http.request(
            method,
            f"{self._server.base_url}/v1/{project_id}/{path}",
            json=body or {},
            headers={"X-Auth-Token": self.token},
        )

    async def _fetch_token(self) -> str:
        project = self._server.project
        user = project.users[0]
        password = {"user": {"name": user.name, "password": user.password}}
        body = {
            "auth": {
                "identity": {"methods": ["password"], "password": password},
                "scope": {"project": {"id": project.project_id}},
            }
        }
        response = await self._http.post(f"{self._server.base_url}/v3/auth/tokens", json=body)
        assert response.status_code == 201, response.text
        return response.headers["X-Subject-Token"]
