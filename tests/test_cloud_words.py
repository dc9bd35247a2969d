"""A cloud's codes and JSON keys stand in its façade and its delivery package, nowhere else.

What is not looked for: words of plain English in lower case, which are nobody's own, and names that
are also fields of our domain. Docstrings and comments may name what they are about, but no codes.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

import airslice
from airslice.facades.huawei.openapi import openapi_document as huawei_document
from airslice.facades.huawei.operations import OPERATIONS as HUAWEI_OPERATIONS
from airslice.facades.volcengine.openapi import openapi_document as volcengine_document
from airslice.facades.volcengine.operations import OPERATIONS as VOLCENGINE_OPERATIONS

SOURCE = Path(airslice.__file__).parent

EDGES = {"facades", "delivery", "demo", "config"}
"""Where the words belong. The demo is a client of the wires, and the configuration file's storage
table is that of a StartSegment."""

CODE = "MSS."
WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
COMPOSED = re.compile(r"[a-z0-9]+(_[a-z0-9]+)+|[A-Za-z][a-z0-9]+([A-Z][a-z0-9]*)+")
"""Of several words, so that it is a name wherever it stands."""
CAPITALISED = re.compile(r"[A-Z][a-z]+")
"""One word, which is a name where it stands alone."""


def outside() -> list[Path]:
    """Return the modules in which no cloud's words may stand."""
    paths = sorted(SOURCE.rglob("*.py"))
    return [path for path in paths if path.relative_to(SOURCE).parts[0] not in EDGES]


def properties(document: object) -> Iterator[str]:
    """Yield the names of all properties of JSON objects in an OpenAPI document."""
    if isinstance(document, dict):
        yield from document.get("properties", {})
        for value in document.values():
            yield from properties(value)
    elif isinstance(document, list):
        for value in document:
            yield from properties(value)


def written_keys(path: Path) -> Iterator[str]:
    """Yield the keys of the objects that a module writes."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Dict):
            for key in node.keys:
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    yield key.value


def domain_fields() -> Iterator[str]:
    """Yield the names of all fields of the domain's values."""
    for path in (SOURCE / "domain").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                yield node.target.id


def wire_keys() -> frozenset[str]:
    """Return the clouds' JSON keys that are not our words too."""
    documents: list[Any] = [
        huawei_document(HUAWEI_OPERATIONS, version=""),
        volcengine_document(VOLCENGINE_OPERATIONS),
    ]
    keys = {key for document in documents for key in properties(msgspec.to_builtins(document))}
    for place in ("delivery/*/*.py", "facades/huawei/*.py", "facades/whip/live_messages.py"):
        for path in SOURCE.glob(place):
            keys.update(key for key in written_keys(path) if WORD.fullmatch(key))
    return frozenset(keys) - set(domain_fields())


KEYS = wire_keys()
COLUMNS = frozenset(
    word
    for path in (SOURCE / "persistence").rglob("*.sql")
    for word in WORD.findall(path.read_text())
)
"""Persistence's own words: they name what its files have."""


def violations(source: str, *, allowed: frozenset[str] = frozenset()) -> list[str]:
    """Return the clouds' words in a module, with the lines on which they stand."""
    found = [f"{n}: {CODE}" for n, line in enumerate(source.splitlines(), 1) if CODE in line]
    tree = ast.parse(source)
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    keys = KEYS - allowed
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if id(node) in docstrings:
                continue
            names = {word for word in WORD.findall(node.value) if COMPOSED.fullmatch(word)}
            alone = node.value.strip(".")
            if CAPITALISED.fullmatch(alone):
                names.add(alone)
            found += [f"{node.lineno}: {name}" for name in sorted(names & keys)]
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "InvalidInput"
            and isinstance(node.args[0], ast.Constant | ast.JoinedStr)
        ):
            found.append(f"{node.lineno}: InvalidInput of a field that is not in domain.fields")
    return found


@pytest.mark.parametrize("path", outside(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_no_clouds_words_stand_inside(path: Path) -> None:
    is_persistence = path.relative_to(SOURCE).parts[0] == "persistence"

    assert violations(path.read_text(), allowed=COLUMNS if is_persistence else frozenset()) == []


@pytest.mark.parametrize(
    "source",
    [
        'GENERAL = JobFault("MSS.47000001")',
        "# as MSS.47000001 says",
        'facts["shoot_script_title"]',
        'f"scene_scripts.{name}"',
        'raise QuotaExceeded("output_urls has too many")',
        '{"message_type": "state"}',
        '{"EventType": 1}',
        'f"{path}.Bucket"',
        'keys = ("Duration", "Control")',
        '"numberOfViewers" in given',
        'raise InvalidInput("anything", "is wrong")',
        'raise InvalidInput(f"at[{n}]", "is wrong")',
    ],
)
def test_each_kind_of_word_is_found(source: str) -> None:
    assert violations(source)


@pytest.mark.parametrize(
    "source",
    [
        '"""The owner\'s shoot_scripts, see StorageConfig."""',
        "# a TosConfig",
        'row["room_id"]',
        'raise InvalidInput(SliceField.DURATION, "is wrong")',
        '"the duration of a Bucket is not a state"',
        'given["state"]',
    ],
)
def test_our_own_words_are_not(source: str) -> None:
    assert violations(source) == []


def test_the_keys_of_both_clouds_are_looked_for() -> None:
    assert len(KEYS) > 250
    assert {"scene_scripts", "TosConfig", "EventData", "shoot_script_sequence_no"} <= KEYS
