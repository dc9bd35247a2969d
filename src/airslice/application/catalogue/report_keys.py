"""Keys with which a client reports what an audience does, and may do nothing else."""

from __future__ import annotations

import hashlib
import hmac
import json

from airslice.application.wall_clock import WallClock
from airslice.domain.errors import ReportKeyRefused

VALID_MS = 8 * 24 * 3_600_000
"""A day longer than the longest time limit of a broadcast."""

_PURPOSE = b"airslice: keys of live event reports"


class ReportKeys:
    """Makes and checks keys, of which each holds for one job and for a time.

    A key is the HMAC-SHA256 of the job and the end of that time, in lower-case hexadecimal.

    Args:
        master_key: A key for this purpose alone is derived from it.
        wall_clock: Tells when a key ends.
    """

    def __init__(self, master_key: bytes, wall_clock: WallClock) -> None:
        self._key = hmac.digest(master_key, _PURPOSE, hashlib.sha256)
        self._wall_clock = wall_clock

    def mint(self, project_id: str, room_id: str, job_id: str) -> tuple[str, int]:
        """Return the key for a job, and its end: UTC, milliseconds since the Unix epoch."""
        expires_at_ms = self._wall_clock.utc_ms() + VALID_MS
        return self._signature(project_id, room_id, job_id, expires_at_ms), expires_at_ms

    def check(
        self, project_id: str, room_id: str, job_id: str, *, key: str, expires_at_ms: int
    ) -> None:
        """Check a key that a caller has sent.

        Raises:
            ReportKeyRefused: it is not of this job and end, or the end has come.
        """
        expected = self._signature(project_id, room_id, job_id, expires_at_ms)
        if not hmac.compare_digest(key.encode(), expected.encode()):
            raise ReportKeyRefused("key is wrong")
        if expires_at_ms <= self._wall_clock.utc_ms():
            raise ReportKeyRefused("key has expired; ask for a new address")

    def _signature(self, project_id: str, room_id: str, job_id: str, expires_at_ms: int) -> str:
        # As JSON, so that no two jobs have the same text, whatever their ids hold.
        signed = json.dumps([project_id, room_id, job_id, expires_at_ms])
        return hmac.new(self._key, signed.encode(), hashlib.sha256).hexdigest()
