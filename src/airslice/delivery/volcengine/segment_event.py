"""The event that announces a slice: Volcengine's ``SegmentRealTimeData``.

The vendor's table calls SampleRate, BitsPerSample and Channels integers, its example writes them
as strings. Numbers are sent: typed receivers are generated from the table, and untyped ones that
expect strings mostly convert. StartTime, EndTime, Index and Sha256 are additions of airslice.

Source: https://www.volcengine.com/docs/6348/75125
"""

from __future__ import annotations

import json

from airslice.domain.callback import SEGMENT_EVENT, CallbackEvent
from airslice.domain.room import MIXED_STREAM
from airslice.domain.slice_record import SliceRecord
from airslice.domain.slice_task import SliceTask

_OLDEST_VERSION = "2020-12-01"


def segment_event(task: SliceTask, record: SliceRecord) -> CallbackEvent:
    """Return the event of one slice, in the API version with which its task was started."""
    order = task.order
    bucket_name = "TosBucket" if order.api_version == _OLDEST_VERSION else "Bucket"
    data = {
        "AppId": task.key.app_id,
        "BusinessId": order.business_id,
        "RoomId": task.key.room_id,
        "TaskId": task.key.task_id,
        bucket_name: order.storage.bucket,
        "Data": [
            {
                "Stream": _stream(task, record),
                "ObjectKey": record.object_key,
                "SampleRate": record.sample_rate_hz,
                "BitsPerSample": record.bits_per_sample,
                "Channels": record.channels,
                "Size": record.size_bytes,
                "TimeStamp": record.generated_at_ms,
                "Duration": record.duration_ms,
                "StartTime": record.start_ms,
                "EndTime": record.end_ms,
                "Index": record.index,
                "Sha256": record.sha256,
            }
        ],
        # An update since may have given the task another one, which its object is not named by.
        "Identifier": order.identifier if record.identifier is None else record.identifier,
    }
    return CallbackEvent(
        event_type=SEGMENT_EVENT,
        event_id=record.event_id,
        app_id=task.key.app_id,
        version=order.api_version,
        time_ms=record.generated_at_ms,
        data=json.dumps(data, ensure_ascii=False, separators=(",", ":")),
    )


def _stream(task: SliceTask, record: SliceRecord) -> dict[str, str | int]:
    """Return whose slice it is, with the index that the owner gave a listed stream."""
    stream: dict[str, str | int] = {"UserId": record.stream.user_id}
    if record.stream != MIXED_STREAM:
        stream["StreamType"] = int(record.stream.stream_type)
    for target in task.order.targets:
        if target.stream == record.stream and target.index is not None:
            stream["Index"] = target.index
    return stream
