"""What owners are told: the words that files hold."""

from __future__ import annotations

from airslice.domain.owner_event import CallbackAuth, OwnerEventKind


def test_files_of_former_versions_can_be_read() -> None:
    assert [*OwnerEventKind] == [
        "SHOOT_SCRIPT_SWITCH",
        "RTMP_STREAM_STATE_CHANGE",
        "REPLY_COMMAND_FINISH",
    ]
    assert [*CallbackAuth] == ["NONE", "MSS_A", "MSS_A_HEAD", "MEITUAN_DEFAULT"]
