"""What is told of a broadcast: to players in its RTC room, and to its owner's address.

Source: the pages "RTSA commands" and LiveEventCallBackConfig of Huawei MetaStudio. The unit of
``offset`` is not documented: here it is characters of the paragraph before the sentence.
"""

from __future__ import annotations

import json

from airslice.domain.live_control import PlayState
from airslice.domain.live_job import LiveJob
from airslice.domain.playing import Line
from airslice.domain.script import JsonObject


def state_notice(state: PlayState) -> JsonObject:
    """Return the message that tells players what a broadcast does."""
    return {"message_type": "state_notify", "state": state.value}


def progress_notice(line: Line) -> JsonObject:
    """Return the message that tells players which sentence begins."""
    return {
        "message_type": "live_progress_notify",
        "data": {
            "script_name": line.scene.name,
            "shoot_script_sequence_no": line.paragraph.number,
            "shoot_script_title": line.paragraph.title,
            "offset": str(line.sentence.offset),
        },
    }


def paragraph_message(job: LiveJob, line: Line) -> str:
    """Return the message of SHOOT_SCRIPT_SWITCH, JSON, for the paragraph that `line` opens.

    A product of the paragraph and the broadcast's live id on another platform are carried too;
    the names of their keys are not documented.
    """
    facts = {
        "room_id": job.room_id,
        "job_id": job.job_id,
        "scene_script_name": line.scene.name,
        "shoot_script_sequence_no": str(line.paragraph.number),
        "shoot_script_title": line.paragraph.title,
    }
    for kept, keys in (
        (line.paragraph.extras.get("relation_product"), ("product_id", "product_title")),
        (job.extras.get("relation_live_platform_info"), ("live_id",)),
    ):
        if kept:
            facts |= {key: kept[key] for key in keys if kept.get(key)}
    return json.dumps(facts, ensure_ascii=False, separators=(",", ":"))
