from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from airslice.application.ports.media import OpusDecoders
from airslice.application.ports.storage import SliceWriter, SliceWriters
from airslice.domain.apps import SliceFormat
from airslice.domain.file_kind import FileKind
from airslice.encoding.opus_decoder import find_opus_decoders
from airslice.encoding.writers import FileSliceWriters
from airslice.slicing.audio import OpusAudio, OpusFrame, PcmAudio
from tests.support.audio.ffmpeg import FFmpeg
from tests.support.audio.signals import speech

WRITERS: SliceWriters = FileSliceWriters()
DECODERS: OpusDecoders = find_opus_decoders()

PCM = [PcmAudio(speech(16_000, 0.5))]
OPUS = [OpusAudio((OpusFrame(b"\xf8\xff\xfe", 960),))]

KINDS = [
    FileKind(slice_format=slice_format, sample_rate_hz=16_000, passthrough=False)
    for slice_format in SliceFormat
]
KINDS.append(FileKind(slice_format=SliceFormat.OGG, sample_rate_hz=48_000, passthrough=True))


@pytest.fixture(params=KINDS, ids=lambda kind: f"{kind.slice_format}-{kind.passthrough}")
def kind(request: pytest.FixtureRequest) -> FileKind:
    """Return each kind in turn."""
    assert isinstance(request.param, FileKind)
    return request.param


def test_a_finished_file_is_flushed_to_the_disk(
    tmp_path: Path,
    ffmpeg: FFmpeg,
    kind: FileKind,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / f"slice.{kind.slice_format.extension}"
    flushed_bytes = []
    monkeypatch.setattr(os, "fsync", lambda fd: flushed_bytes.append(os.fstat(fd).st_size))
    writer = WRITERS.open(path, kind)
    writer.write(OPUS if kind.passthrough else PCM)

    writer.finish()

    assert flushed_bytes == [path.stat().st_size]
    assert ffmpeg.probe(path).duration_s > 0


def test_a_discarded_file_is_gone(tmp_path: Path, kind: FileKind) -> None:
    writer = WRITERS.open(tmp_path / "slice", kind)
    writer.write(OPUS if kind.passthrough else PCM)

    writer.discard()
    writer.discard()

    assert list(tmp_path.iterdir()) == []


def test_a_finished_file_can_be_discarded(tmp_path: Path, kind: FileKind) -> None:
    writer = WRITERS.open(tmp_path / "slice", kind)
    writer.write(OPUS if kind.passthrough else PCM)
    writer.finish()

    writer.discard()

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("end", ["finish", "discard"])
def test_a_writer_serves_once(tmp_path: Path, kind: FileKind, end: str) -> None:
    writer = WRITERS.open(tmp_path / "slice", kind)
    writer.write(OPUS if kind.passthrough else PCM)
    getattr(writer, end)()

    with pytest.raises(ValueError, match="finished or discarded"):
        writer.write(OPUS if kind.passthrough else PCM)
    with pytest.raises(ValueError, match="finished or discarded"):
        writer.finish()


def test_audio_of_the_other_kind_is_refused(tmp_path: Path, kind: FileKind) -> None:
    writer = WRITERS.open(tmp_path / "slice", kind)

    with pytest.raises(TypeError, match="only"):
        writer.write(PCM if kind.passthrough else OPUS)

    writer.discard()


def test_a_full_disk_is_reported_and_the_file_can_be_discarded(
    tmp_path: Path, kind: FileKind
) -> None:
    writer = WRITERS.open(tmp_path / "slice", kind)

    with file_size_limit(4_096), pytest.raises(OSError, match="File too large"):
        write_and_finish(writer, (OPUS if kind.passthrough else PCM) * 2_000)
    writer.discard()

    assert list(tmp_path.iterdir()) == []


def write_and_finish(writer: SliceWriter, audio: list[PcmAudio] | list[OpusAudio]) -> None:
    writer.write(audio)
    writer.finish()


@contextmanager
def file_size_limit(limit_bytes: int) -> Iterator[None]:
    """Let no file of this process grow beyond: the kernel then answers as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_threads_write_files_of_their_own(tmp_path: Path, kind: FileKind) -> None:
    def write(path: Path) -> bytes:
        writer = WRITERS.open(path, kind)
        for _ in range(10):
            writer.write(OPUS if kind.passthrough else PCM)
        writer.finish()
        return path.read_bytes()

    folders = [tmp_path / str(index) for index in range(4)]
    for folder in folders:
        folder.mkdir()
    with ThreadPoolExecutor(4) as pool:
        files = set(pool.map(write, [folder / "slice" for folder in folders]))

    assert len(files) == 1
