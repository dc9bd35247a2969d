"""ICE credentials over restarts."""

from __future__ import annotations

import re

from airslice.engines.embedded.ice import IceCredentials, IceLite


def test_credentials_are_as_strong_as_the_rfc_asks_and_never_the_same() -> None:
    """RFC 8839 section 5.4: at least 24 bits of the ufrag are random, and 128 of the password."""
    every = [IceCredentials.fresh() for _ in range(100)]

    assert all(re.fullmatch(r"[A-Za-z0-9+/]{4,256}", one.ufrag) for one in every)
    assert all(re.fullmatch(r"[A-Za-z0-9+/]{22,256}", one.password) for one in every)
    assert len({one.ufrag for one in every}) == len({one.password for one in every}) == 100


def test_a_password_is_not_shown() -> None:
    credentials = IceCredentials.fresh()

    assert credentials.password not in repr(credentials)


def test_a_check_belongs_to_the_generation_that_its_username_names() -> None:
    ice = IceLite("theirs")
    (generation,) = ice.generations

    assert generation.username == f"{generation.local.ufrag}:theirs".encode()
    assert ice.generation(generation.username) is generation
    assert ice.generation(b"theirs:" + generation.local.ufrag.encode()) is None


def test_the_former_generation_is_in_use_until_the_new_one_is_checked() -> None:
    ice = IceLite("theirs")
    (former,) = ice.generations

    renewed = ice.restart("renewed")
    both = ice.generations
    ice.confirm(former)
    still_both = ice.generations
    ice.confirm(both[1])

    assert both == still_both == (former, both[1])
    assert both[1].local == renewed
    assert ice.generations == (both[1],)
    assert ice.generation(former.username) is None


def test_a_restart_that_is_asked_for_again_is_the_same() -> None:
    ice = IceLite("theirs")

    assert ice.restart("theirs") is None
    assert ice.restart("renewed") == ice.restart("renewed")
    assert ice.restart("renewed") != ice.restart("once more")
    assert len(ice.generations) == 2
