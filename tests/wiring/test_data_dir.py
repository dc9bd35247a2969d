from __future__ import annotations

import stat
from pathlib import Path

import pytest

from airslice.config import ConfigError
from airslice.wiring.data_dir import exclusive


def test_one_server_at_a_time_holds_a_data_directory(tmp_path: Path) -> None:
    data_dir = tmp_path / "a" / "b"
    with exclusive(data_dir):
        assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700
        with (
            pytest.raises(ConfigError, match=r"server\.data_dir: another server uses"),
            exclusive(data_dir),
        ):
            pass

    with exclusive(data_dir):
        assert (data_dir / "lock").is_file()
