"""From file and environment to settings: read the tables, then check what they say of each other.

What can be checked within a table is not here: types say it, or the table's own `problems`.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace
from pathlib import Path

from airslice.config.reading import Reader, variables
from airslice.config.settings import Settings
from airslice.config.tables import Document

Note = Callable[[str, str], None]
"""Takes the full name of a setting, and what is wrong with it."""


class ConfigError(Exception):
    """A configuration that cannot be used: its problems, each beginning with a setting's name."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def load(path: Path, environment: Mapping[str, str] | None = None) -> Settings:
    """Read and check the TOML file at `path`, and the environment, or the process's own, over it.

    Raises:
        ConfigError: With every problem that was found.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError([f"{path}: no such file; make one with: airslice init {path}"]) from None
    except (OSError, ValueError, RecursionError) as error:  # ValueError: no UTF-8, or no TOML
        raise ConfigError([f"{path}: {error}"]) from error
    given = os.environ if environment is None else environment
    over = variables(given, sections=[field.name for field in fields(Document)])
    reader = Reader()
    document = reader.table(Document, raw, over, "")
    if document is not None:
        _check_references(document, reader.note)
    if document is None or reader.problems:
        raise ConfigError(reader.problems)
    presenter = document.presenter
    if presenter.engine == "piper":  # its model is the only voice that it is sure to have
        presenter = replace(presenter, default_voice=presenter.piper_model)
    return Settings(
        server=document.server,
        slicing=document.slicing,
        accounts=document.accounts,
        apps=tuple(table.app() for table in document.apps),
        projects=tuple(table.project() for table in document.projects),
        storage=document.storage,
        presenter=presenter,
        security=document.security,
    )


def _check_references(document: Document, note: Note) -> None:
    """Note names that are given twice, and names that name nothing."""
    accounts = [account.id for account in document.accounts]
    apps = [app.app_id for app in document.apps]
    _check_unique("accounts", "id", accounts, note)
    _check_unique("accounts", "access_key", (a.access_key for a in document.accounts), note)
    _check_unique("apps", "app_id", apps, note)
    _check_unique("projects", "project_id", (p.project_id for p in document.projects), note)
    for index, app in enumerate(document.apps):
        _check_known(f"apps[{index}].account", app.account, "accounts", accounts, note)
    for index, project in enumerate(document.projects):
        name = f"projects[{index}]"
        _check_known(f"{name}.account", project.account, "accounts", accounts, note)
        _check_known(f"{name}.app_id", project.app_id, "apps", apps, note)
        _check_unique(f"{name}.users", "name", (user.name for user in project.users), note)


def _check_unique(table: str, key: str, values: Iterable[str], note: Note) -> None:
    firsts: dict[str, int] = {}
    for index, value in enumerate(values):
        first = firsts.setdefault(value, index)
        if first != index:
            note(f"{table}[{index}].{key}", f"is that of {table}[{first}] too")


def _check_known(name: str, value: str, table: str, known: Iterable[str], note: Note) -> None:
    if value not in known:
        note(name, f"{value!r} is none of the {table}")
