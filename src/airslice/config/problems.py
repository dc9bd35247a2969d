"""What is wrong with a configuration, collected so that all of it is told at once."""

from __future__ import annotations


class ConfigError(Exception):
    """A configuration that cannot be used.

    Args:
        problems: One line each, beginning with the full name of the setting; at least one.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Problems:
    """Collects the problems of one configuration, in the order in which they are found."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def __bool__(self) -> bool:
        return bool(self._lines)

    def add(self, setting: str, problem: str) -> None:
        """Note that `setting`, by its full name, has a problem."""
        self._lines.append(f"{setting}: {problem}")

    def error(self) -> ConfigError:
        """Return what was noted as an error to raise."""
        return ConfigError(self._lines)
