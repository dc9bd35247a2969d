"""docs/architecture.md names files, names in them and imports: all of them are as it says."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
SOURCE = PROJECT / "src" / "airslice"
DOCUMENT = PROJECT / "docs" / "architecture.md"
TEXT = DOCUMENT.read_text(encoding="utf-8")
PROSE, PICTURE, REST = TEXT.partition("```\n")[0], *TEXT.split("```\n")[1:]
LINKS = [
    (" ".join(label.split()), target)
    for label, target in re.findall(r"\[([^\]]+)\]\(([^)]+)\)", PROSE + REST)
]
NAMED = [(found[1], target) for label, target in LINKS if (found := re.match(r"`(.+?)`", label))]


def names_in(body: list[ast.stmt]) -> dict[str, list[ast.stmt]]:
    """Return what a module or class defines: the statements within each name."""
    names: dict[str, list[ast.stmt]] = {}
    for node in body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            names[node.name] = node.body
        elif isinstance(node, ast.Assign):
            names.update({target.id: [] for target in node.targets if isinstance(target, ast.Name)})
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names[node.target.id] = []
    return names


def is_defined(name: str, path: Path) -> bool:
    """Whether a file defines `name`, which may be that of a class's member, or a statement."""
    if path.suffix == ".sql":
        return f"-- {name} --" in path.read_text(encoding="utf-8")
    body = ast.parse(path.read_text(encoding="utf-8")).body
    for part in name.split("."):
        names = names_in(body)
        if part not in names:
            return False
        body = names[part]
    return True


def packages_in(directory: Path) -> set[str]:
    """Return the names of the packages and modules right below a package."""
    found = {path.parent.name for path in directory.glob("*/__init__.py")}
    return found | {path.stem for path in directory.glob("[!_]*.py")}


def layers_of(container: str) -> list[list[str]]:
    """Return the layers that import-linter checks below a package, from the top."""
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    for contract in settings["tool"]["importlinter"]["contracts"]:
        if contract["type"] == "layers" and contract["containers"] == [container]:
            return [layer.split(" | ") for layer in contract["layers"]]
    raise LookupError(container)


def drawn_layers(lines: list[str]) -> list[list[str]]:
    """Return the names that begin each line of a picture, where they are separated by bars."""
    names = r"\w+(?: \| \w+)*"
    found = (re.match(rf"[ │]*({names})(?=  |$)", line) for line in lines)
    return [match[1].split(" | ") for match in found if match]


def imports_within_application() -> dict[str, set[str]]:
    """Return which parts of `application` each part imports."""
    package = "airslice.application."
    found: dict[str, set[str]] = {}
    for path in sorted((SOURCE / "application").rglob("*.py")):
        part = path.relative_to(SOURCE / "application").parts[0].removesuffix(".py")
        imported = found.setdefault(part, set())
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(package):
                imported.add((node.module or "").removeprefix(package).partition(".")[0])
        imported.discard(part)
    return {part: imported for part, imported in found.items() if imported}


@pytest.mark.parametrize("target", sorted({target for _, target in LINKS}))
def test_a_link_leads_to_a_file_or_folder(target: str) -> None:
    assert (DOCUMENT.parent / target).resolve().is_relative_to(PROJECT)
    assert (DOCUMENT.parent / target).exists()


@pytest.mark.parametrize(("name", "target"), sorted(set(NAMED)))
def test_a_name_is_defined_in_the_file_that_it_links_to(name: str, target: str) -> None:
    assert is_defined(name, DOCUMENT.parent / target)


def test_a_path_that_is_a_links_text_is_that_of_its_target() -> None:
    paths = [
        (label, target) for label, target in LINKS if "`" not in label and re.search("[./]", label)
    ]

    assert [(label, target) for label, target in paths if not target.endswith(label)] == []
    assert len(paths) > 10


def test_names_with_a_path_are_links() -> None:
    unlinked = re.sub(r"\[[^\]]+\]\([^)]+\)", "", PROSE + REST)
    spans = re.findall(r"`([^`]+)`", unlinked)

    assert [span for span in spans if re.search(r"\w[./]\w", span)] == []


def test_the_walks_name_what_they_pass() -> None:
    assert len(set(NAMED)) > 80


def test_the_picture_shows_the_layers_that_are_checked() -> None:
    lines = PICTURE.splitlines()
    outer = [line for line in lines if not line.startswith("  │")]
    begin = next(n for n, line in enumerate(lines) if line.startswith(" application"))
    inner = [line for line in lines[begin + 1 :] if line.startswith("  │   ")]

    assert drawn_layers(outer) == layers_of("airslice")
    assert drawn_layers(inner) == layers_of("airslice.application")
    for layer in layers_of("airslice.facades"):
        assert " | ".join(layer) in PICTURE


@pytest.mark.parametrize("directory", [SOURCE, SOURCE / "application"], ids=lambda path: path.name)
def test_the_picture_has_every_package(directory: Path) -> None:
    assert packages_in(directory) <= set(re.findall(r"\w+", PICTURE))


def test_the_table_lists_the_imports_of_the_use_cases() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (`.+`) \|$", TEXT, re.MULTILINE)
    listed = {part: set(re.findall(r"`(\w+)`", imports)) for part, imports in rows}

    assert listed == imports_within_application()
