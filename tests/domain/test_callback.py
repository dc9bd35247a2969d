from __future__ import annotations

from airslice.domain.callback import CallbackEvent, CallbackReceiver


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


def test_a_receiver_shows_nothing() -> None:
    receiver = CallbackReceiver(url="https://example.com/?token=abc", secret="def")

    assert "abc" not in repr(receiver)
    assert "def" not in repr(receiver)
