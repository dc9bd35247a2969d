"""Keys with which a client reports what an audience does."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from airslice.application.catalogue.report_keys import VALID_MS, ReportKeys
from airslice.application.wall_clock import WallClock
from airslice.domain.errors import ReportKeyRefused
from tests.support.stages.stage import HandClock

JOB = ("project", "room", "job")


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def keys(clock: HandClock) -> ReportKeys:
    return ReportKeys(b"master", WallClock(clock))


def test_a_key_holds_until_its_end(keys: ReportKeys, clock: HandClock) -> None:
    key, expires_at_ms = keys.mint(*JOB)
    assert expires_at_ms == clock.utc_ns() // 1_000_000 + VALID_MS
    clock.now_ns += (VALID_MS - 1) * 1_000_000

    keys.check(*JOB, key=key, expires_at_ms=expires_at_ms)

    clock.now_ns += 1_000_000
    with pytest.raises(ReportKeyRefused, match="expired"):
        keys.check(*JOB, key=key, expires_at_ms=expires_at_ms)


def test_a_key_holds_over_restarts_and_with_its_master_key_only(
    keys: ReportKeys, clock: HandClock
) -> None:
    key, expires_at_ms = keys.mint(*JOB)

    ReportKeys(b"master", WallClock(clock)).check(*JOB, key=key, expires_at_ms=expires_at_ms)
    with pytest.raises(ReportKeyRefused):
        ReportKeys(b"other", WallClock(clock)).check(*JOB, key=key, expires_at_ms=expires_at_ms)


@pytest.mark.parametrize(
    "job",
    [
        ("other", "room", "job"),
        ("project", "other", "job"),
        ("project", "room", "other"),
        ("projectroom", "", "job"),
        ('project", "room', "", "job"),
    ],
)
def test_a_key_is_of_one_job(keys: ReportKeys, job: tuple[str, str, str]) -> None:
    key, expires_at_ms = keys.mint(*JOB)

    with pytest.raises(ReportKeyRefused, match="wrong"):
        keys.check(*job, key=key, expires_at_ms=expires_at_ms)


@pytest.mark.parametrize("change", [-1, 1, 10**9])
def test_the_end_cannot_be_moved(keys: ReportKeys, change: int) -> None:
    key, expires_at_ms = keys.mint(*JOB)

    with pytest.raises(ReportKeyRefused, match="wrong"):
        keys.check(*JOB, key=key, expires_at_ms=expires_at_ms + change)


@pytest.mark.parametrize("key", ["", "00" * 32, "ключ"])
def test_a_made_up_key_is_refused(keys: ReportKeys, key: str) -> None:
    _, expires_at_ms = keys.mint(*JOB)

    with pytest.raises(ReportKeyRefused, match="wrong"):
        keys.check(*JOB, key=key, expires_at_ms=expires_at_ms)


def test_a_key_is_not_signed_with_the_master_key_itself(keys: ReportKeys) -> None:
    key, expires_at_ms = keys.mint(*JOB)

    signed = f'["project", "room", "job", {expires_at_ms}]'.encode()
    assert key != hmac.new(b"master", signed, hashlib.sha256).hexdigest()
