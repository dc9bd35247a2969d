"""Files that no record speaks of are kept for a while, then removed."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from airslice.application.ports.storage import SpoolEntry
from airslice.application.tasks.spool_cleaning import KEEP_MS, clean_spool

NOW_MS = 1_700_000_000_000


class Shelf:
    """A spool and the records of it, as far as cleaning asks them."""

    def __init__(self, **ages_ms: int) -> None:
        self.files = {name: NOW_MS - age_ms for name, age_ms in ages_ms.items()}
        self.recorded = {"waiting"}

    def entries(self) -> list[SpoolEntry]:
        return [SpoolEntry(name, 44, modified_ms) for name, modified_ms in self.files.items()]

    def remove(self, name: str) -> None:
        del self.files[name]

    async def awaited(self, names: Sequence[str]) -> set[str]:
        return self.recorded & set(names)


async def clean(shelf: Shelf) -> int:
    return await clean_spool(shelf, shelf, now_ms=NOW_MS)  # type: ignore[arg-type]


async def test_what_nobody_waits_for_goes_when_it_is_old(
    caplog: pytest.LogCaptureFixture,
) -> None:
    shelf = Shelf(waiting=10 * KEEP_MS, young=KEEP_MS - 1, old=KEEP_MS)

    assert await clean(shelf) == 2

    assert set(shelf.files) == {"waiting", "young"}
    assert sorted(record.getMessage() for record in caplog.records) == [
        "no slice waits in old: removed",
        "no slice waits in young, 44 bytes: kept",
    ]


async def test_all_of_many_files_are_looked_at() -> None:
    shelf = Shelf(**{f"file{number}": KEEP_MS for number in range(2_500)})

    assert await clean(shelf) == 2_500

    assert shelf.files == {}
