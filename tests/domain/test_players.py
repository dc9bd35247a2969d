"""What players are told: the words that files and clients have."""

from __future__ import annotations

from airslice.domain.players import PlayCommand, PlayState, RtcNotice, Timing


def test_files_of_former_versions_can_be_read() -> None:
    assert [*RtcNotice] == ["LIVE_PROGRESS", "REPLY_COMMAND_FINISH"]


def test_players_of_former_versions_are_understood() -> None:
    assert [*PlayCommand] == ["play_start", "play_pause", "play_resume", "get_current_state"]
    assert [*Timing] == ["NOW", "SENTENCE_END"]
    assert [*PlayState] == ["PREPROCESSING", "PLAY_READY", "PROCESSING", "PLAY_PAUSE", "PLAY_END"]
