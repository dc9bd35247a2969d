from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airslice.slicing.assembly import Block
from airslice.slicing.audio import OpusAudio, OpusFrame, PcmAudio
from airslice.slicing.grid import GridPlacer, opus_stretch, pcm_stretch
from airslice.slicing.opus_packet import LEVEL_SILENT, SILENT_FRAMES
from airslice.slicing.packets import LEVEL_UNKNOWN, RtpPacket, SenderReport
from airslice.slicing.timeline import Timeline
from tests.support.audio.made_audio import examples, payload

RATE_HZ = 16_000
MS = 16
"""Samples."""
FRAME = 320


def pcm(*values: int) -> PcmAudio:
    return PcmAudio(np.array(values, np.int16).tobytes())


def placer() -> GridPlacer[PcmAudio]:
    return GridPlacer(pcm_stretch(RATE_HZ), RATE_HZ)


def quiet_block(position: int, frames: int = 10) -> Block[PcmAudio]:
    return Block(position, PcmAudio(bytes(2 * FRAME * frames)))


def placed_row(errors: list[int]) -> tuple[GridPlacer[PcmAudio], list[Block[PcmAudio]]]:
    """Place blocks of 200 ms whose targets are off by `errors` against the first one."""
    grid = placer()
    blocks = [
        grid.place(quiet_block(3_200 * n), 1_000 + 3_200 * n + error)
        for n, error in enumerate(errors)
    ]
    return grid, blocks


def test_the_first_block_is_put_where_the_clocks_say() -> None:
    grid = placer()
    assert grid.offset == 0

    assert grid.place(quiet_block(500), 77).position == 77
    assert grid.offset == -423


def test_without_drift_nothing_is_touched() -> None:
    grid, blocks = placed_row([0, 0, 0, 0])

    assert [block.position for block in blocks] == [1_000, 4_200, 7_400, 10_600]
    assert [block.audio for block in blocks] == [quiet_block(0).audio] * 4
    assert grid.corrected_samples == 0


@pytest.mark.parametrize("sign", [1, -1])
def test_drift_is_corrected_by_one_sample_in_20_ms_until_the_stream_is_back(sign: int) -> None:
    drifting = [sign * MS * n // 2 for n in range(7)]
    grid, blocks = placed_row([*drifting, *[sign * 50] * 10])

    lengths = [block.audio.samples - 3_200 for block in blocks]
    assert set(lengths[:7]) == {0}
    assert lengths[7:11] == [sign * 10] * 4
    assert set(lengths[12:]) == {0}
    assert grid.corrected_samples == sum(map(abs, lengths))
    for before, after in pairwise(blocks):
        assert after.position == before.position + before.audio.samples


def test_small_steps_of_a_clock_are_let_be() -> None:
    grid, _ = placed_row([0, -10 * MS, -10 * MS, 4 * MS, 4 * MS, -3 * MS, -14 * MS, 0])

    assert grid.corrected_samples == 0


def test_a_larger_step_of_a_clock_is_followed() -> None:
    errors = [0, *[-30 * MS] * 60]
    grid, blocks = placed_row(errors)

    assert all(block.audio.samples >= 3_190 for block in blocks)
    assert grid.corrected_samples >= 29 * MS


def test_steps_that_add_up_are_followed() -> None:
    grid, _ = placed_row([0, -10 * MS, -20 * MS, *[-20 * MS] * 40])

    assert grid.corrected_samples >= 19 * MS


def test_a_missed_pause_is_made_up_for_at_once() -> None:
    grid, blocks = placed_row([0, 40 * MS, 40 * MS])

    assert [block.position for block in blocks] == [1_000, 4_200 + 640, 7_400 + 640]
    assert grid.corrected_samples == 0


def test_a_stream_hopelessly_behind_is_moved_back_at_once() -> None:
    _, blocks = placed_row([0, -RATE_HZ, -RATE_HZ])

    assert [block.position for block in blocks] == [1_000, 4_200 - RATE_HZ, 7_400 - RATE_HZ]


def test_samples_are_put_in_at_the_quietest_place() -> None:
    stretch = pcm_stretch(200)  # 4 samples in 20 ms

    audio, by = stretch(pcm(9, 9, 9, 9, 5, 1, -3, 5, 7, 7, 7, 7), 1)

    assert (audio, by) == (pcm(9, 9, 9, 9, 5, 1, 1, -3, 5, 7, 7, 7, 7), 1)


def test_samples_are_left_out_at_the_quietest_place() -> None:
    stretch = pcm_stretch(200)

    audio, by = stretch(pcm(9, 9, 9, 9, 5, 1, -3, 5, 7, -32_768, 7, 6), -1)

    assert (audio, by) == (pcm(9, 9, 9, 9, 5, -3, 5, 7, -32_768, 7, 6), -1)


@examples(50)
@given(
    samples=st.integers(0, 3_000),
    by=st.integers(-50, 50).filter(bool),
    seed=st.integers(0, 2**32 - 1),
)
def test_stretched_audio_differs_by_at_most_a_sample_in_20_ms(
    samples: int, by: int, seed: int
) -> None:
    before = np.random.default_rng(seed).integers(-32_768, 32_767, samples, np.int16)

    audio, done = pcm_stretch(RATE_HZ)(PcmAudio(before.tobytes()), by)

    assert abs(done) == min(abs(by), samples // FRAME)
    assert done * by >= 0
    assert audio.samples == samples + done
    kept, edited = (before, audio.pcm) if by < 0 else (np.frombuffer(audio.pcm, np.int16), before)
    assert is_subsequence(np.frombuffer(edited, np.int16).tolist(), kept.tolist())


def is_subsequence(shorter: list[int], longer: list[int]) -> bool:
    rest = iter(longer)
    return all(value in rest for value in shorter)


def packets(*levels: int, samples: int = 960) -> OpusAudio:
    return OpusAudio(
        tuple(OpusFrame(payload(samples, n), samples, level) for n, level in enumerate(levels)),
        skip=120,
        trim=240,
        before=(OpusFrame(b"\xf8", 960),),
    )


@pytest.mark.parametrize("by", [0, 119, -119])
def test_packets_are_not_stretched_by_less_than_the_shortest_frame(by: int) -> None:
    audio = packets(127, 127, 127)

    assert opus_stretch(audio, by) == (audio, 0)


def test_the_outermost_packets_are_never_stretched() -> None:
    audio = packets(127, 127)

    assert opus_stretch(audio, 500) == (audio, 0)


@pytest.mark.parametrize(
    ("level", "by", "lengths"),
    [
        (LEVEL_SILENT, 130, [960, 120]),
        (LEVEL_SILENT, -130, [480, 240, 120]),
        (40, 130, [960, 120]),
        (40, -240, [480, 240, 120]),
    ],
)
def test_the_quietest_packet_is_stretched(level: int, by: int, lengths: list[int]) -> None:
    audio = packets(10, LEVEL_UNKNOWN, level, 30, 127)

    stretched, done = opus_stretch(audio, by)

    assert done == (120 if by > 0 else -120)
    assert stretched.samples == audio.samples + done
    assert [frame.samples for frame in stretched.frames[2 : 2 + len(lengths)]] == lengths
    assert stretched.frames[:2] + stretched.frames[-2:] == audio.frames[:2] + audio.frames[-2:]
    assert (stretched.skip, stretched.trim, stretched.before) == (120, 240, audio.before)
    assert (stretched.frames[2] == audio.frames[2]) == (level == 40 and by > 0)


def test_a_packet_that_is_heard_is_shortened_only_in_need() -> None:
    audio = packets(10, 40, 10)

    assert opus_stretch(audio, -239) == (audio, 0)


def test_the_shortest_silent_packet_can_be_left_out() -> None:
    heard = OpusFrame(b"\xe0", 120, 9)

    stretched, done = opus_stretch(OpusAudio((heard, SILENT_FRAMES[120], heard)), -120)

    assert done == -120
    assert stretched.frames == (heard, heard)


def test_packets_stay_on_multiples_of_the_shortest_frame() -> None:
    grid = GridPlacer(opus_stretch, 48_000, grain=120)
    corrected = 0

    for n in range(400):
        audio = packets(30, 127, 30)
        block = grid.place(Block(2_520 * n, audio), 61 + 2_520 * n + n)
        corrected += block.audio.samples - audio.samples
        assert block.position % 120 == 0
        assert abs(block.position - (61 + 2_520 * n + n)) < 240

    assert corrected > 0
    assert grid.corrected_samples == corrected


@dataclass(frozen=True)
class Journey:
    """How a long stream fared on the grid. Milliseconds are of blocks after the first minute."""

    worst_error_ms: float
    early_corrections: int
    later_corrections: int


def journey(
    *, drift_ppm: int, report_every_s: float | None, delay_ms: float, minutes: int = 30
) -> Journey:
    """Send 20 ms packets with 30 ms of jitter from a clock that drifts, and place them."""
    rng = random.Random(5)
    speed = 1 + drift_ppm / 1e6
    utc_ns = 1_700_000_000 * 10**9
    timeline, grid = Timeline(), placer()
    worst_s, early, next_report_s, end = 0.0, 0, 2.0, 0
    least_delay_s = 0 if report_every_s else delay_ms / 1e3
    number = 0
    for _ in range(minutes * 60 * 5):
        batch = []
        for _ in range(10):
            arrival_s = number * 0.02 / speed + (delay_ms + 30 * rng.random()) / 1e3
            ticks = number * 960 & 0xFFFF_FFFF
            batch.append(RtpPacket(number & 0xFFFF, ticks, int(arrival_s * 1e9), 30, b"\xf8x"))
            number += 1
        position = timeline.add(batch)[0].position
        now_s = number * 0.02 / speed
        if report_every_s and now_s >= next_report_s:
            next_report_s += report_every_s
            report = SenderReport(
                int(now_s * 48_000 * speed) & 0xFFFF_FFFF,
                utc_ns + int(now_s * 1e9),
                int(now_s * 1e9 + delay_ms * 1e6),
            )
            timeline.report(report, utc_offset_ns=utc_ns)
        captured_ns = timeline.captured_ns(position)
        assert captured_ns is not None
        before = grid.corrected_samples
        block = grid.place(quiet_block(position // 3), captured_ns * RATE_HZ // 10**9)
        assert grid.corrected_samples - before <= 10  # one in 20 ms
        assert block.position == end or end == 0
        end = block.position + block.audio.samples
        if now_s < 60:
            early = grid.corrected_samples
        else:
            true_s = position / 48_000 / speed + least_delay_s
            worst_s = max(worst_s, abs(block.position / RATE_HZ - true_s))
    return Journey(worst_s * 1e3, early, grid.corrected_samples - early)


@pytest.mark.parametrize("drift_ppm", [200, -200])
@pytest.mark.parametrize("report_every_s", [5, 7.5, None])
def test_a_drifting_stream_stays_within_5_ms_of_the_grid(
    drift_ppm: int, report_every_s: float | None
) -> None:
    fared = journey(drift_ppm=drift_ppm, report_every_s=report_every_s, delay_ms=30)

    drifted = 29 * 60 * RATE_HZ * 200 // 10**6
    assert fared.worst_error_ms < 5
    assert abs(fared.later_corrections - drifted) < 80


@pytest.mark.parametrize(("report_every_s", "delay_ms"), [(5, 12), (5, 0), (None, 12), (None, 100)])
def test_a_stream_without_drift_is_never_touched(
    report_every_s: float | None, delay_ms: float
) -> None:
    fared = journey(drift_ppm=0, report_every_s=report_every_s, delay_ms=delay_ms)

    assert (fared.early_corrections, fared.later_corrections) == (0, 0)


def test_a_slow_network_is_corrected_once_when_reports_tell_of_it() -> None:
    fared = journey(drift_ppm=0, report_every_s=5, delay_ms=60, minutes=10)

    assert abs(fared.early_corrections - 60 * MS) < 20
    assert fared.later_corrections == 0
    assert fared.worst_error_ms < 1
