"""From file and environment to settings: read the tables, then check what they say of each other.

What can be checked within a table is not here: types say it, or the table's own `problems`.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from pathlib import Path

from airslice.config.problems import ConfigError, Problems
from airslice.config.reading import Reader, variables
from airslice.config.settings import Presenter, Settings
from airslice.config.tables import Document


def load(path: Path, environment: Mapping[str, str] | None = None) -> Settings:
    """Read and check the configuration file at `path` and the environment over it.

    Args:
        path: TOML file.
        environment: Instead of the process's own.

    Raises:
        ConfigError: With every problem that was found.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError([f"{path}: no such file; make one with: airslice init {path}"]) from None
    except (OSError, ValueError, RecursionError) as error:  # ValueError: no UTF-8, or no TOML
        raise ConfigError([f"{path}: {error}"]) from error
    problems = Problems()
    given = os.environ if environment is None else environment
    over = variables(given, sections=[field.name for field in fields(Document)])
    document = Reader(problems).table(Document, raw, over, "")
    if document is not None:
        _check_references(document, problems)
    if document is None or problems:
        raise problems.error()
    return Settings(
        server=document.server,
        slicing=document.slicing,
        accounts=document.accounts,
        apps=tuple(table.app() for table in document.apps),
        projects=tuple(table.project() for table in document.projects),
        storage=document.storage,
        presenter=_with_default_voice(document.presenter),
        security=document.security,
    )


def _check_references(document: Document, problems: Problems) -> None:
    """Note names that are given twice, and names that name nothing."""
    accounts = [account.id for account in document.accounts]
    apps = [app.app_id for app in document.apps]
    _check_unique("accounts", "id", accounts, problems)
    _check_unique("accounts", "access_key", (a.access_key for a in document.accounts), problems)
    _check_unique("apps", "app_id", apps, problems)
    _check_unique("projects", "project_id", (p.project_id for p in document.projects), problems)
    for index, app in enumerate(document.apps):
        _check_known(f"apps[{index}].account", app.account, "accounts", accounts, problems)
    for index, project in enumerate(document.projects):
        name = f"projects[{index}]"
        _check_known(f"{name}.account", project.account, "accounts", accounts, problems)
        _check_known(f"{name}.app_id", project.app_id, "apps", apps, problems)
        _check_unique(f"{name}.users", "name", (user.name for user in project.users), problems)


def _check_unique(table: str, key: str, values: Iterable[str], problems: Problems) -> None:
    firsts: dict[str, int] = {}
    for index, value in enumerate(values):
        first = firsts.setdefault(value, index)
        if first != index:
            problems.add(f"{table}[{index}].{key}", f"is that of {table}[{first}] too")


def _check_known(
    name: str, value: str, table: str, known: Iterable[str], problems: Problems
) -> None:
    if value not in known:
        problems.add(name, f"{value!r} is none of the {table}")


def _with_default_voice(presenter: Presenter) -> Presenter:
    """Let Piper's voice for other asset ids be its model, the only one it is sure to have."""
    if presenter.engine != "piper":
        return presenter
    return replace(presenter, default_voice=presenter.piper_model)
