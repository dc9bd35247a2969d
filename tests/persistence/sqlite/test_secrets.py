from __future__ import annotations

import pytest

from airslice.persistence.sqlite.secrets import SecretBox, SecretUnreadable

BOX = SecretBox(bytes(range(32)))


def test_a_sealed_secret_comes_back() -> None:
    assert BOX.unseal(BOX.seal(b"secret", context="run-1"), context="run-1") == b"secret"


def test_sealing_twice_gives_different_bytes() -> None:
    assert BOX.seal(b"secret", context="run-1") != BOX.seal(b"secret", context="run-1")


def test_another_context_is_refused() -> None:
    with pytest.raises(SecretUnreadable):
        BOX.unseal(BOX.seal(b"secret", context="run-1"), context="run-2")


def test_another_master_key_is_refused() -> None:
    with pytest.raises(SecretUnreadable):
        SecretBox(bytes(32)).unseal(BOX.seal(b"secret", context="run-1"), context="run-1")


@pytest.mark.parametrize("length", range(0, 33, 4))
def test_a_truncated_secret_is_refused(length: int) -> None:
    sealed = BOX.seal(b"secret", context="run-1")

    with pytest.raises(SecretUnreadable):
        BOX.unseal(sealed[:length], context="run-1")
