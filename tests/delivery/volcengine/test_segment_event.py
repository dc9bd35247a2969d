from __future__ import annotations

import json
from dataclasses import replace

import pytest

from airslice.delivery.volcengine.segment_event import segment_event
from airslice.domain.room import MIXED_STREAM, StreamKey, StreamType
from airslice.domain.slice_task import StreamTarget
from tests.support.values.values import APP_ID, a_record, a_task

SCREEN = StreamKey("alice", StreamType.SCREEN)


def test_an_event_has_the_documented_fields_and_ours() -> None:
    event = segment_event(a_task(), a_record(2))

    assert event.event_type == "SegmentRealTimeData"
    assert event.event_id == "event-run-1-alice-2"
    assert (event.app_id, event.version) == (APP_ID, "2023-11-01")
    assert event.time_ms == 1_700_000_060_214
    assert json.loads(event.data) == {
        "AppId": APP_ID,
        "BusinessId": "business",
        "RoomId": "room",
        "TaskId": "task",
        "Bucket": "moderation",
        "Identifier": "prefix",
        "Data": [
            {
                "Stream": {"UserId": "alice", "StreamType": 0},
                "ObjectKey": "prefix_alice_1700000000000_2.wav",
                "SampleRate": 16_000,
                "BitsPerSample": 16,
                "Channels": 1,
                "Size": 640_044,
                "TimeStamp": 1_700_000_060_214,
                "Duration": 20_000,
                "StartTime": 1_700_000_040_000,
                "EndTime": 1_700_000_060_000,
                "Index": 2,
                "Sha256": "ab" * 32,
            }
        ],
    }


@pytest.mark.parametrize(("kept", "told"), [("then", "then"), (None, "now"), ("", "")])
def test_a_slice_has_the_identifier_that_it_was_cut_under(kept: str | None, told: str) -> None:
    task = a_task()
    task = replace(task, order=replace(task.order, identifier="now"))

    event = segment_event(task, replace(a_record(), identifier=kept))

    assert json.loads(event.data)["Identifier"] == told


@pytest.mark.parametrize(
    ("version", "bucket_name"),
    [("2020-12-01", "TosBucket"), ("2022-06-01", "Bucket"), ("2023-11-01", "Bucket")],
)
def test_each_version_names_the_bucket_its_own_way(version: str, bucket_name: str) -> None:
    event = segment_event(a_task(api_version=version), a_record())

    data = json.loads(event.data)
    assert event.version == version
    assert {name: data[name] for name in data if "Bucket" in name} == {bucket_name: "moderation"}


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (StreamKey("alice"), {"UserId": "alice", "StreamType": 0, "Index": 0}),
        (SCREEN, {"UserId": "alice", "StreamType": 1, "Index": 3}),
        (StreamKey("bob"), {"UserId": "bob", "StreamType": 0}),
        (StreamKey("carol"), {"UserId": "carol", "StreamType": 0}),
        (MIXED_STREAM, {"UserId": "mixed"}),
    ],
)
def test_a_stream_is_described_as_its_task_listed_it(
    stream: StreamKey, expected: dict[str, str | int]
) -> None:
    task = a_task(
        targets=(
            StreamTarget(stream=StreamKey("alice"), index=0),
            StreamTarget(stream=SCREEN, index=3),
            StreamTarget(stream=StreamKey("bob")),
        )
    )

    event = segment_event(task, replace(a_record(), stream=stream))

    assert json.loads(event.data)["Data"][0]["Stream"] == expected


def test_the_same_slice_is_always_the_same_event() -> None:
    assert segment_event(a_task(), a_record()) == segment_event(a_task(), a_record())
