"""What each field of a request means, and what is wrong with it."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest

from airslice.domain.room import StreamKey, StreamType
from airslice.domain.slice_task import SliceControl, StreamTarget, TaskChange, TaskKey
from tests.support.clients.wire_client import WireClient, error_of
from tests.support.clock import HandClock
from tests.support.stages.in_memory_tasks import InMemorySliceTasks
from tests.support.stages.volcengine_stage import VolcengineStage
from tests.support.values.sample_bodies import KEY, MIDDLE, NEW, OLD, OLD_START, START, TOS


class TestStart:
    @pytest.mark.parametrize(("version", "body"), [(NEW, START), (MIDDLE, START), (OLD, OLD_START)])
    async def test_what_is_omitted_has_the_documented_default(
        self, wire: WireClient, tasks: InMemorySliceTasks, version: str, body: object
    ) -> None:
        response = await wire.post("StartSegment", version, body)

        assert response.json()["Result"] == "ok"
        (order,) = tasks.orders
        assert order.key == TaskKey(KEY["AppId"], "Room1", "Task1")
        assert order.api_version == version
        assert (order.duration_s, order.max_idle_s, order.handle) == (20, 180, True)
        assert (order.business_id, order.targets, order.control) == ("", (), SliceControl())
        assert uuid.UUID(order.identifier).version == 4

    async def test_null_and_empty_texts_are_as_good_as_omitted(
        self, wire: WireClient, tasks: InMemorySliceTasks
    ) -> None:
        nothing = dict.fromkeys(
            ["MaxIdleTime", "Duration", "Handle", "TargetStreams", "Control"], None
        )
        body = {**START, **nothing, "BusinessId": "", "Identifier": ""}

        await wire.post("StartSegment", NEW, body)

        (order,) = tasks.orders
        assert (order.duration_s, order.max_idle_s, order.handle) == (20, 180, True)
        assert (order.business_id, order.targets) == ("", ())
        assert uuid.UUID(order.identifier).version == 4

    async def test_every_field_arrives(self, wire: WireClient, tasks: InMemorySliceTasks) -> None:
        streams = [
            {"Index": 5, "UserId": "a@b.c-d_e"},
            {"Index": 0, "UserId": "u", "StreamType": 1},
            {"UserId": "u", "StreamType": 0},
            {"UserId": "u"},
        ]
        control = {"Align": True, "Mixed": False, "IgnoreSilence": True, "RedundantDuration": 3}
        body = {
            **START,
            "BusinessId": "biz",
            "MaxIdleTime": 86_400,
            "TargetStreams": {"StreamList": streams},
            "Duration": 600,
            "Control": control,
            "Identifier": "prefix",
            "Handle": False,
            "Unknown": {"fields": ["are", "ignored"]},
        }

        await wire.post("StartSegment", NEW, body)

        (order,) = tasks.orders
        assert (order.business_id, order.max_idle_s, order.duration_s) == ("biz", 86_400, 600)
        assert (order.identifier, order.handle) == ("prefix", False)
        assert order.targets == (
            StreamTarget(stream=StreamKey("a@b.c-d_e"), index=5),
            StreamTarget(stream=StreamKey("u", StreamType.SCREEN), index=0),
            StreamTarget(stream=StreamKey("u", StreamType.MAIN)),
        )
        assert order.control == SliceControl(
            align=True, ignore_silence=True, redundant_ms=3000, redundant_duration=3
        )

    async def test_a_control_at_the_top_level_wins_over_a_nested_one(
        self, wire: WireClient, tasks: InMemorySliceTasks
    ) -> None:
        body = {**KEY, "StorageConfig": {"TosConfig": TOS, "Control": {"Mixed": True}}}

        await wire.post("StartSegment", NEW, body)
        await wire.post("StartSegment", NEW, {**body, "TaskId": "2", "Control": {"Align": True}})

        assert [order.control for order in tasks.orders] == [
            SliceControl(mixed=True),
            SliceControl(align=True),
        ]

    async def test_redundant_duration_can_be_told_to_count_milliseconds(
        self, clock: HandClock
    ) -> None:
        stage = VolcengineStage(clock, redundant_duration_unit="ms")
        body = {**START, "Control": {"RedundantDuration": 19_999}}

        async with httpx.AsyncClient(transport=httpx.ASGITransport(stage.facade)) as http:
            await WireClient(http=http, clock=clock).post("StartSegment", NEW, body)

        (order,) = stage.tasks.orders
        assert order.control == SliceControl(redundant_ms=19_999, redundant_duration=19_999)

    @pytest.mark.parametrize("version", [OLD, MIDDLE])
    async def test_older_versions_take_an_illegal_number_for_the_default(
        self, wire: WireClient, tasks: InMemorySliceTasks, version: str
    ) -> None:
        body = {**START, **OLD_START, "Duration": 601, "MaxIdleTime": 0}

        await wire.post("StartSegment", version, body)

        (order,) = tasks.orders
        assert (order.duration_s, order.max_idle_s) == (20, 180)


class TestIds:
    @pytest.mark.parametrize(
        ("name", "missing", "illegal"),
        [
            ("AppId", "MissingParameter.NoAppId", "InvalidParameter.IllegalAppId"),
            ("RoomId", "MissingParameter.NoRoomId", "InvalidParameter.IllegalRoomID"),
            ("TaskId", "MissingParameter", "InvalidParameter"),
        ],
    )
    @pytest.mark.parametrize("action", ["StartSegment", "UpdateSegment", "StopSegment"])
    async def test_a_task_is_named_by_three_ids(
        self, wire: WireClient, action: str, name: str, missing: str, illegal: str
    ) -> None:
        for bad, code in [(None, missing), ("", missing), ("a b", illegal), ("a" * 129, illegal)]:
            given_code, message = await wire.refused({**START, name: bad}, action)

            assert given_code == code
            assert name in message

    @pytest.mark.parametrize("name", ["AppId", "RoomId", "TaskId"])
    async def test_a_query_names_all_three_too(self, wire: WireClient, name: str) -> None:
        query = {key: text for key, text in KEY.items() if key != name}

        status, code, _ = error_of(await wire.get(NEW, **query))

        assert (status, code.partition(".")[0]) == (400, "MissingParameter")

    @pytest.mark.parametrize("name", ["BusinessId", "Identifier"])
    async def test_optional_ids_follow_the_rule(self, wire: WireClient, name: str) -> None:
        code, message = await wire.refused({**START, name: "切片"})

        assert code == "InvalidParameter"
        assert message == rf"{name}: must match [a-zA-Z0-9_@\-\.]{{1,128}}"

    async def test_an_id_of_128_characters_of_every_kind_is_right(
        self, wire: WireClient, tasks: InMemorySliceTasks
    ) -> None:
        longest = ("aZ0_@-." * 19)[:128]

        await wire.post("StartSegment", NEW, {**START, "RoomId": longest, "TaskId": longest})

        assert tasks.orders[0].key[1:] == (longest, longest)


class TestRanges:
    @pytest.mark.parametrize(
        ("fields", "name"),
        [
            ({"Duration": 0}, "Duration"),
            ({"Duration": 601}, "Duration"),
            ({"MaxIdleTime": 0}, "MaxIdleTime"),
            ({"MaxIdleTime": 86_401}, "MaxIdleTime"),
            ({"Control": {"RedundantDuration": -1}}, "Control.RedundantDuration"),
            ({"Control": {"RedundantDuration": 20}}, "Control.RedundantDuration"),
            ({"Duration": 2**31}, "Duration"),
            ({"Control": {"Align": "yes"}}, "Control.Align"),
            ({"Handle": 1}, "Handle"),
            ({"Duration": "20"}, "Duration"),
            ({"Duration": 20.0}, "Duration"),
            ({"TaskId": 7}, "TaskId"),
            ({"StorageConfig": []}, "StorageConfig"),
            ({"StorageConfig": {"Type": "0"}}, "StorageConfig.Type"),
        ],
    )
    async def test_the_wrong_field_is_named(
        self, wire: WireClient, fields: dict[str, Any], name: str
    ) -> None:
        code, message = await wire.refused({**START, **fields})

        assert code == "InvalidParameter"
        assert message.startswith(f"{name}: ")

    @pytest.mark.parametrize(
        ("streams", "code", "path"),
        [
            ([{}], "MissingParameter.NoUserId", "[0].UserId"),
            ([{"UserId": "a b"}], "InvalidParameter", "[0].UserId"),
            ([{"UserId": "a", "StreamType": 2}], "InvalidParameter", "[0].StreamType"),
            (
                [{"UserId": "a", "Index": 1}, {"UserId": "b", "Index": 1}],
                "InvalidParameter",
                "[1].Index",
            ),
            ([{"UserId": "a"}, 1], "InvalidParameter", "[1]"),
            ([{"UserId": f"u{n}"} for n in range(18)], "InvalidParameter", ""),
        ],
    )
    async def test_the_wrong_stream_is_named(
        self, wire: WireClient, streams: list[Any], code: str, path: str
    ) -> None:
        body = {**START, "TargetStreams": {"StreamList": streams}}

        given_code, message = await wire.refused(body)

        assert given_code == code
        assert f"TargetStreams.StreamList{path}" in message

    async def test_seventeen_streams_are_right(
        self, wire: WireClient, tasks: InMemorySliceTasks
    ) -> None:
        streams = [{"UserId": f"u{n}", "Index": n} for n in range(17)]

        await wire.post("StartSegment", NEW, {**START, "TargetStreams": {"StreamList": streams}})

        assert len(tasks.orders[0].targets) == 17


class TestUpdate:
    async def test_what_is_omitted_is_kept(
        self, wire: WireClient, tasks: InMemorySliceTasks
    ) -> None:
        await wire.post("StartSegment", NEW, START)

        await wire.post("UpdateSegment", NEW, KEY)
        await wire.post("UpdateSegment", NEW, {**KEY, "Handle": False})
        await wire.post("UpdateSegment", NEW, {**KEY, "Duration": 1, "Identifier": "x"})

        assert tasks.changes == [
            TaskChange(),
            TaskChange(handle=False),
            TaskChange(duration_s=1, identifier="x"),
        ]

    @pytest.mark.parametrize(
        "fields", [{"Duration": 601}, {"Identifier": "a/b"}, {"Handle": "true"}]
    )
    async def test_a_wrong_field_is_refused(self, wire: WireClient, fields: dict[str, Any]) -> None:
        code, message = await wire.refused({**KEY, **fields}, "UpdateSegment")

        assert code == "InvalidParameter"
        assert message.startswith(next(iter(fields)))
