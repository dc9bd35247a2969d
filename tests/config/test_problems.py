from __future__ import annotations

from airslice.config import ConfigError
from airslice.config.problems import Problems


def test_problems_are_kept_in_the_order_in_which_they_are_found() -> None:
    problems = Problems()
    assert not problems

    problems.add("server.http", "is empty")
    problems.add("apps[0].app_id", "is missing")

    assert problems
    error = problems.error()
    assert isinstance(error, ConfigError)
    assert error.problems == ["server.http: is empty", "apps[0].app_id: is missing"]
    assert str(error) == "server.http: is empty\napps[0].app_id: is missing"
