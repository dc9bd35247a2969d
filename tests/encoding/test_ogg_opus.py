from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airslice.encoding.ogg_opus import OggOpusEncoder
from airslice.slicing.audio import OpusAudio, OpusFrame
from tests.support.audio.ffmpeg import FFmpeg
from tests.support.audio.ogg_pages import OggPage, packets_of, read_pages
from tests.support.audio.signals import opus_packets, snr_db, speech

SPEECH = tuple(
    OpusFrame(packet, 960) for packet in opus_packets(speech(48_000, 6.0), application="voip")
)
GRAIN = 120
FRAME_GRAINS = (1, 2, 4, 8, 16, 24, 32, 40, 48)
SILENCE = {b"\xf8\xff\xfe": 960, b"\xf0\xff\xfe": 480, b"\xe8\xff\xfe": 240, b"\xe0\xff\xfe": 120}


@dataclass(frozen=True)
class OggOpus:
    """What a reader finds in an Ogg Opus file."""

    channels: int
    pre_skip: int
    input_rate_hz: int
    vendor: bytes
    payloads: list[bytes]
    pages: list[OggPage]

    @property
    def samples(self) -> int:
        """How long it plays (RFC 7845 section 4.3)."""
        return self.pages[-1].granule - self.pre_skip


def read(path: Path) -> OggOpus:
    """Parse a file by RFC 7845."""
    pages = read_pages(path.read_bytes())
    (head, head_page), (tags, tags_page), *audio = packets_of(pages)
    magic, version, channels, pre_skip, rate, gain, mapping = struct.unpack("<8sBBHIhB", head)
    assert (magic, version, gain, mapping) == (b"OpusHead", 1, 0, 0)
    assert (head_page, tags_page) == (0, 1)
    assert [page.granule for page in pages[:2]] == [0, 0]
    vendor_bytes, comments = struct.unpack("<8sI8sI", tags)[1], tags[-4:]
    assert (tags[:8], comments) == (b"OpusTags", bytes(4))
    return OggOpus(
        channels=channels,
        pre_skip=pre_skip,
        input_rate_hz=rate,
        vendor=tags[12 : 12 + vendor_bytes],
        payloads=[payload for payload, _ in audio],
        pages=pages[2:],
    )


def write(path: Path, *writes: list[OpusAudio]) -> OggOpus:
    """Write a file in as many calls, and read it."""
    encoder = OggOpusEncoder(path)
    for pieces in writes:
        encoder.write(pieces)
    encoder.close()
    return read(path)


def cut(audio: OpusAudio, start: int, end: int) -> OpusAudio:
    """Return samples `start` to `end` of `audio`."""
    if end < audio.samples:
        audio, _ = audio.split(end)
    return audio.split(start)[1] if start else audio


def pyav_decode(path: Path) -> bytes:
    """Decode by PyAV's libopus to 16-bit PCM."""
    with av.open(str(path)) as container:
        context = av.AudioCodecContext.create("libopus", "r")
        context.extradata = container.streams.audio[0].codec_context.extradata
        frames = [frame for packet in container.demux(audio=0) for frame in context.decode(packet)]
        return b"".join(bytes(frame.planes[0])[: frame.samples * 2] for frame in frames)


@st.composite
def streams(draw: st.DrawFn) -> OpusAudio:
    """Draw a stream of frames of any legal lengths, each with a payload of its own."""
    grains = draw(st.lists(st.sampled_from(FRAME_GRAINS), min_size=1, max_size=40))
    frames = [
        OpusFrame(struct.pack(">BH", 0xF8, index) * draw(st.integers(1, 130)), count * GRAIN)
        for index, count in enumerate(grains)
    ]
    return OpusAudio(tuple(frames))


def draw_cuts(data: st.DataObject, samples: int) -> list[int]:
    points = st.sets(st.integers(1, max(samples // GRAIN - 1, 1)), max_size=6)
    inside = {point * GRAIN for point in data.draw(points)}
    return sorted({0, samples} | {point for point in inside if point < samples})


@given(streams(), st.data())
def test_pieces_that_follow_each_other_give_the_publishers_packets(
    stream: OpusAudio, data: st.DataObject
) -> None:
    cuts = draw_cuts(data, stream.samples)
    pieces = [cut(stream, start, end) for start, end in pairwise(cuts)]
    first_write = data.draw(st.integers(0, len(pieces)))

    with TemporaryDirectory() as folder:
        file = write(Path(folder, "joined.ogg"), pieces[:first_write], pieces[first_write:])

    assert file.payloads == [frame.payload for frame in stream.frames]
    assert file.samples == stream.samples
    assert file.pre_skip == 0


@given(streams(), st.data())
def test_a_slice_is_its_frames_after_the_preroll(stream: OpusAudio, data: st.DataObject) -> None:
    cuts = draw_cuts(data, stream.samples)
    for start, end in pairwise(cuts):
        piece = cut(stream, start, end)

        with TemporaryDirectory() as folder:
            file = write(Path(folder, "slice.ogg"), [piece])

        before = sum(frame.samples for frame in piece.before)
        assert file.payloads == [frame.payload for frame in (*piece.before, *piece.frames)]
        assert file.pre_skip == before + piece.skip
        assert file.samples == end - start


@given(streams(), st.data())
def test_pieces_with_gaps_last_as_long_as_the_pieces(
    stream: OpusAudio, data: st.DataObject
) -> None:
    cuts = draw_cuts(data, stream.samples)
    spans = list(pairwise(cuts))
    kept = [span for span in spans if data.draw(st.booleans())]

    with TemporaryDirectory() as folder:
        file = write(Path(folder, "gaps.ogg"), [cut(stream, *span) for span in kept])

    assert file.samples == sum(end - start for start, end in kept)
    lengths = {frame.payload: frame.samples for frame in stream.frames} | SILENCE
    decoded = sum(lengths[payload] for payload in file.payloads)
    last_page_start = file.pages[-2].granule if len(file.pages) > 1 else 0
    assert last_page_start <= file.pages[-1].granule <= decoded
    assert decoded - file.pages[-1].granule < 48 * GRAIN


def test_a_packet_left_incomplete_inside_the_file_becomes_silence(tmp_path: Path) -> None:
    frames = tuple(OpusFrame(bytes((0xF8, index)), 960) for index in range(4))
    stream = OpusAudio(frames)

    file = write(tmp_path / "gap.ogg", [cut(stream, 0, 960 + 600), cut(stream, 2_880 + 840, 3_840)])

    assert file.payloads == [
        frames[0].payload,
        *(b"\xf0\xff\xfe", b"\xe0\xff\xfe"),
        b"\xe0\xff\xfe",
    ]
    assert file.samples == 960 + 600 + 120


def test_parts_of_different_packets_are_not_joined(tmp_path: Path) -> None:
    first, second = (OpusFrame(bytes((0xF8, index)), 960) for index in range(2))

    pieces = [OpusAudio((first,), trim=480), OpusAudio((second,), skip=480)]
    file = write(tmp_path / "gap.ogg", pieces)

    assert file.payloads == [b"\xf0\xff\xfe"] * 2
    assert file.samples == 960


def test_the_header_says_what_players_need(tmp_path: Path) -> None:
    piece = OpusAudio(SPEECH).split(48_000)[1]

    file = write(tmp_path / "header.ogg", [piece])

    assert (file.pre_skip, file.input_rate_hz, file.vendor) == (15_360, 48_000, b"airslice")


@pytest.mark.parametrize(("toc", "channels"), [(0x78, 1), (0x7C, 2)])
def test_players_decode_to_stereo_where_the_publisher_sends_it(
    tmp_path: Path, toc: int, channels: int
) -> None:
    frame = OpusFrame(bytes((toc, 1, 2)), 960)

    assert write(tmp_path / "channels.ogg", [OpusAudio((frame,))]).channels == channels


def test_pages_last_up_to_a_second(tmp_path: Path) -> None:
    file = write(tmp_path / "pages.ogg", [OpusAudio(SPEECH)])

    assert [page.granule for page in file.pages[:3]] == [48_000, 96_000, 144_000]


def test_the_same_audio_gives_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    for folder in (tmp_path, tmp_path / "again"):
        write(folder / "same.ogg", [OpusAudio(SPEECH)])

    assert (tmp_path / "same.ogg").read_bytes() == (tmp_path / "again/same.ogg").read_bytes()


def test_a_file_without_audio_has_headers_and_an_end(tmp_path: Path) -> None:
    file = write(tmp_path / "empty.ogg")

    assert (file.payloads, file.samples) == ([], 0)


@pytest.mark.parametrize(
    ("start", "end"),
    [(0, 48_000), (96_000, 192_000), (96_120, 191_880), (960, 1_920)],
)
def test_independent_players_decode_exactly_the_slice(
    tmp_path: Path, ffmpeg: FFmpeg, start: int, end: int
) -> None:
    path = tmp_path / "slice.ogg"
    write(path, [cut(OpusAudio(SPEECH), start, end)])

    probe = ffmpeg.probe(path)

    assert (probe.codec, probe.sample_rate_hz, probe.channels) == ("opus", 48_000, 1)
    assert len(ffmpeg.decode(path, "-c:a", "libopus")) == (end - start) * 2
    assert len(pyav_decode(path)) == (end - start) * 2


@pytest.mark.parametrize("start", [48_000, 96_480, 144_120, 200_040])
def test_after_the_preroll_a_slice_sounds_as_the_whole_stream_does(
    tmp_path: Path, ffmpeg: FFmpeg, start: int
) -> None:
    write(tmp_path / "whole.ogg", [OpusAudio(SPEECH)])
    piece = cut(OpusAudio(SPEECH), start, start + 48_000)
    first = start // 960
    # 320 ms: after 80 ms, SILK's long-term prediction may still be anywhere in steady vowels.
    long_before = replace(piece, before=SPEECH[first - 16 : first])
    write(tmp_path / "slice.ogg", [long_before])

    pcm = ffmpeg.decode(tmp_path / "slice.ogg", "-c:a", "libopus")

    whole = ffmpeg.decode(tmp_path / "whole.ogg", "-c:a", "libopus")
    reference = whole[start * 2 : (start + 48_000) * 2]
    assert snr_db(pcm[:1_920], reference[:1_920]) > 30


def test_silence_in_place_of_a_part_is_silent(tmp_path: Path, ffmpeg: FFmpeg) -> None:
    stream = OpusAudio(SPEECH)
    pieces = [cut(stream, 0, 48_000), cut(stream, 96_000 + 120, 96_960), cut(stream, 0, 960)]
    write(tmp_path / "silence.ogg", pieces)

    pcm = ffmpeg.decode(tmp_path / "silence.ogg", "-c:a", "libopus")

    assert len(pcm) == (48_000 + 840 + 960) * 2
    # What was sounding fades over 5 ms when the codec's mode changes (RFC 6716 section 4.5).
    assert not any(pcm[(48_000 + 360) * 2 : (48_000 + 840) * 2])
