from __future__ import annotations

import ctypes
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airslice.slicing.audio import OpusFrame
from airslice.slicing.opus_packet import (
    LEVEL_SILENT,
    SILENT_FRAMES,
    lost_frames,
    packet_samples,
    silent_frames,
)
from tests.support.audio.made_audio import PACKET_LENGTHS, examples, payload


@pytest.fixture(scope="module")
def libopus() -> Any:
    """The copy of libopus in the `av` wheel: an oracle that shares nothing with our parser."""
    spec = find_spec("av")
    assert spec is not None
    assert spec.origin is not None
    bundled = sorted((Path(spec.origin).parent.parent / "av.libs").glob("libopus[-.]*"))
    if not bundled:
        pytest.skip("the av wheel of this platform bundles no libopus")
    library = ctypes.CDLL(str(bundled[0]))
    library.opus_decoder_create.restype = ctypes.c_void_p
    return library


def parsed_samples(libopus: Any, payload: bytes) -> int:
    """Return what libopus finds in a packet, in 48 kHz samples; 0 if it refuses it."""
    sizes = (ctypes.c_int16 * 48)()
    frames = libopus.opus_packet_parse(payload, len(payload), None, None, sizes, None)
    if frames <= 0:
        return 0
    samples = libopus.opus_packet_get_nb_samples(payload, len(payload), 48_000)
    assert samples == frames * libopus.opus_packet_get_samples_per_frame(payload, 48_000)
    return int(samples)


@st.composite
def framed_packets(draw: st.DrawFn) -> bytes:
    """Packets with all codes, that are well-formed or nearly so."""
    toc = draw(st.integers(0, 255))
    if toc & 3 != 3:
        return bytes((toc,)) + draw(st.binary(max_size=40))
    count = draw(st.integers(0, 63) | st.integers(1, 6))
    flags = draw(st.sampled_from((0, 0x40, 0x80, 0xC0)))
    padding = draw(st.integers(0, 600)) if flags & 0x40 else None
    coded = b""
    if padding is not None:
        coded = b"\xff" * (padding // 254) + bytes((padding % 254,))
    sizes = [draw(st.integers(0, 6))] * count
    lengths = bytes(sizes[:-1]) if flags & 0x80 else b""
    body = bytes(sum(sizes)) + bytes(padding or 0)
    packet = bytes((toc, flags | count)) + coded + lengths + body
    return packet[: len(packet) - draw(st.sampled_from((0, 0, 0, 1, 2, 7)))]


@examples(400)
@given(payload=st.binary(min_size=1, max_size=40) | framed_packets())
def test_libopus_agrees_on_length_and_validity(libopus: Any, payload: bytes) -> None:
    assert packet_samples(payload) == parsed_samples(libopus, payload)


@examples(300)
@given(
    toc=st.integers(0, 255),
    second=st.binary(min_size=2, max_size=4),
    size=st.integers(1_270, 1_285) | st.integers(2_545, 2_565) | st.integers(3_800, 3_850),
)
def test_libopus_agrees_on_the_longest_frames(
    libopus: Any, toc: int, second: bytes, size: int
) -> None:
    payload = (bytes((toc,)) + second).ljust(size, b"\0")

    assert packet_samples(payload) == parsed_samples(libopus, payload)


@pytest.mark.parametrize("toc", range(256))
def test_libopus_agrees_on_every_configuration(libopus: Any, toc: int) -> None:
    payload = bytes((toc, 2)) + bytes(4)

    assert packet_samples(payload) == parsed_samples(libopus, payload)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xf9a",  # code 1 with bytes that two frames cannot share
        b"\xfa",  # code 2 without a length
        b"\xfa\xfc",  # code 2, the length's second byte is missing
        b"\xfa\x05abc",  # code 2, the first frame is longer than the packet
        b"\xfb",  # code 3 without a count
        b"\xfb\x00",  # no frame
        b"\xfb\x07",  # 140 ms
        b"\xfb\x41",  # no length of padding
        b"\xfb\x82",  # a length is missing
        b"\xfb\x41\x05abc",  # more padding than packet
        b"\xfb\x03ab",  # three frames cannot share two bytes
    ],
)
def test_malformed_packets_last_nothing(payload: bytes) -> None:
    assert packet_samples(payload) == 0


@pytest.mark.parametrize("samples", PACKET_LENGTHS)
def test_every_length_that_webrtc_sends_is_known(samples: int) -> None:
    assert packet_samples(payload(samples)) == samples


@given(grains=st.integers(0, 400))
def test_silence_is_made_of_well_formed_packets_of_the_right_length(grains: int) -> None:
    frames = silent_frames(grains * 120)

    assert sum(frame.samples for frame in frames) == grains * 120
    assert all(packet_samples(frame.payload) == frame.samples for frame in frames)
    assert {frame.level for frame in frames} <= {LEVEL_SILENT}


@examples(200)
@given(toc=st.integers(0, 255), grains=st.integers(0, 400))
def test_losses_are_made_of_well_formed_packets_of_the_right_length(toc: int, grains: int) -> None:
    frames = lost_frames(OpusFrame(bytes((toc,)) + b"data", 960, level=17), grains * 120)

    assert sum(frame.samples for frame in frames) == grains * 120
    assert all(packet_samples(frame.payload) == frame.samples for frame in frames)
    assert {frame.level for frame in frames} <= {17, LEVEL_SILENT}


@pytest.mark.parametrize("frame", SILENT_FRAMES.values(), ids=str)
def test_a_fresh_decoder_makes_silence_of_silent_packets(libopus: Any, frame: OpusFrame) -> None:
    assert decoded(libopus, [frame]) == bytes(2 * frame.samples)


@pytest.mark.parametrize("toc", range(0, 256, 4))
def test_a_decoder_conceals_lost_packets_for_as_long_as_they_last(libopus: Any, toc: int) -> None:
    frames = lost_frames(OpusFrame(bytes((toc,)) + b"data", 960), 5_880)

    assert len(decoded(libopus, frames)) == 2 * 5_880


def decoded(libopus: Any, frames: list[OpusFrame]) -> bytes:
    """Decode with libopus to 48 kHz mono."""
    state = ctypes.c_void_p(libopus.opus_decoder_create(48_000, 1, None))
    pcm = (ctypes.c_int16 * 5_760)()
    parts = []
    for frame in frames:
        count = libopus.opus_decode(state, frame.payload, len(frame.payload), pcm, 5_760, 0)
        assert count == frame.samples
        parts.append(bytes(pcm)[: 2 * count])
    libopus.opus_decoder_destroy(state)
    return b"".join(parts)
