"""What the documents in owners' words say to the use cases."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from msgspec import structs

from airslice.facades.huawei.live_jobs import StartSmartLiveReq
from airslice.facades.huawei.live_rooms import CreateSmartLiveRoomReq
from airslice.facades.huawei.owner_words import OWNER_WORDS


def test_only_fields_of_this_wire_are_named() -> None:
    of_rooms, of_jobs = (
        {field.name for field in structs.fields(shape)}
        for shape in (CreateSmartLiveRoomReq, StartSmartLiveReq)
    )

    assert OWNER_WORDS.private_extras <= of_rooms
    assert OWNER_WORDS.job_extras <= of_rooms & of_jobs


@pytest.mark.parametrize(
    ("extras", "platform_id"),
    [
        ({"relation_live_platform_info": {"platform_id": "p", "live_id": "l"}}, "p"),
        ({"relation_live_platform_info": {}}, ""),
        ({"relation_live_platform_info": None}, ""),
        ({}, ""),
    ],
)
def test_a_rooms_platform_is_found(extras: Mapping[str, object], platform_id: str) -> None:
    assert OWNER_WORDS.platform_id(extras) == platform_id


@pytest.mark.parametrize(
    ("rule", "answers"),
    [
        ({"event_type": 1, "rule_index": "1"}, True),
        ({"event_type": 1, "enabled": True}, True),
        ({"event_type": 1, "enabled": False}, False),
        ({"event_type": 2}, False),
        ({}, False),
    ],
)
def test_a_rule_answers_comments_if_one_fires_it_and_it_is_on(
    rule: Mapping[str, object], answers: bool
) -> None:
    assert OWNER_WORDS.answers_comments(rule) is answers
