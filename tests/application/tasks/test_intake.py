from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from airslice.application.ports.storage import SpoolUsage
from airslice.application.tasks import intake as intake_module
from airslice.application.tasks.intake import MIN_FREE_BYTES, Intake
from airslice.domain.errors import StoreFailed, TooManyTasks
from airslice.domain.slice_task import SliceTask
from tests.support.stages.stage import ACCOUNT, Stage

GB = 10**9


class Disk:
    """A spool and a journal, as far as they are judged."""

    def __init__(self) -> None:
        self.failing = False
        self.is_mended = False
        self.free = 100 * GB
        self.used = 0

    def usage(self) -> SpoolUsage:
        return SpoolUsage(used=self.used, quota=20 * GB, free=self.free)

    def try_again(self) -> None:
        self.failing = self.failing and not self.is_mended


@pytest.fixture
def spool() -> Disk:
    return Disk()


@pytest.fixture
def journal() -> Disk:
    return Disk()


@pytest.fixture
def intake(spool: Disk, journal: Disk) -> Intake:
    return Intake(spool=spool, journal=journal, max_tasks=3)  # type: ignore[arg-type]


def test_tasks_are_taken_while_all_is_well(intake: Intake, spool: Disk) -> None:
    spool.used = 16 * GB - 1

    assert intake.refusal() == ""


def test_only_so_many_tasks_run_at_a_time(intake: Intake) -> None:
    intake.check(running=2)

    with pytest.raises(TooManyTasks, match="3 tasks are running"):
        intake.check(running=3)
    assert intake.refusal() == ""  # nothing is wrong with the disks


def test_no_task_is_started_while_its_slices_would_not_be_safe(
    intake: Intake, journal: Disk
) -> None:
    journal.failing = True

    with pytest.raises(TooManyTasks, match="journal"):
        intake.check(running=0)


def test_a_full_spool_says_why_it_takes_no_more(intake: Intake, spool: Disk) -> None:
    spool.used = 16 * GB

    assert intake.refusal().startswith("the spool holds 16.0 of 20.0 GB because storage is behind")


@pytest.mark.parametrize(("free", "refused"), [(MIN_FREE_BYTES, False), (MIN_FREE_BYTES - 1, True)])
def test_a_disk_that_others_have_filled_takes_no_more(
    intake: Intake, spool: Disk, free: int, refused: bool
) -> None:
    spool.free = free

    assert intake.refusal().startswith("the disk of the spool is full") == refused


def test_a_disk_that_fails_takes_no_more(intake: Intake, spool: Disk, journal: Disk) -> None:
    spool.failing = True
    assert "spool cannot be written" in intake.refusal()

    journal.failing = True
    assert "journal cannot be written" in intake.refusal()


async def test_an_episode_is_logged_once_and_ends_when_the_disk_is_mended(
    intake: Intake, spool: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    spool.failing = True
    async with watching(intake):
        assert len(caplog.records) == 1

        spool.is_mended = True

    assert intake.refusal() == ""
    assert [record.getMessage() for record in caplog.records] == [
        "no task is started: the spool cannot be written: slices are lost",
        "tasks are started again",
    ]


async def test_no_task_is_started_that_cannot_be_recorded(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(task: SliceTask) -> None:
        raise StoreFailed("the database failed: disk I/O error")

    monkeypatch.setattr(stage.store, "save_task", fail)

    with pytest.raises(TooManyTasks, match="disk I/O error"):
        await stage.tasks.start(ACCOUNT, stage.order())

    assert not stage.tasks.runs


@asynccontextmanager
async def watching(intake: Intake) -> AsyncIterator[None]:
    """Let several rounds of the watch pass, before and after what is done in between."""
    rounds = 0

    async def sleep(seconds: float) -> None:
        nonlocal rounds
        assert seconds == intake_module.WATCH_INTERVAL_S
        rounds += 1
        await asyncio.sleep(0)

    async def pass_rounds() -> None:
        until = rounds + 5
        async with asyncio.timeout(60):
            while rounds < until:
                await asyncio.sleep(0.001)

    watch = asyncio.create_task(intake.watch(sleep))
    await pass_rounds()
    yield
    await pass_rounds()
    watch.cancel()
