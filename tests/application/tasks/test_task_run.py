"""What ends up in the bucket, by the rules of slicing."""

from __future__ import annotations

import pytest

from airslice.domain.room import StreamKey, StreamType
from airslice.domain.slice_task import MAX_STREAMS, StreamTarget, TaskChange
from tests.support.stages.stage import ACCOUNT, RATE, Stage, Stored


async def finish(stage: Stage) -> None:
    await stage.tasks.stop(ACCOUNT, stage.order().key)
    await stage.settle()


def samples(slices: list[Stored]) -> list[int]:
    return [len(s.pcm) for s in slices]


async def test_a_stream_is_cut_into_slices_of_the_duration(stage: Stage) -> None:
    await stage.tasks.start(ACCOUNT, stage.order())

    stage.run(3.5, [stage.join("ann")])
    await finish(stage)

    assert samples(stage.stored("ann")) == [RATE, RATE, RATE, RATE // 2]
    assert [s.index for s in stage.stored("ann")] == [0, 1, 2, 3]


async def test_labels_tell_when_each_slice_began(stage: Stage) -> None:
    await stage.tasks.start(ACCOUNT, stage.order())
    stage.pass_time(0.3)
    before_ms = stage.clock.utc_ns() // 1_000_000

    stage.run(2.5, [stage.join("ann")])
    await finish(stage)

    # Without sender reports the label is the arrival of the first packet, 20 ms later.
    assert [s.start_ms - before_ms for s in stage.stored("ann")] == [20, 1020, 2020]


async def test_names_follow_the_documented_order(stage: Stage) -> None:
    await stage.tasks.start(ACCOUNT, stage.order())

    stage.run(1, {stage.join("ann"): 1, stage.join("ann", StreamType.SCREEN): 2})
    await finish(stage)

    by_key = {s.key: s.pcm[0] for s in stage.stored()}
    start_ms = stage.stored()[0].start_ms
    assert by_key == {f"prefix_ann_{start_ms}_0.wav": 1, f"prefix_ann_screen_{start_ms}_0.wav": 2}


async def test_unaligned_slices_leave_unpublished_time_out(stage: Stage) -> None:
    await stage.tasks.start(ACCOUNT, stage.order(duration_s=4))
    ann = stage.join("ann")
    stage.run(1, {ann: 1})
    ann.sink.ended()
    stage.pass_time(1)
    again = stage.join("ann")
    stage.run(3, {again: 2})
    await finish(stage)

    first, second = stage.stored("ann")
    assert first.pcm.count(1) == RATE
    assert first.pcm.count(2) == pytest.approx(2 * RATE, abs=0.02 * RATE)
    assert first.pcm.count(0) == 0
    assert len(first.pcm) + len(second.pcm) == 4 * RATE


async def test_an_unpublished_period_gives_no_slice(stage: Stage) -> None:
    await stage.tasks.start(ACCOUNT, stage.order())
    ann = stage.join("ann")
    stage.run(1.5, [ann])
    ann.sink.ended()
    stage.pass_time(5)

    await stage.settle()

    assert samples(stage.stored("ann")) == [RATE, RATE // 2]


async def test_a_pause_that_timestamps_do_not_show_is_unpublished(stage: Stage) -> None:
    await stage.tasks.start(ACCOUNT, stage.order())
    ann = stage.join("ann")
    stage.run(1.5, {ann: 1})
    stage.pass_time(3)
    stage.run(2.5, {ann: 2})
    await finish(stage)

    slices = stage.stored("ann")
    assert sum(samples(slices)) == 4 * RATE
    first_ms = slices[0].start_ms
    resumed = next(s for s in slices if 2 in s.pcm)
    assert resumed.start_ms - first_ms == pytest.approx(4_500, abs=5)


class TestAligned:
    async def test_slices_share_their_starts_and_are_full(self, stage: Stage) -> None:
        await stage.tasks.start(ACCOUNT, stage.order(control={"align": True}))
        started_ms = stage.clock.utc_ns() // 1_000_000
        ann = stage.join("ann")
        stage.run(0.5, [ann])
        bob = stage.join("bob")
        stage.run(1, [ann, bob])
        bob.sink.ended()
        stage.run(1.5, [ann])
        await stage.settle()

        assert [s.start_ms - started_ms for s in stage.stored("ann")] == [0, 1000]
        assert [s.start_ms - started_ms for s in stage.stored("bob")] == [0, 1000]
        assert set(samples(stage.stored())) == {RATE}
        assert stage.stored("bob")[0].pcm.count(0) == pytest.approx(RATE / 2, abs=0.03 * RATE)

    async def test_a_muted_stream_gives_none(self, stage: Stage) -> None:
        await stage.tasks.start(ACCOUNT, stage.order(control={"align": True}))
        ann = stage.join("ann")
        stage.run(1, {ann: 1_000})
        stage.run(2, {ann: 0})
        stage.run(1.5, {ann: 1_000})
        await stage.settle()

        starts = [s.start_ms for s in stage.stored("ann")]
        assert [start - starts[0] for start in starts] == [0, 1000, 3000]
        assert [s.index for s in stage.stored("ann")] == [0, 1, 2]

    async def test_slices_begin_with_the_end_of_the_one_before(self, stage: Stage) -> None:
        control = {"align": True, "redundant_ms": 300, "redundant_duration": 3}
        await stage.tasks.start(ACCOUNT, stage.order(control=control))
        ann = stage.join("ann")
        for value in range(1_000, 1_200):
            stage.run(0.02, {ann: value})
        await stage.settle()

        first, second, third = stage.stored("ann")
        assert samples([first, second, third]) == [RATE, RATE + 4_800, RATE + 4_800]
        assert second.pcm[:4_800] == first.pcm[-4_800:]
        assert third.pcm[:4_800] == second.pcm[-4_800:]
        assert second.start_ms == first.start_ms + 700

    async def test_a_stop_closes_all_streams_at_one_place(self, stage: Stage) -> None:
        await stage.tasks.start(ACCOUNT, stage.order(control={"align": True, "mixed": True}))
        speakers = [stage.join(user) for user in ("ann", "bob", "eve")]
        stage.run(1.4, speakers)
        await finish(stage)

        lasts = [stage.stored(user)[-1] for user in ("ann", "bob", "eve", "mixed")]
        assert len({len(s.pcm) for s in lasts}) == 1
        assert len(lasts[0].pcm) == pytest.approx(0.4 * RATE, abs=0.03 * RATE)


class TestMixed:
    async def test_the_mix_is_the_sum(self, stage: Stage) -> None:
        await stage.tasks.start(ACCOUNT, stage.order(control={"align": True, "mixed": True}))
        speakers = {stage.join(f"user{n}"): 110 * n for n in range(1, MAX_STREAMS + 1)}
        stage.run(3.5, speakers)
        await stage.settle()

        mixes = stage.stored("mixed")
        assert len(mixes) == 3
        for number, mix in enumerate(mixes):
            parts = [
                s.pcm for s in stage.stored() if s.user != "mixed" and s.start_ms == mix.start_ms
            ]
            assert len(parts) == MAX_STREAMS, number
            assert mix.pcm.tolist() == [sum(column) for column in zip(*parts, strict=True)]

    async def test_it_goes_on_when_nobody_is_on_mic(self, stage: Stage) -> None:
        await stage.tasks.start(ACCOUNT, stage.order(control={"mixed": True}))

        stage.pass_time(3.3)
        await stage.settle()

        assert samples(stage.stored("mixed")) == [RATE, RATE, RATE]

    async def test_silent_mixes_are_left_out_if_asked(self, stage: Stage) -> None:
        control = {"mixed": True, "ignore_silence": True}
        await stage.tasks.start(ACCOUNT, stage.order(control=control))
        stage.pass_time(2)
        stage.run(1.5, [stage.join("ann")])
        await finish(stage)

        starts = [s.start_ms - stage.stored("mixed")[0].start_ms for s in stage.stored("mixed")]
        assert starts == [0, 1000]

    async def test_one_who_joins_late_is_in_the_mix_from_his_first_sample(
        self, stage: Stage
    ) -> None:
        await stage.tasks.start(ACCOUNT, stage.order(control={"mixed": True}))
        ann = stage.join("ann")
        stage.run(1.5, {ann: 1})
        bob = stage.join("bob")
        stage.run(2, {ann: 1, bob: 1_000})
        await finish(stage)

        mixed = [value for s in stage.stored("mixed") for value in s.pcm]
        bob_samples = sum(samples(stage.stored("bob")))
        assert mixed.count(1_001) == pytest.approx(bob_samples, abs=0.02 * RATE)


async def test_silent_slices_are_left_out_if_asked(stage: Stage) -> None:
    await stage.tasks.start(ACCOUNT, stage.order(control={"ignore_silence": True}))
    ann = stage.join("ann")
    stage.run(1, {ann: 1_000})
    stage.run(1, {ann: 10})
    stage.run(1, {ann: 1_000})
    await finish(stage)

    slices = stage.stored("ann")
    assert [s.start_ms - slices[0].start_ms for s in slices] == [0, 2000]
    assert [s.index for s in slices] == [0, 1]


async def test_a_muted_publisher_gives_silent_slices_otherwise(stage: Stage) -> None:
    await stage.tasks.start(ACCOUNT, stage.order())

    stage.run(2, {stage.join("ann"): 0})
    await finish(stage)

    assert samples(stage.stored("ann")) == [RATE, RATE]


async def test_only_the_listed_streams_are_sliced(stage: Stage) -> None:
    targets = (
        StreamTarget(stream=StreamKey("bob")),
        StreamTarget(stream=StreamKey("ann", StreamType.SCREEN)),
    )
    await stage.tasks.start(ACCOUNT, stage.order(targets=targets))

    stage.run(1, [stage.join("ann"), stage.join("bob"), stage.join("ann", StreamType.SCREEN)])
    await finish(stage)

    assert sorted(s.key.split("_1")[0] for s in stage.stored()) == [
        "prefix_ann_screen",
        "prefix_bob",
    ]


async def test_the_eighteenth_stream_waits_for_a_place(stage: Stage) -> None:
    await stage.tasks.start(ACCOUNT, stage.order())
    speakers = [stage.join(f"user{number:02d}") for number in range(MAX_STREAMS + 1)]
    stage.run(1.5, speakers)
    (run,) = stage.tasks.runs
    assert run.waiting_streams == 1

    speakers[0].sink.ended()
    stage.run(2, speakers[1:])
    await finish(stage)

    assert run.waiting_streams == 0
    assert len(stage.stored("user17")) == 2


class TestUpdate:
    async def test_a_hot_started_task_slices_from_the_update_on(self, stage: Stage) -> None:
        await stage.tasks.start(ACCOUNT, stage.order(handle=False))
        ann = stage.join("ann")
        stage.run(1.5, {ann: 1})
        assert not stage.stored()

        await stage.tasks.update(ACCOUNT, stage.order().key, TaskChange(handle=True))
        stage.run(1.5, {ann: 2})
        await finish(stage)

        pcm = [value for s in stage.stored("ann") for value in s.pcm]
        assert pcm.count(2) == 1.5 * RATE
        assert pcm.count(1) <= 0.02 * RATE
        assert len(stage.stored("ann")[0].pcm) == RATE

    async def test_a_pause_closes_the_slice_and_nothing_is_sliced(self, stage: Stage) -> None:
        await stage.tasks.start(ACCOUNT, stage.order())
        ann = stage.join("ann")
        stage.run(1.5, {ann: 1})
        await stage.tasks.update(ACCOUNT, stage.order().key, TaskChange(handle=False))
        stage.run(2, {ann: 2})
        await stage.tasks.update(ACCOUNT, stage.order().key, TaskChange(handle=True))
        stage.run(1, {ann: 3})
        await finish(stage)

        assert samples(stage.stored("ann")) == [RATE, RATE // 2, RATE]
        assert not any(2 in s.pcm for s in stage.stored("ann"))

    async def test_a_duration_cuts_at_once_and_restarts_the_period(self, stage: Stage) -> None:
        await stage.tasks.start(ACCOUNT, stage.order())
        ann = stage.join("ann")
        stage.run(1.5, {ann: 1})

        await stage.tasks.update(ACCOUNT, stage.order().key, TaskChange(duration_s=2))
        stage.run(5, {ann: 1})
        await finish(stage)

        assert samples(stage.stored("ann")) == [RATE, RATE // 2, 2 * RATE, 2 * RATE, RATE]

    async def test_on_the_grid_all_streams_restart_together(self, stage: Stage) -> None:
        order = stage.order(control={"align": True, "mixed": True})
        await stage.tasks.start(ACCOUNT, order)
        speakers = [stage.join("ann"), stage.join("bob")]
        stage.run(1.5, speakers)

        await stage.tasks.update(ACCOUNT, order.key, TaskChange(duration_s=2))
        late = stage.join("eve")
        stage.run(4.5, [*speakers, late])
        await stage.settle()

        by_user = {u: stage.stored(u) for u in ("ann", "bob", "eve", "mixed")}
        starts = {u: [s.start_ms for s in slices] for u, slices in by_user.items()}
        assert starts["ann"] == starts["bob"] == starts["mixed"]
        assert starts["eve"] == starts["ann"][2:]
        assert [len(s.pcm) / RATE for s in by_user["mixed"]] == pytest.approx(
            [1, 0.5, 2, 2], abs=0.03
        )

    async def test_on_the_grid_one_who_lags_restarts_where_the_others_do(
        self, stage: Stage
    ) -> None:
        order = stage.order(control={"align": True})
        await stage.tasks.start(ACCOUNT, order)
        ann, bob = stage.join("ann"), stage.join("bob")
        stage.run(1.5, [ann, bob])
        stage.run(0.2, [ann])  # what bob says meanwhile is still under way

        await stage.tasks.update(ACCOUNT, order.key, TaskChange(duration_s=2))
        stage.run(2.5, [ann, bob])
        await stage.settle()

        starts = [[s.start_ms for s in stage.stored(user)] for user in ("ann", "bob")]
        assert starts[0] == starts[1]
        assert len(starts[0]) == 3

    async def test_an_identifier_names_the_slices_that_begin_after_it(self, stage: Stage) -> None:
        await stage.tasks.start(ACCOUNT, stage.order())
        ann = stage.join("ann")
        stage.run(0.5, [ann])

        await stage.tasks.update(ACCOUNT, stage.order().key, TaskChange(identifier="other"))
        stage.run(1.5, [ann])
        await finish(stage)

        assert [s.key.split("_")[0] for s in stage.stored("ann")] == ["prefix", "other"]
        assert samples(stage.stored("ann")) == [RATE, RATE]


async def test_two_tasks_slice_one_stream_independently(stage: Stage) -> None:
    await stage.tasks.start(ACCOUNT, stage.order())
    ann = stage.join("ann")
    stage.run(0.5, {ann: 1})
    await stage.tasks.start(ACCOUNT, stage.order("second", identifier="second", duration_s=2))
    stage.run(2.5, {ann: 2})
    await stage.tasks.stop(ACCOUNT, stage.order("second").key)
    await finish(stage)

    second = [s for s in stage.stored("ann") if s.key.startswith("second")]
    first = [s for s in stage.stored("ann") if s.key.startswith("prefix")]
    assert samples(first) == [RATE, RATE, RATE]
    assert len(second[0].pcm) == 2 * RATE
    assert second[0].pcm.count(1) <= 0.02 * RATE
