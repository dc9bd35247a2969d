"""Warns of scripts that make a broadcast look like a recording, which platforms punish."""

from __future__ import annotations

import re
from collections.abc import Callable

from airslice.domain.live_room import LiveWarning, RoomDraft
from airslice.domain.script import JsonObject, RandomPlay, Scene

MIN_PARAGRAPHS = 5
"""How many paragraphs all scenes together should have."""

MIN_SCENE_CHARS = 200
"""How long a scene's text should be, without markup
(https://support.huaweicloud.com/productdesc-metastudio/metastudio_01_0011.html)."""

MIN_COMMENT_RULES = 5
"""How many rules should be on and fired by a comment."""

_TAG = re.compile(r"<[^>]*>")


def live_warnings(
    draft: RoomDraft, answers_comments: Callable[[JsonObject], bool]
) -> tuple[LiveWarning, ...]:
    """Return what should be better before a room goes on air.

    Args:
        draft: The room's.
        answers_comments: Whether an interaction rule is on, and fired by a comment.
    """
    judged = {
        LiveWarning.FEW_PARAGRAPHS: sum(len(s.paragraphs) for s in draft.scenes) < MIN_PARAGRAPHS,
        LiveWarning.SHORT_SCRIPT: not draft.scenes or any(map(_is_short, draft.scenes)),
        LiveWarning.FEW_COMMENT_RULES: (
            sum(map(answers_comments, draft.interaction_rules)) < MIN_COMMENT_RULES
        ),
        LiveWarning.RANDOM_PLAY_OFF: draft.policy.random is RandomPlay.NONE,
        LiveWarning.NO_BACKUP_MODELS: not draft.backup_model_asset_ids,
    }
    return tuple(warning for warning, is_due in judged.items() if is_due)


def _is_short(scene: Scene) -> bool:
    if any(p.audio_url or p.audio_asset_id for p in scene.paragraphs):
        return False  # how long a recording is, nobody knows yet
    chars = sum(len(_TAG.sub("", paragraph.text)) for paragraph in scene.paragraphs)
    return chars <= MIN_SCENE_CHARS
