"""What was tried in this run, for the table at its end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

INPUTS: Counter[str] = Counter()
"""How many inputs each target was given."""

CRASHES: Counter[str] = Counter()
"""How many of them it answered with something that is not documented."""

ANSWERS: dict[str, Counter[int]] = {}
"""HTTP statuses of the answers, for each document."""

SLOWEST_S: dict[str, float] = {}
"""Processor time of the worst large input."""


@contextmanager
def counted(target: str) -> Iterator[None]:
    """Count one input; whatever it raises is a crash."""
    INPUTS[target] += 1
    try:
        yield
    except BaseException:
        CRASHES[target] += 1
        raise


def taken() -> dict[str, Any]:
    """Return all that was counted, of plain values, as a worker of pytest-xdist hands it over."""
    answers = {document: list(statuses.items()) for document, statuses in ANSWERS.items()}
    return {
        "inputs": dict(INPUTS),
        "crashes": dict(CRASHES),
        "answers": answers,
        "slowest_s": dict(SLOWEST_S),
    }


def add(counted: dict[str, Any]) -> None:
    """Add what a worker has counted."""
    INPUTS.update(counted["inputs"])
    CRASHES.update(counted["crashes"])
    for document, statuses in counted["answers"].items():
        ANSWERS.setdefault(document, Counter()).update(dict(statuses))
    for target, slowest_s in counted["slowest_s"].items():
        SLOWEST_S[target] = max(slowest_s, SLOWEST_S.get(target, 0))


def lines() -> Iterator[str]:
    """Return the table."""
    yield f"{'target':32} {'inputs tried':>12} {'crashes':>8} {'worst 1 MB':>11}"
    for target in sorted(INPUTS):
        slowest = f"{SLOWEST_S[target] * 1e3:8.1f} ms" if target in SLOWEST_S else ""
        yield f"{target:32} {INPUTS[target]:>12,} {CRASHES[target]:>8,} {slowest:>11}"
    yield f"{'all':32} {INPUTS.total():>12,} {CRASHES.total():>8,}"
    for document, statuses in ANSWERS.items():
        told = ", ".join(f"{count:,} x {status}" for status, count in sorted(statuses.items()))
        yield f"{document} answered {told}"
