"""A limit on requests per second, over a sliding window."""

from __future__ import annotations

from collections import deque

WINDOW_NS = 1_000_000_000
"""Length of the sliding window, in nanoseconds."""


class RateLimit:
    """Allows at most `per_second` requests in any one second, wherever that second begins.

    It keeps the times of the last `per_second` allowed requests and nothing else.

    Raises:
        ValueError: `per_second` is below 1.
    """

    def __init__(self, per_second: int) -> None:
        if per_second < 1:
            raise ValueError("a limit below one request per second allows nothing")
        self._allowed: deque[int] = deque(maxlen=per_second)

    def take(self, now_ns: int) -> bool:
        """Return whether a request is allowed at `now_ns`, and if so count it.

        Args:
            now_ns: Nanoseconds on a clock that never steps back.
        """
        allowed = self._allowed
        if len(allowed) == allowed.maxlen and now_ns - allowed[0] < WINDOW_NS:
            return False
        allowed.append(now_ns)
        return True
