"""What only the decoder by PyAV does; what both do is in test_opus_decoder."""

from __future__ import annotations

from airslice.encoding.av_opus_decoder import AvOpusDecoders
from tests.support.audio.signals import opus_packets, rms, tone

PACKETS = opus_packets(tone(9_600, 48_000, hertz=440.0, peak=0.5))


def test_what_is_lost_is_silence_of_its_length() -> None:
    decoder = AvOpusDecoders().open(48_000)
    heard = decoder.decode(PACKETS[0], 960) + decoder.decode(PACKETS[1], 960)
    lost = decoder.conceal(20_000), decoder.recover(PACKETS[3], 960)

    assert rms(heard) > 0
    assert lost == (bytes(40_000), bytes(1_920))
    assert decoder.corrupt_packets == 0


def test_a_corrupt_packet_is_silent_counted_and_not_the_end() -> None:
    decoder = AvOpusDecoders().open(48_000)
    decoder.decode(PACKETS[0], 960)

    assert decoder.decode(b"\xff", 960) == bytes(1_920)
    assert decoder.decode(b"", 960) == bytes(1_920)
    assert decoder.corrupt_packets == 2
    assert len(decoder.decode(PACKETS[1], 960)) == 1_920
    assert decoder.corrupt_packets == 2


def test_resampling_delays_by_16_samples_and_loses_none() -> None:
    decoder = AvOpusDecoders().open(16_000)

    pcm = b"".join(decoder.decode(packet, 320) for packet in PACKETS)

    assert len(pcm) == len(PACKETS) * 320 * 2
    assert pcm[: 16 * 2] == bytes(16 * 2)


def test_it_tells_what_it_cannot_do() -> None:
    assert "without FEC and concealment" in AvOpusDecoders().description
