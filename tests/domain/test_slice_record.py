from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airslice.domain.room import MIXED_STREAM, StreamKey, StreamType
from airslice.domain.slice_record import SliceRecord, SliceState, object_key


def record(
    *, samples: int, rate_hz: int = 16_000, start_ms: int = 1_700_000_000_000
) -> SliceRecord:
    return SliceRecord(
        run_id="run",
        stream=StreamKey("ann"),
        index=0,
        object_key="key",
        start_ms=start_ms,
        samples=samples,
        sample_rate_hz=rate_hz,
        channels=1,
        bits_per_sample=16,
        size_bytes=0,
        sha256="",
        generated_at_ms=0,
        spool_name="name",
        event_id="event",
    )


@pytest.mark.parametrize(
    ("stream", "name"),
    [
        (StreamKey("ann"), "ann"),
        (StreamKey("ann", StreamType.SCREEN), "ann_screen"),
        (MIXED_STREAM, "mixed"),
    ],
)
def test_an_object_is_named_by_prefix_stream_start_and_number(stream: StreamKey, name: str) -> None:
    key = object_key(
        identifier="prefix", stream=stream, start_ms=1_700_000_000_123, index=7, extension="wav"
    )

    assert key == f"prefix_{name}_1700000000123_7.wav"


@pytest.mark.parametrize(
    ("samples", "rate_hz", "duration_ms"),
    [
        (320_000, 16_000, 20_000),
        (0, 16_000, 0),
        (7, 16_000, 0),  # 0.4375 ms
        (8, 16_000, 1),  # 0.5 ms
        (23, 16_000, 1),  # 1.4375 ms
        (24, 48_000, 1),
        (960, 48_000, 20),
    ],
)
def test_a_duration_is_rounded_to_whole_milliseconds(
    samples: int, rate_hz: int, duration_ms: int
) -> None:
    assert record(samples=samples, rate_hz=rate_hz).duration_ms == duration_ms


@given(samples=st.integers(0, 48_000 * 600), rate_hz=st.sampled_from([8_000, 16_000, 48_000]))
def test_a_duration_is_never_off_by_more_than_half_a_millisecond(
    samples: int, rate_hz: int
) -> None:
    exact = Fraction(samples * 1000, rate_hz)

    assert abs(record(samples=samples, rate_hz=rate_hz).duration_ms - exact) <= Fraction(1, 2)


def test_a_slice_ends_its_duration_after_its_start() -> None:
    assert record(samples=320_008, start_ms=1_000).end_ms == 21_001


def test_a_new_slice_is_a_file_of_this_machine() -> None:
    assert record(samples=0).state is SliceState.SPOOLED
