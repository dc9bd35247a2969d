"""Encrypts what others entrust to the server, before it is stored.

What is sealed, and where it stands in the file, is decided by the stores.
"""

from __future__ import annotations

import secrets
from typing import TypeVar

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MASTER_KEY_BYTES = 32
_NONCE_BYTES = 12
_PURPOSE = b"airslice: stored secrets"

_T = TypeVar("_T")


class SecretUnreadable(Exception):
    """A secret was sealed with another master key, for another context, or is damaged."""


class SecretBox:
    """Seals secrets with AES-256-GCM.

    Args:
        master_key: `MASTER_KEY_BYTES` bytes; a key for this purpose alone is derived from it.

    Raises:
        ValueError: `master_key` has another length.
    """

    def __init__(self, master_key: bytes) -> None:
        if len(master_key) != MASTER_KEY_BYTES:
            raise ValueError(f"the master key must have {MASTER_KEY_BYTES} bytes")
        derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(master_key)
        self._cipher = AESGCM(derived)

    def seal(self, secret: bytes, *, context: str) -> bytes:
        """Encrypt `secret`; only `unseal` with the same `context` brings it back."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret, context.encode())

    def unseal(self, sealed: bytes, *, context: str) -> bytes:
        """Return what `seal` was given.

        Raises:
            SecretUnreadable: master key or context differ, or `sealed` is damaged.
        """
        nonce, encrypted = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, encrypted, context.encode())
        except (InvalidTag, ValueError):  # ValueError: too short to hold a nonce
            raise SecretUnreadable(context) from None

    def seal_json(self, value: object, *, context: str) -> bytes:
        """Encrypt `value` as JSON; only `unseal_json` with the same `context` brings it back."""
        return self.seal(msgspec.json.encode(value), context=context)

    def unseal_json(self, sealed: bytes, kind: type[_T], *, context: str) -> _T:
        """Return what `seal_json` was given, as a `kind`.

        Raises:
            SecretUnreadable: master key or context differ, or `sealed` is damaged.
        """
        return msgspec.json.decode(self.unseal(sealed, context=context), type=kind)
