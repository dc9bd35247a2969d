from __future__ import annotations

import threading

import av
import pytest

from airslice.application.ports.media import OpusEncoder
from airslice.encoding.opus_decoder import find_opus_decoders
from airslice.encoding.opus_encoder import BIT_RATE, AvOpusEncoders
from airslice.slicing.opus_packet import packet_samples
from tests.support.audio.signals import dominant_hertz, rms, samples_of, snr_db, speech, tone

FRAME_BYTES = 1_920


def packets_of(pcm: bytes, encoder: OpusEncoder | None = None) -> list[bytes]:
    encoder = encoder or AvOpusEncoders().open()
    starts = range(0, len(pcm), FRAME_BYTES)
    return [encoder.encode(pcm[start : start + FRAME_BYTES]) for start in starts]


def decoded(packets: list[bytes]) -> bytes:
    """Decode by FFmpeg's own decoder: no line of libopus is in it."""
    decoder = av.CodecContext.create("opus", "r")
    assert isinstance(decoder, av.AudioCodecContext)
    decoder.sample_rate = 48_000
    decoder.layout = "mono"
    frames = [frame for packet in packets for frame in decoder.decode(av.Packet(packet))]
    return b"".join((frame.to_ndarray() * 32_767).astype("<i2").tobytes() for frame in frames)


def best_snr_db(pcm: bytes, reference: bytes) -> float:
    """Return the SNR at the delay that suits best."""
    length = len(reference) - 2_400
    return max(
        snr_db(pcm[delay : delay + length], reference[:length]) for delay in range(0, 1_400, 2)
    )


def test_a_tone_comes_back() -> None:
    source = tone(48_000, 48_000, hertz=440, peak=0.5)

    heard = decoded(packets_of(source))[9_600:]

    assert dominant_hertz(heard, 48_000) == pytest.approx(440, abs=2)
    assert rms(heard) == pytest.approx(rms(source), rel=0.06)


def test_speech_comes_back() -> None:
    source = speech(48_000, 3.0)

    heard = decoded(packets_of(source))

    assert rms(heard) == pytest.approx(rms(source), rel=0.06)
    assert best_snr_db(heard, source) > 12


def test_each_frame_is_a_packet_of_20_ms_at_once() -> None:
    packets = packets_of(speech(48_000, 10.0))

    assert len(packets) == 500
    assert {packet_samples(packet) for packet in packets} == {960}
    assert BIT_RATE / 2 < sum(map(len, packets)) * 8 / 10 < BIT_RATE * 1.05


def test_a_lost_packet_can_be_rebuilt_from_the_next() -> None:
    packets = packets_of(speech(48_000, 4.0))
    whole, with_fec, without = (find_opus_decoders().open(48_000) for _ in range(3))
    expected, rebuilt, concealed = [], [], []
    for index, packet in enumerate(packets[:-1]):
        pcm = whole.decode(packet, 960)
        if index % 5 != 4:
            with_fec.decode(packet, 960)
            without.decode(packet, 960)
            continue
        expected.append(pcm)
        rebuilt.append(with_fec.recover(packets[index + 1], 960))
        concealed.append(without.conceal(960))

    reference = b"".join(expected)
    assert snr_db(b"".join(rebuilt), reference) > snr_db(b"".join(concealed), reference) + 3


def test_silence_takes_few_bytes_and_stays_silent() -> None:
    packets = packets_of(bytes(96_000))

    assert abs(samples_of(decoded(packets))).max() <= 1


@pytest.mark.parametrize("size", [0, 2, 1_918, 1_922, 3_840])
def test_anything_but_20_ms_is_refused(size: int) -> None:
    encoder = AvOpusEncoders().open()

    with pytest.raises(ValueError, match="no frame of 20 ms"):
        encoder.encode(bytes(size))

    assert encoder.encode(bytes(FRAME_BYTES))


def test_encoders_work_in_threads_of_their_own() -> None:
    source = speech(48_000, 2.0)
    alone = packets_of(source)
    found: list[list[bytes]] = []
    threads = [threading.Thread(target=lambda: found.append(packets_of(source))) for _ in range(8)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [alone] * 8
