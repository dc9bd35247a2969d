"""An ICE-lite agent: answers connectivity checks, never makes one.

Sans-IO. Source: RFC 8445 sections 2.5 and 7.3; restarts: section 9.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class IceCredentials:
    """An ICE user name fragment and its password."""

    ufrag: str
    password: str = field(repr=False)

    @classmethod
    def fresh(cls) -> IceCredentials:
        """Return random credentials of the alphabet and strength of RFC 8839 section 5.4."""
        return cls(secrets.token_hex(8), secrets.token_hex(16))


@dataclass(frozen=True, slots=True)
class IceGeneration:
    """The credentials of both sides, valid until the next restart."""

    local: IceCredentials
    remote_ufrag: str

    @property
    def username(self) -> bytes:
        """The USERNAME attribute of the peer's connectivity checks."""
        return f"{self.local.ufrag}:{self.remote_ufrag}".encode()


class IceLite:
    """One session's ICE state: at most two generations, the one in use and its successor."""

    def __init__(self, remote_ufrag: str) -> None:
        self._current = IceGeneration(IceCredentials.fresh(), remote_ufrag)
        self._next: IceGeneration | None = None

    @property
    def generations(self) -> tuple[IceGeneration, ...]:
        """The generations whose checks are answered, oldest first."""
        return (self._current, self._next) if self._next else (self._current,)

    def restart(self, remote_ufrag: str) -> IceCredentials | None:
        """Start a generation for the peer's new ufrag; return our credentials in it.

        The former generation stays in use until the first check of the new one. Until then the
        same ufrag gets the same credentials again. None if the ufrag is the one in use: then
        nothing restarts.
        """
        if remote_ufrag == self._current.remote_ufrag:
            return None
        if self._next is None or remote_ufrag != self._next.remote_ufrag:
            self._next = IceGeneration(IceCredentials.fresh(), remote_ufrag)
        return self._next.local

    def generation(self, username: bytes) -> IceGeneration | None:
        """Return the generation that a check's USERNAME belongs to."""
        for generation in self.generations:
            if generation.username == username:
                return generation
        return None

    def confirm(self, generation: IceGeneration) -> None:
        """Note an authentic check of `generation`, which retires the generation before it."""
        if generation is self._next:
            self._current, self._next = generation, None
