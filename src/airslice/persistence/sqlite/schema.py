"""Opens a database file: sets it up, brings its schema up to date, and checks the master key.

The steps of the schema are in migrations/.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from airslice.persistence.sqlite.secrets import SecretBox, SecretUnreadable
from airslice.persistence.sqlite.statements import migrations

BUSY_TIMEOUT_MS = 5_000
"""How long a write waits for another program that has the file locked, such as a backup."""

_KEY_CHECK = "master key check"


class DatabaseUnusable(Exception):
    """Raised for a file that is no database of this release, or has another master key."""


def open_database(path: Path, box: SecretBox) -> sqlite3.Connection:
    """Open the database at `path`, made if it is missing, and bring its schema up to date.

    A committed transaction survives a power failure (WAL with synchronous=FULL); commits are
    grouped, so that the flush each of them costs does not limit the number of writes.

    Raises:
        DatabaseUnusable: the file cannot be used; the message says why and what to do.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)  # SQLite gives its WAL the same mode
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.row_factory = sqlite3.Row
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        _migrate(connection, path)
        _check_master_key(connection, path, box)
    except sqlite3.DatabaseError as error:
        connection.close()
        raise DatabaseUnusable(f"{path}: {error}") from error
    except BaseException:
        connection.close()
        raise
    return connection


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    known = migrations()
    if version > known[-1].version:
        raise DatabaseUnusable(f"{path} was written by a newer release (schema {version})")
    for migration in known:
        if migration.version > version:
            connection.executescript(
                f"BEGIN IMMEDIATE; {migration.script}"
                f"; PRAGMA user_version = {migration.version}; COMMIT;"
            )


def _check_master_key(connection: sqlite3.Connection, path: Path, box: SecretBox) -> None:
    row = connection.execute("SELECT value FROM meta WHERE name = ?", (_KEY_CHECK,)).fetchone()
    if row is None:
        connection.execute(
            "INSERT INTO meta (name, value) VALUES (?, ?)",
            (_KEY_CHECK, box.seal(b"", context=_KEY_CHECK)),
        )
        return
    try:
        box.unseal(row["value"], context=_KEY_CHECK)
    except SecretUnreadable:
        raise DatabaseUnusable(
            f"{path} was written with another master_key; without that key its stored storage "
            "secrets cannot be read"
        ) from None
