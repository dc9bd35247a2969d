"""What a parser of network bytes promises."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Parser:
    """One row of the table."""

    name: str
    parse: Callable[[bytes], object]
    """Reads an input, and asserts what must hold of whatever it makes of it."""
    samples: Sequence[bytes]
    """Valid inputs."""
    refusals: tuple[type[Exception], ...] = ()
    """What it may raise, and nothing else."""
    worst: Sequence[bytes] = ()
    """Large inputs that ask for the most work."""
    max_bytes: int = 1 << 20
    """Longest input that reaches it."""
    examples: int = 400
    """Inputs of a usual run."""
    also_in: Sequence[str] = ()
    """Tests elsewhere that try generated inputs on it: their names, or the ends of their ids."""

    def __str__(self) -> str:
        return self.name

    def take(self, data: bytes) -> None:
        """Parse an input; a documented refusal is as good as a result."""
        try:
            self.parse(data)
        except self.refusals:
            return
