"""The documentation's picture of the state machine is the state machine."""

from __future__ import annotations

import re
from pathlib import Path

from airslice.domain.slice_task import TRANSITIONS

PAGE = Path(__file__).parents[2] / "docs" / "tasks.md"


def test_the_documented_diagram_is_the_transition_table() -> None:
    drawn = re.findall(r"^    (\w+) --> (\w+): (\w+)$", PAGE.read_text(), re.MULTILINE)

    assert drawn == [
        (str(before), str(after), str(event)) for (before, event), after in TRANSITIONS.items()
    ]
