"""The system's FFmpeg as a second opinion on files: another build than the one we encode with."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Probe:
    """What ffprobe says of a file's only stream."""

    codec: str
    sample_rate_hz: int
    channels: int
    start_s: float
    duration_s: float


class FFmpeg:
    """Runs ffprobe and ffmpeg; an error that they print fails the test."""

    def probe(self, path: Path) -> Probe:
        """Describe a file."""
        arguments = ["ffprobe", "-v", "error", "-show_streams", "-of", "json"]
        stream: dict[str, Any] = json.loads(self._run([*arguments, str(path)]))["streams"][0]
        return Probe(
            codec=stream["codec_name"],
            sample_rate_hz=int(stream["sample_rate"]),
            channels=stream["channels"],
            start_s=float(stream.get("start_time", 0)),
            duration_s=float(stream.get("duration", 0)),
        )

    def decode(self, path: Path, *decoder: str) -> bytes:
        """Return a file's 16-bit PCM, at its own rate and channels."""
        return self._run(["ffmpeg", "-v", "error", *decoder, "-i", str(path), "-f", "s16le", "-"])

    def _run(self, command: list[str]) -> bytes:
        done = subprocess.run(command, capture_output=True, check=True, timeout=60)
        assert done.stderr == b"", done.stderr.decode()
        return done.stdout
