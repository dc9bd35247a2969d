"""What the documents say that are kept in owners' own words, for the use cases that need it."""

from __future__ import annotations

from airslice.application.ports.live import OwnerWords
from airslice.domain.script import JsonObject

COMMENT_EVENT = 1
"""`event_type` of rules that a comment fires."""


def _platform_id(extras: JsonObject) -> str:
    link: JsonObject = extras.get("relation_live_platform_info") or {}
    return str(link.get("platform_id", ""))


def _answers_comments(rule: JsonObject) -> bool:
    return rule.get("event_type") == COMMENT_EVENT and rule.get("enabled", True) is not False


OWNER_WORDS = OwnerWords(
    private_extras=frozenset(
        {"output_urls", "stream_keys", "priv_data", "relation_live_platform_info"}
    ),
    job_extras=frozenset(
        {"video_config", "output_urls", "stream_keys", "view_mode", "co_streamer_config"}
    ),
    platform_id=_platform_id,
    answers_comments=_answers_comments,
)
"""What rooms, jobs and rules are asked for."""
