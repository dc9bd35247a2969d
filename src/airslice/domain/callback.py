"""Callbacks: what is told to an application's owner, and how often it is tried."""

from __future__ import annotations

from dataclasses import dataclass, field

TRY_TIMEOUT_S = 5.0
"""How long a receiver has for its answer, in seconds (https://www.volcengine.com/docs/6348/75110)."""

RETRY_DELAYS_S = (1.0, 3.0)
"""Seconds from a failed try to the next: three tries in all, as documented; the pauses are ours."""


def next_delay_s(failed_tries: int) -> float | None:
    """Return how long to wait before the next try, in seconds; None where there is none.

    Args:
        failed_tries: How often the callback was posted in vain, at least 1.
    """
    return RETRY_DELAYS_S[failed_tries - 1] if failed_tries <= len(RETRY_DELAYS_S) else None


@dataclass(frozen=True, kw_only=True, slots=True)
class CallbackEvent:
    """One event, equal over all its tries."""

    event_type: str
    event_id: str
    """Receivers drop repetitions by it."""
    app_id: str
    version: str
    """API version whose event this is."""
    time_ms: int
    """When it happened: UTC, milliseconds since the Unix epoch."""
    data: str = field(repr=False)
    """The facts, as JSON text: receivers get, and verify, exactly these characters."""
