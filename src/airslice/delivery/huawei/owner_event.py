"""The events of live jobs, as Huawei MetaStudio tells their owners of them.

Source: the comments on LiveEventCallBackConfig in the vendor's SDKs. That an event is posted as
JSON is not documented, nor are the keys of a paragraph's product and of the broadcast's id on a
live platform.
"""

from __future__ import annotations

import json

from airslice.domain.callback import CallbackEvent
from airslice.domain.live_job import LiveJob
from airslice.domain.owner_event import ParagraphBegan

VERSION = "v1"


def owner_event(job: LiveJob, event: ParagraphBegan, *, event_id: str, at_ms: int) -> CallbackEvent:
    """Return the callback that tells a job's owner of an event.

    `event_id` is unique, the same over all tries; `at_ms` is UTC, milliseconds since the Unix
    epoch.
    """
    return CallbackEvent(
        event_type=event.kind.value,
        event_id=event_id,
        app_id=job.project_id,
        version=VERSION,
        time_ms=at_ms,
        data=_message(job, event),
    )


def owner_event_body(event: CallbackEvent) -> bytes:
    """Return the body of the post that tells of an event."""
    body = {"event_type": event.event_type, "message": event.data}
    return json.dumps(body, ensure_ascii=False).encode()


def _message(job: LiveJob, event: ParagraphBegan) -> str:
    scene, paragraph = event.line.scene, event.line.paragraph
    facts = {
        "room_id": job.room_id,
        "job_id": job.job_id,
        "scene_script_name": scene.name,
        "shoot_script_sequence_no": str(paragraph.number),
        "shoot_script_title": paragraph.title,
    }
    for kept, keys in (
        (paragraph.extras.get("relation_product"), ("product_id", "product_title")),
        (job.extras.get("relation_live_platform_info"), ("live_id",)),
    ):
        if kept:
            facts |= {key: kept[key] for key in keys if kept.get(key)}
    return json.dumps(facts, ensure_ascii=False, separators=(",", ":"))
