"""A configuration file in a folder of its own, to be loaded or refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from airslice.config import ConfigError, Settings, load


@pytest.fixture
def load_text(tmp_path: Path) -> Callable[..., Settings]:
    """Loads a text, and what the environment says over it."""

    def load_text(text: str, environment: Mapping[str, str] | None = None) -> Settings:
        path = tmp_path / "airslice.toml"
        path.write_text(text, encoding="utf-8")
        return load(path, environment or {})

    return load_text


@pytest.fixture
def problems(load_text: Callable[..., Settings]) -> Callable[..., list[str]]:
    """Loads a text that is refused, and tells why."""

    def problems(text: str, environment: Mapping[str, str] | None = None) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            load_text(text, environment)
        return caught.value.problems

    return problems
