from __future__ import annotations

import gc
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airslice.application.ports.media import OpusDecoders
from airslice.encoding import opus_decoder
from airslice.encoding.av_opus_decoder import AvOpusDecoders
from airslice.encoding.opus_decoder import LibopusDecoder, LibopusDecoders, find_opus_decoders
from airslice.slicing.audio import OpusFrame
from airslice.slicing.opus_packet import SILENT_FRAMES, lost_frames
from tests.support.audio.signals import (
    dominant_hertz,
    opus_packets,
    rms,
    samples_of,
    snr_db,
    speech,
    tone,
)

RATES_HZ = (8_000, 16_000, 24_000, 48_000)

SPEECH_PACKETS = opus_packets(speech(48_000, 2.0), application="voip")
FEC_PACKETS = opus_packets(
    speech(48_000, 4.0), bit_rate=32_000, application="voip", fec="1", packet_loss="20"
)


@pytest.fixture(scope="module", params=["libopus", "av"])
def decoders(request: pytest.FixtureRequest) -> OpusDecoders:
    """Return each of the implementations, in turn."""
    makers: dict[str, Callable[[], OpusDecoders]] = {"libopus": libopus, "av": AvOpusDecoders}
    return makers[request.param]()


def libopus() -> LibopusDecoders:
    found = find_opus_decoders()
    assert isinstance(found, LibopusDecoders)
    return found


def decode_all(decoders: OpusDecoders, packets: list[bytes], rate_hz: int) -> bytes:
    decoder = decoders.open(rate_hz)
    return b"".join(decoder.decode(packet, rate_hz // 50) for packet in packets)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_a_tone_is_decoded_at_every_rate(decoders: OpusDecoders, rate_hz: int) -> None:
    packets = opus_packets(tone(48_000, 48_000, hertz=440.0, peak=0.5), bit_rate=48_000)

    pcm = decode_all(decoders, packets, rate_hz)

    settled = pcm[rate_hz // 5 * 2 :]
    assert len(pcm) == len(packets) * rate_hz // 50 * 2
    assert dominant_hertz(settled, rate_hz) == pytest.approx(440, abs=2)
    assert rms(settled) == pytest.approx(0.5 * 32_767 / 2**0.5, rel=0.06)


def test_both_implementations_decode_the_same_at_48_khz() -> None:
    ours = decode_all(libopus(), SPEECH_PACKETS, 48_000)
    theirs = decode_all(AvOpusDecoders(), SPEECH_PACKETS, 48_000)

    assert snr_db(ours, theirs) > 60


def test_stereo_is_mixed_to_mono(decoders: OpusDecoders) -> None:
    left = samples_of(tone(48_000, 48_000, peak=0.6))
    interleaved = bytearray(len(left) * 4)
    memoryview(interleaved).cast("h")[::2] = memoryview(left.astype("<i2").tobytes()).cast("h")

    packets = opus_packets(bytes(interleaved), layout="stereo", bit_rate=96_000)
    pcm = decode_all(decoders, packets, 16_000)

    assert packets[10][0] & 4
    assert len(pcm) == len(packets) * 640
    assert rms(pcm[8_000:]) == pytest.approx(0.3 * 32_767 / 2**0.5, rel=0.06)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_frame_length_may_change_in_mid_stream(decoders: OpusDecoders, rate_hz: int) -> None:
    decoder = decoders.open(rate_hz)
    source = speech(48_000, 0.48)
    for duration_ms in ("2.5", "5", "10", "20", "40", "60", "80", "100", "120"):
        packets = opus_packets(source, frame_duration=duration_ms)
        samples = round(rate_hz * float(duration_ms) / 1_000)
        for packet in packets:
            assert len(decoder.decode(packet, samples)) == samples * 2
    assert decoder.corrupt_packets == 0  # type: ignore[attr-defined]


def test_a_packet_without_a_frame_is_loss_and_not_corrupt() -> None:
    decoder = libopus().open(16_000)
    for packet in SPEECH_PACKETS[:50]:
        decoder.decode(packet, 320)

    (lost,) = lost_frames(OpusFrame(SPEECH_PACKETS[49], 960), 960)

    assert rms(decoder.decode(lost.payload, 320)) > 100
    assert decoder.corrupt_packets == 0


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize("frame", SILENT_FRAMES.values(), ids=lambda frame: str(frame.samples))
def test_packets_of_silence_decode_to_silence(
    decoders: OpusDecoders, rate_hz: int, frame: OpusFrame
) -> None:
    samples = frame.samples * rate_hz // 48_000

    assert decoders.open(rate_hz).decode(frame.payload, samples) == bytes(samples * 2)


@given(payload=st.binary(max_size=200), samples=st.integers(0, 6_000), sound=st.booleans())
def test_no_bytes_make_a_decoder_fail_or_change_the_length(
    payload: bytes, samples: int, sound: bool
) -> None:
    for made_by in (libopus(), AvOpusDecoders()):
        decoder = made_by.open(16_000)
        if sound:
            decoder.decode(SPEECH_PACKETS[20], 320)

        assert len(decoder.decode(payload, samples)) == samples * 2
        assert len(decoder.recover(payload, samples)) == samples * 2
        assert len(decoder.conceal(samples)) == samples * 2
        assert len(decoder.decode(SPEECH_PACKETS[21], 320)) == 640


@given(st.data())
def test_damaged_packets_keep_their_length(data: st.DataObject) -> None:
    decoder = libopus().open(16_000)
    for packet in SPEECH_PACKETS[10:20]:
        damaged = bytearray(packet)
        damaged[data.draw(st.integers(0, len(packet) - 1))] ^= data.draw(st.integers(1, 255))
        cut = data.draw(st.integers(0, len(packet)))

        assert len(decoder.decode(bytes(damaged[:cut]), 320)) == 640


def test_a_packet_of_another_length_than_said_is_counted(decoders: OpusDecoders) -> None:
    decoder = decoders.open(16_000)

    assert len(decoder.decode(SPEECH_PACKETS[0], 160)) == 320
    assert len(decoder.decode(SPEECH_PACKETS[1], 640)) == 1_280
    assert len(decoder.decode(b"\xff\x00", 320)) == 640

    assert decoder.corrupt_packets == 3  # type: ignore[attr-defined]


def test_a_corrupt_packet_is_concealed_with_what_came_before() -> None:
    decoder = libopus().open(16_000)
    for packet in SPEECH_PACKETS[:50]:
        before = decoder.decode(packet, 320)

    assert rms(decoder.decode(b"\xff\x00", 320)) > rms(before) / 4


def with_losses(*, fec: bool) -> float:
    """Lose every fifth packet; return the SNR of what takes their place."""
    whole, decoder = libopus().open(16_000), libopus().open(16_000)
    reference, replaced = [], []
    for index, packet in enumerate(FEC_PACKETS[:-1]):
        expected = whole.decode(packet, 320)
        if index % 5 != 4:
            decoder.decode(packet, 320)
            continue
        following = FEC_PACKETS[index + 1]
        replaced.append(decoder.recover(following, 320) if fec else decoder.conceal(320))
        reference.append(expected)
    return snr_db(b"".join(replaced), b"".join(reference))


def test_fec_rebuilds_lost_packets_better_than_concealment() -> None:
    assert with_losses(fec=True) > with_losses(fec=False) + 3


def test_fec_of_the_next_packet_fills_the_end_of_a_longer_gap() -> None:
    short, long = libopus().open(16_000), libopus().open(16_000)
    for packet in FEC_PACKETS[:60]:
        short.decode(packet, 320)
        long.decode(packet, 320)

    concealed = short.conceal(3 * 320)
    rebuilt = short.recover(FEC_PACKETS[64], 320)

    assert long.recover(FEC_PACKETS[64], 4 * 320) == concealed + rebuilt


def test_concealment_fades() -> None:
    decoder = libopus().open(16_000)
    for packet in SPEECH_PACKETS[:50]:
        decoder.decode(packet, 320)

    made_up = decoder.conceal(16_000)

    assert rms(made_up[-3_200:]) < rms(made_up[:3_200]) / 4


@pytest.mark.parametrize("samples", [0, 1, 40, 41, 1_920, 1_921, 160_000])
def test_any_length_is_concealed(decoders: OpusDecoders, samples: int) -> None:
    decoder = decoders.open(16_000)
    decoder.decode(SPEECH_PACKETS[0], 320)

    assert len(decoder.conceal(samples)) == samples * 2
    assert len(decoder.recover(SPEECH_PACKETS[5], samples)) == samples * 2


def test_an_unknown_rate_is_refused() -> None:
    with pytest.raises(OSError, match="11025 Hz"):
        libopus().open(11_025)


def test_native_memory_is_released_with_the_decoder() -> None:
    library = libopus()._library  # noqa: SLF001 - shows nowhere else
    released = []
    watched = SimpleNamespace(
        opus_decoder_create=library.opus_decoder_create,
        opus_decoder_get_size=library.opus_decoder_get_size,
        opus_decode=library.opus_decode,
        opus_decoder_destroy=lambda state: released.append(library.opus_decoder_destroy(state)),
    )
    decoder = LibopusDecoder(watched, 16_000)
    decoder.decode(SPEECH_PACKETS[0], 320)
    assert released == []

    del decoder
    gc.collect()

    assert len(released) == 1


def test_the_description_names_version_and_library() -> None:
    assert libopus().description.startswith("libopus 1.")
    assert "PyAV" in AvOpusDecoders().description


def test_a_library_that_is_not_libopus_is_refused() -> None:
    for library in ("libc.so.6", "/nonexistent/libopus.so"):
        with pytest.raises(OSError, match=r"libc|libopus"):
            LibopusDecoders(library)


def test_the_wheels_libopus_goes_before_the_systems(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ctypes.util.find_library", lambda name: "libc.so.6")

    assert "libc" not in find_opus_decoders().description


def test_without_any_libopus_pyav_decodes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opus_decoder, "_libraries", lambda: iter(["/nonexistent/libopus.so"]))

    assert isinstance(find_opus_decoders(), AvOpusDecoders)
