"""A server to attack, and the count of what tests elsewhere try."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.support.fuzz import parsers, tally
from tests.support.server.running_server import RunningServer


@pytest.fixture(scope="session")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server of a process of its own; in its log there must be no crash at the end."""
    server = RunningServer(tmp_path_factory.mktemp("attacked"), "http://127.0.0.1:9/callback")
    server.start()
    yield server
    server.close()


class TestsElsewhere:
    """Counts what tests in other folders try on the same parsers."""

    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        tried = re.findall(r"(\d+) passing", getattr(item, "hypothesis_statistics", ""))
        for parser in parsers.PARSERS if tried else ():
            name = item.nodeid.partition("[")[0].removesuffix(".py").replace(".py::", "::")
            if any(name.endswith(other) for other in parser.also_in):
                tally.INPUTS[parser.name] += sum(map(int, tried))


def pytest_collection_finish(session: pytest.Session) -> None:
    session.config.pluginmanager.register(TestsElsewhere(), "inputs tried elsewhere")
