"""Reads the SQL in the files beside the code: statements by name, and migrations."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.resources import files
from typing import NamedTuple

_PACKAGE = "airslice.persistence.sqlite"
_HEADER = re.compile(r"^-- (\w+) --$", re.MULTILINE)
_MIGRATION = re.compile(r"(\d{4})_\w+\.sql")


class Migration(NamedTuple):
    """One step from an empty database to the present schema."""

    version: int
    script: str


def statements(name: str) -> Mapping[str, str]:
    """Return the statements of ``queries/{name}.sql`` by the ``-- header --`` above each."""
    text = (files(_PACKAGE) / "queries" / f"{name}.sql").read_text(encoding="utf-8")
    _preamble, *parts = _HEADER.split(text)
    return {header: sql.strip() for header, sql in zip(parts[::2], parts[1::2], strict=True)}


def migrations() -> list[Migration]:
    """Return all migrations, first to last: ``migrations/{version}_{what}.sql``."""
    found = []
    for file in (files(_PACKAGE) / "migrations").iterdir():
        if match := _MIGRATION.fullmatch(file.name):
            found.append(Migration(int(match[1]), file.read_text(encoding="utf-8")))
    return sorted(found)
