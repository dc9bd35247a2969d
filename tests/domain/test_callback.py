from __future__ import annotations

from airslice.domain.callback import CallbackEvent, next_delay_s


def test_a_callback_is_tried_three_times() -> None:
    delays = [next_delay_s(failed) for failed in (1, 2, 3, 4)]

    assert delays == [1.0, 3.0, None, None]


def test_an_event_does_not_show_its_data() -> None:
    event = CallbackEvent(
        event_type="type",
        event_id="id",
        app_id="app",
        version="2023-11-01",
        time_ms=0,
        data='{"UserId":"alice"}',
    )

    assert "alice" not in repr(event)
