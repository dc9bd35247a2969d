"""What the owner of a live job is told, in the vendor's words."""

from __future__ import annotations

import json
from dataclasses import replace

from airslice.delivery.huawei.owner_event import owner_event, owner_event_body
from airslice.domain.owner_event import ParagraphBegan
from airslice.domain.playing import Script
from airslice.domain.script import Cursor, JsonObject, Paragraph, Program, Scene
from tests.support.values.live_values import PROJECT, T0, a_job

PARAGRAPH = Paragraph(number=2, title="段落2", text="好。")


def told(paragraph: Paragraph, extras: JsonObject) -> JsonObject:
    scene = Scene(script_id="s", name="商品1", paragraphs=(paragraph,))
    job = replace(a_job(program=Program(scenes=(scene,))), extras=extras)
    line = Script(job.program, seed="job").line_at(Cursor())
    assert line is not None
    event = owner_event(job, ParagraphBegan(line=line), event_id="event-1", at_ms=T0)
    assert (event.event_type, event.event_id) == ("SHOOT_SCRIPT_SWITCH", "event-1")
    assert (event.app_id, event.version, event.time_ms) == (PROJECT, "v1", T0)
    body = json.loads(owner_event_body(event))
    assert body == {"event_type": "SHOOT_SCRIPT_SWITCH", "message": event.data}
    facts: JsonObject = json.loads(body["message"])
    return facts


def test_a_paragraph_is_told_by_its_scene_number_and_title() -> None:
    assert told(PARAGRAPH, {}) == {
        "room_id": "room-1",
        "job_id": "job-1",
        "scene_script_name": "商品1",
        "shoot_script_sequence_no": "2",
        "shoot_script_title": "段落2",
    }


def test_the_paragraphs_product_and_the_live_id_go_along() -> None:
    product = {"product_id": "p1", "product_title": "桃子"}
    paragraph = replace(PARAGRAPH, extras={"relation_product": product})
    platform = {"platform_id": "x", "live_id": "l1"}

    facts = told(paragraph, {"relation_live_platform_info": platform})

    assert facts.items() >= {**product, "live_id": "l1"}.items()
    assert "platform_id" not in facts
