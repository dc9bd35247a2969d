"""What makes a broadcast look like a recording."""

from __future__ import annotations

from dataclasses import replace

import pytest

from airslice.domain.live_room import LiveWarning, RoomDraft
from airslice.domain.live_warnings import MIN_COMMENT_RULES, MIN_PARAGRAPHS, live_warnings
from airslice.domain.script import JsonObject, Paragraph, PlayPolicy, RandomPlay, Scene

RULE = {"is_on": True}


def answers_comments(rule: JsonObject) -> bool:
    return rule is RULE


def a_scene(*texts: str) -> Scene:
    paragraphs = tuple(Paragraph(number=n, text=text) for n, text in enumerate(texts))
    return Scene(script_id="1", name="scene", paragraphs=paragraphs)


GOOD = RoomDraft(
    name="room",
    scenes=(a_scene(*["字" * 41] * MIN_PARAGRAPHS),),
    interaction_rules=(RULE,) * MIN_COMMENT_RULES,
    backup_model_asset_ids=("model",),
)


def test_nothing_is_wrong_with_a_good_room() -> None:
    assert live_warnings(GOOD, answers_comments) == ()


def test_everything_is_wrong_with_an_empty_room() -> None:
    empty = RoomDraft(name="room", policy=PlayPolicy(random=RandomPlay.NONE))

    assert live_warnings(empty, answers_comments) == tuple(LiveWarning)


@pytest.mark.parametrize(
    ("draft", "warning"),
    [
        (
            replace(GOOD, scenes=(a_scene(*["字" * 51] * (MIN_PARAGRAPHS - 1)),)),
            LiveWarning.FEW_PARAGRAPHS,
        ),
        (
            replace(GOOD, scenes=(a_scene(*["字" * 40] * MIN_PARAGRAPHS),)),
            LiveWarning.SHORT_SCRIPT,
        ),
        (replace(GOOD, scenes=(*GOOD.scenes, a_scene("short"))), LiveWarning.SHORT_SCRIPT),
        (
            replace(GOOD, scenes=(a_scene(*[f"<speak>{'字' * 40}</speak>"] * MIN_PARAGRAPHS),)),
            LiveWarning.SHORT_SCRIPT,
        ),
        (
            replace(GOOD, interaction_rules=(RULE,) * (MIN_COMMENT_RULES - 1)),
            LiveWarning.FEW_COMMENT_RULES,
        ),
        (
            replace(GOOD, interaction_rules=({**RULE, "enabled": False},) * MIN_COMMENT_RULES),
            LiveWarning.FEW_COMMENT_RULES,
        ),
        (
            replace(GOOD, interaction_rules=({"event_type": 2},) * MIN_COMMENT_RULES),
            LiveWarning.FEW_COMMENT_RULES,
        ),
        (
            replace(GOOD, policy=PlayPolicy(random=RandomPlay.NONE)),
            LiveWarning.RANDOM_PLAY_OFF,
        ),
        (replace(GOOD, backup_model_asset_ids=()), LiveWarning.NO_BACKUP_MODELS),
    ],
)
def test_each_weakness_is_named(draft: RoomDraft, warning: LiveWarning) -> None:
    assert live_warnings(draft, answers_comments) == (warning,)


def test_recordings_are_not_judged_by_their_text() -> None:
    recorded = Scene(
        script_id="1",
        name="scene",
        paragraphs=tuple(
            Paragraph(number=n, audio_url="https://example.com/a.mp3")
            for n in range(MIN_PARAGRAPHS)
        ),
    )

    assert live_warnings(replace(GOOD, scenes=(recorded,)), answers_comments) == ()
