"""The system's FFmpeg as a second opinion on files: another build than the one we encode with."""

from __future__ import annotations

import os
import shutil

import pytest

from tests.support.audio.ffmpeg import FFmpeg


@pytest.fixture(scope="session")
def ffmpeg() -> FFmpeg:
    """Return the system's FFmpeg."""
    if shutil.which("ffmpeg") is None and "CI" not in os.environ:
        pytest.skip("ffmpeg and ffprobe are not installed")
    return FFmpeg()
