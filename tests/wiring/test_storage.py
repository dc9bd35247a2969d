from __future__ import annotations

from dataclasses import replace

import pytest

from airslice.application.ports.journal import NoJournal
from airslice.config import Settings
from airslice.storage.journal import DiskJournal
from airslice.wiring.environment import Environment
from airslice.wiring.storage import open_storage
from tests.support.values.values import a_task


@pytest.mark.parametrize("journal", [True, False])
async def test_a_journal_is_kept_as_the_configuration_says(
    settings: Settings, journal: bool
) -> None:
    settings.server.data_dir.mkdir()
    changed = replace(settings, server=replace(settings.server, journal=journal))

    async with open_storage(Environment.of(changed)) as storage:
        assert isinstance(storage.journal, DiskJournal if journal else NoJournal)
        assert (settings.server.data_dir / "journal").exists() == journal
        assert storage.past == []
        assert storage.intake.refusal() == ""


async def test_what_is_stored_outlives_the_server(settings: Settings) -> None:
    settings.server.data_dir.mkdir()
    for _ in range(2):
        async with open_storage(Environment.of(settings)) as storage:
            before = await storage.tasks.find_run("run-1")
            await storage.tasks.save_task(a_task("run-1"))

    assert before == a_task("run-1")
