"""Recordings and speech files to PCM, by PyAV. Streams of Opus packets are not decoded here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from os import SEEK_END
from typing import BinaryIO

import av

from airslice.application.ports.live import SpeechFailed
from airslice.application.ports.media import SPEECH_RATE_HZ
from airslice.slicing.audio import PCM_SAMPLE_BYTES

MAX_AUDIO_S = 3_600
"""Longest audio that is decoded, in seconds. It makes 346 MB of PCM."""

_MIN_RATE_HZ = 4_000

_MIN_FILE_BYTES = 128
"""Shorter files hold no audio; FFmpeg seeks to a tag of this length at the end of an MP3 file."""


def decode_audio(file: BinaryIO, container: str, *, max_s: float = MAX_AUDIO_S) -> bytes:
    """Decode an audio file to mono PCM at `SPEECH_RATE_HZ`. Blocks: call it in a thread.

    Args:
        file: Open for reading, seekable.
        container: FFmpeg's name of the format that it must have: ``wav``, ``mp3``, ``ogg``.
        max_s: The longest that is taken, in seconds.

    Raises:
        SpeechFailed: it is none of that format, damaged, empty, or too long.
    """
    max_bytes = int(max_s * SPEECH_RATE_HZ) * PCM_SAMPLE_BYTES
    pieces = []
    size = 0
    try:
        for piece in _pieces(file, container):
            pieces.append(piece)
            size += len(piece)
            if size > max_bytes:
                raise SpeechFailed(f"longer than {max_s / 60:g} minutes")
    # Some of what FFmpeg finds is neither of the first; no audio at all is an IndexError.
    except (av.FFmpegError, OSError, ValueError, IndexError) as error:
        raise SpeechFailed(f"no intact {container.upper()} recording") from error
    if not size:
        raise SpeechFailed(f"no sound in the {container.upper()} recording")
    return b"".join(pieces)


def _pieces(file: BinaryIO, container: str) -> Iterator[bytes]:
    if file.seek(0, SEEK_END) < _MIN_FILE_BYTES:
        return
    file.seek(0)
    resampler, form = _resampler(), None
    with av.open(file, "r", format=container) as source:
        for packet in source.demux(source.streams.audio[0]):
            for frame in _frames(packet):
                if form not in (None, _form(frame)):  # recordings that were joined
                    yield from _pcm(resampler.resample(None))
                    resampler = _resampler()
                form = _form(frame)
                yield from _pcm(resampler.resample(frame))
        if form is not None:
            yield from _pcm(resampler.resample(None))


def _frames(packet: av.Packet[av.AudioStream]) -> list[av.AudioFrame]:
    try:
        return packet.decode()
    except av.error.InvalidDataError:  # junk between frames; players skip it too
        return []


def _resampler() -> av.AudioResampler:
    return av.AudioResampler("s16", "mono", SPEECH_RATE_HZ)


def _form(frame: av.AudioFrame) -> tuple[str, str, int]:
    """Return what a resampler is made for.

    Raises:
        ValueError: at the frame's rate, few bytes would last for hours.
    """
    if frame.sample_rate < _MIN_RATE_HZ:
        raise ValueError("the rate is no recording's")
    return frame.format.name, frame.layout.name, frame.sample_rate


def _pcm(frames: Iterable[av.AudioFrame]) -> Iterator[bytes]:
    for frame in frames:
        yield bytes(frame.planes[0])[: frame.samples * PCM_SAMPLE_BYTES]
