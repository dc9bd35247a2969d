"""A plugin of pytest that prints the tally of all workers at the end of a run."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.fuzz import tally

_KEY = "tally of fuzzing"


def pytest_sessionfinish(session: pytest.Session) -> None:
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[_KEY] = tally.taken()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what a worker has counted; one that crashed leaves nothing."""
    if _KEY in getattr(node, "workeroutput", {}):
        tally.add(node.workeroutput[_KEY])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if tally.INPUTS:
        terminalreporter.section("inputs tried")
        for line in tally.lines():
            terminalreporter.write_line(line)
