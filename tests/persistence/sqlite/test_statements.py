"""What stands in the SQL files."""

from __future__ import annotations

import sqlite3
from collections import defaultdict

import pytest

from airslice.domain.outbox import DeliveryState
from airslice.domain.slice_record import SliceState
from airslice.domain.slice_task import TaskState
from airslice.persistence.sqlite.statements import migrations, statements


@pytest.mark.parametrize(
    ("of", "name", "index"),
    [
        ("tasks", "find_task", "tasks_by_key"),
        ("tasks", "unfinished_tasks", "tasks_unfinished"),
        ("tasks", "room_tasks", "slices_by_room"),
        ("slices", "room_slices", "slices_by_room"),
        ("slices", "next_index", "sqlite_autoindex_slices_1"),
        ("slices", "find_slice", "sqlite_autoindex_slices_1"),
        ("deliveries", "queues", "deliveries_due"),
        ("deliveries", "due", "deliveries_due"),
        ("deliveries", "release", "deliveries_in_lane"),
        ("deliveries", "last_position", "deliveries_in_lane"),
        ("deliveries", "add_callback", "deliveries_in_lane"),
        ("deliveries", "hold_if_not_first", "deliveries_in_lane"),
        ("deliveries", "add_upload", "sqlite_autoindex_slices_1"),
        ("deliveries", "list_dead", "deliveries_dead"),
        ("deliveries", "awaited", "slices_spooled"),
    ],
)
def test_a_query_uses_its_index_and_sorts_nothing(of: str, name: str, index: str) -> None:
    connection = sqlite3.connect(":memory:")
    for migration in migrations():
        connection.executescript(migration.script)
    anything: dict[str, int] = defaultdict(int)

    plan = connection.execute(f"EXPLAIN QUERY PLAN {statements(of)[name]}", anything).fetchall()
    connection.close()

    steps = " / ".join(step[3] for step in plan)
    assert f"INDEX {index}" in steps
    assert "TEMP B-TREE" not in steps


def test_states_in_sql_are_those_of_the_domain() -> None:
    """A renamed state would silently empty these partial indexes."""
    script = "".join(migration.script for migration in migrations())

    final = ", ".join(f"'{state}'" for state in (TaskState.ENDED, TaskState.FAILED))
    in_lane = ", ".join(f"'{state}'" for state in (DeliveryState.HELD, DeliveryState.WAITING))
    due = ", ".join(f"'{state}'" for state in (DeliveryState.WAITING, DeliveryState.PARKED))
    assert f"state NOT IN ({final})" in script
    assert f"state IN ({in_lane})" in script
    assert f"state IN ({due})" in script
    assert f"state = '{DeliveryState.DEAD}'" in script
    assert f"state = '{SliceState.SPOOLED}'" in script


def test_migrations_are_numbered_without_gaps() -> None:
    numbers = [migration.version for migration in migrations()]

    assert numbers == list(range(1, len(numbers) + 1))
