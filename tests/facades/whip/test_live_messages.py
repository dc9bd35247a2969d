"""The messages of a broadcast to its players, and theirs to it."""

from __future__ import annotations

import json

import pytest

from airslice.domain.errors import InvalidInput
from airslice.domain.players import PlayState
from airslice.domain.playing import Line
from airslice.domain.script import Cursor, Paragraph, Scene
from airslice.domain.sentences import Sentence
from airslice.facades.whip.live_messages import notice_message, read_control


@pytest.mark.parametrize("state", PlayState)
def test_a_state_is_told_by_its_name(state: PlayState) -> None:
    assert notice_message(state) == {"message_type": "state_notify", "state": state.value}


def test_a_sentence_is_told_by_its_place() -> None:
    scene, paragraph = Scene(script_id="s", name="场景"), Paragraph(number=3, title="段落")

    message = notice_message(Line(Cursor(), scene, paragraph, Sentence(41, ())))

    assert message == {
        "message_type": "live_progress_notify",
        "data": {
            "script_name": "场景",
            "shoot_script_sequence_no": 3,
            "shoot_script_title": "段落",
            "offset": "41",
        },
    }


@pytest.mark.parametrize(
    ("params", "timing"), [({}, "NOW"), ({"params": {"timing": "SENTENCE_END"}}, "SENTENCE_END")]
)
def test_a_command_is_read_with_its_timing(params: dict[str, object], timing: str) -> None:
    text = json.dumps({"message_type": "live_control", "command": "play_pause", **params})

    assert read_control(text) == ("play_pause", timing)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("{", "body"),
        ("[" * 100_000, "body"),
        ("[]", "message_type"),
        ('{"message_type": "live_control"}', "command"),
        ('{"message_type": "live_control", "command": "c", "params": []}', "params.timing"),
    ],
)
def test_anything_else_is_refused(text: str, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_control(text)

    assert refused.value.field == field
