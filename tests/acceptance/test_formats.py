"""Every format, end to end, judged by ffprobe."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
import subprocess
from typing import Any

import pytest

from tests.support.audio.slice_audio import beeps
from tests.support.clients.rtp_publisher import opus_loop
from tests.support.server.running_server import KINDS
from tests.support.stages.publishing_stage import PublishingStage
from tests.support.waiting import PATIENCE_S

CODECS = {"wav": "pcm_s16le", "ogg": "opus", "flac": "flac", "mp3": "mp3", "aac": "aac"}

FRAME_S = 0.15
"""MP3 and raw AAC files are whole frames long, and their decoders add a start-up of their own."""

DURATION_S = 2


@pytest.mark.skipif(shutil.which("ffprobe") is None, reason="ffprobe is not installed")
async def test_slices_are_what_each_application_asked_for(
    order: Any, stage: PublishingStage
) -> None:
    loop = opus_loop(beeps(1.0))
    room = "formats"
    tasks = {
        kind: await order(kind=kind, room=room, Duration=DURATION_S, Control={"Align": True})
        for kind in KINDS
    }
    await asyncio.gather(*(stage.publish(loop, room=room, user="u", kind=kind) for kind in KINDS))

    for kind, task in tasks.items():
        slice_format, rate = KINDS[kind]
        (announced, *_) = await task.wait_for(2)
        path = task.path(announced)
        probed = _probe(str(path))

        assert path.stat().st_size == announced.size
        assert hashlib.sha256(path.read_bytes()).hexdigest() == announced.sha256
        assert announced.duration_ms == DURATION_S * 1000
        assert probed["codec_name"] == CODECS[slice_format]
        assert (int(probed["sample_rate"]), probed["channels"], announced.rate) == (rate, 1, rate)
        exact = slice_format in ("wav", "flac", "ogg")
        assert float(probed["duration"]) == pytest.approx(
            DURATION_S, abs=0 if exact else FRAME_S
        ), kind


def _probe(path: str) -> dict[str, Any]:
    command = ["ffprobe", "-v", "error", "-show_streams", "-of", "json", path]
    done = subprocess.run(command, capture_output=True, check=True, timeout=PATIENCE_S)
    (stream,) = json.loads(done.stdout)["streams"]
    return dict(stream)
