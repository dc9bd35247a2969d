"""How hard to try: `AIRSLICE_TEST_EXAMPLES=50` tries fifty times as many inputs as a usual run."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

MULTIPLIER = max(1, int(os.environ.get("AIRSLICE_TEST_EXAMPLES", "1")))

TIMEOUT_S = 600 * MULTIPLIER

LONGER = pytest.mark.timeout(TIMEOUT_S)


def effort(examples: int) -> settings:
    """Try so many inputs, the same ones in each usual run, and others in each long one."""
    return settings(
        max_examples=examples * MULTIPLIER,
        derandomize=MULTIPLIER == 1,
        database=None,
        deadline=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
