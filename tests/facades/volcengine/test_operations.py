"""The table of operations has what the vendor's pages have."""

from __future__ import annotations

from airslice.facades.volcengine.operations import OPERATIONS


def test_only_what_reads_is_a_get() -> None:
    for (action, _), operation in OPERATIONS.items():
        assert operation.method == ("GET" if action.startswith("Get") else "POST"), action


def test_each_action_is_there_in_the_documented_versions() -> None:
    versions: dict[str, list[str]] = {}
    for action, version in OPERATIONS:
        versions.setdefault(action, []).append(version)

    assert versions == {
        "StartSegment": ["2020-12-01", "2022-06-01", "2023-11-01"],
        "UpdateSegment": ["2020-12-01", "2022-06-01", "2023-11-01"],
        "StopSegment": ["2020-12-01", "2022-06-01", "2023-11-01"],
        "GetSegmentTask": ["2022-06-01", "2023-11-01"],
        "BanRoomUser": ["2020-12-01", "2023-11-01"],
        "KickUser": ["2020-12-01"],
        "DismissRoom": ["2020-12-01"],
        "GetRoomOnlineUsers": ["2023-08-01", "2023-11-01"],
        "CreateCallback": ["2020-12-01"],
        "UpdateCallback": ["2020-12-01"],
        "DeleteCallback": ["2020-12-01"],
        "GetCallback": ["2020-12-01"],
    }
