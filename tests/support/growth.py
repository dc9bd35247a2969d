"""Whether work grows in proportion to its input: the same on every machine, busy or not."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

MAX_GROWTH = 2.5
"""Of the time for twice the input. What grows by the square takes four times as long."""

MEASURED_S = 0.001
"""Less processor time than that says nothing of growth."""

TRIES = 20
"""The least time of several tries is that of the work; more is what else the machine does."""


def check_growth(half: Callable[[], object], whole: Callable[[], object]) -> float:
    """Return the least processor time of `whole`, which has twice the work of `half`.

    Raises:
        AssertionError: it takes much more than twice the time.
    """
    whole_s = processor_s(whole)
    if whole_s < MEASURED_S:
        return whole_s
    half_s = processor_s(half)
    for _ in range(TRIES):
        if whole_s <= MAX_GROWTH * half_s + MEASURED_S:
            return whole_s
        whole_s = min(whole_s, processor_s(whole))
        half_s = min(half_s, processor_s(half))
    raise AssertionError(f"{half_s:.4f} s, and {whole_s:.4f} s for twice the input")


def processor_s(work: Callable[[], object]) -> float:
    """Return the processor time that something takes, in seconds, without that of the garbage
    collector: its work grows with all that the process holds, whosever it is."""
    gc.disable()
    try:
        begin_s = time.process_time()
        work()
        return time.process_time() - begin_s
    finally:
        gc.enable()
