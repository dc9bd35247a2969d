"""What the admin API shows of the domain's values."""

from __future__ import annotations

import msgspec
import pytest

from airslice.domain.room import StreamKey, StreamType
from airslice.facades.console import views
from tests.support.stages.console_stand_ins import APP, EVENT, LETTER, UPLOAD


def test_an_app_is_shown_without_its_secrets() -> None:
    shown = msgspec.json.encode(views.App.of(APP)).decode()

    assert APP.app_id in shown
    assert APP.app_key not in shown


def test_a_stream_has_a_name_for_its_type() -> None:
    shown = [
        views.Stream.of(StreamKey("ann", kind)) for kind in (StreamType.MAIN, StreamType.SCREEN)
    ]

    assert [(stream.user_id, stream.stream_type) for stream in shown] == [
        ("ann", "main"),
        ("ann", "screen"),
    ]


def test_an_upload_names_its_slice_and_a_callback_its_event() -> None:
    upload, letter = views.Delivery.of(UPLOAD), views.Delivery.of(LETTER)

    assert (upload.run_id, upload.user_id, upload.index) == ("run", "alice", 3)
    assert (upload.event_id, upload.event_type) == (None, None)
    assert (letter.run_id, letter.user_id, letter.index) == (None, None, None)
    assert (letter.event_id, letter.event_type) == (EVENT.event_id, EVENT.event_type)
    assert EVENT.data not in msgspec.json.encode(letter).decode()


def test_orders_take_no_field_that_they_do_not_know() -> None:
    assert msgspec.convert({}, views.SlicingOrder) == views.SlicingOrder()
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        msgspec.convert({"duration": 5}, views.SlicingOrder)
