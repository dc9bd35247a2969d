"""Why packets are counted as dropped."""

from __future__ import annotations

import pytest

from airslice.engines.embedded.srtp import REPLAYED
from airslice.engines.embedded.stats import Drop


@pytest.mark.parametrize("error", sorted(REPLAYED))
def test_what_libsrtp_has_seen_before_counts_as_replayed(error: int) -> None:
    assert Drop.of_refused(-error) is Drop.REPLAYED


@pytest.mark.parametrize("size", [-7, 0])
def test_what_else_it_refuses_is_not_authentic(size: int) -> None:
    assert -size not in REPLAYED
    assert Drop.of_refused(size) is Drop.UNAUTHENTIC_MEDIA
