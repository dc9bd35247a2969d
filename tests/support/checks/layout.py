"""What `make lint` asks of the layout: modules have their tests, and nothing grows too long.

A module's tests are at its own path under `tests`: those of `src/airslice/a/b.py` in
`tests/a/test_b.py`. Modules in which nothing runs (Protocols, values, tables) need none.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[3]
SOURCE = ROOT / "src" / "airslice"
TESTS = ROOT / "tests"

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 40

TESTED_ELSEWHERE: Mapping[str, str] = {
    # Each is an implementation of a port, and nothing else: the port's contract is run on it.
    "persistence/sqlite/bans.py": "tests/contracts/test_ban_store_contract.py",
    "persistence/sqlite/callback_settings.py": (
        "tests/contracts/test_callback_setting_store_contract.py"
    ),
    "persistence/sqlite/live_commands.py": "tests/contracts/test_live_resource_stores_contract.py",
    "persistence/sqlite/live_resources.py": "tests/contracts/test_live_resource_stores_contract.py",
    "persistence/sqlite/live_rooms.py": "tests/contracts/test_live_room_store_contract.py",
    "persistence/sqlite/outbox.py": "tests/contracts/test_outbox_contract.py",
    "persistence/sqlite/presences.py": "tests/contracts/test_presence_store_contract.py",
    # The other half of the list that live_job_index.py keeps: what it finds is that one's input.
    "persistence/sqlite/live_job_rooms.py": "tests/contracts/test_live_job_store_contract.py",
    # These run in processes of their own, which only the engine and the pool reach.
    "presenter/espeak_speaker.py": "tests/presenter/test_espeak.py",
    "presenter/piper_speaker.py": "tests/presenter/test_piper.py",
    "presenter/speaker_process.py": "tests/presenter/test_speaker_pool.py",
    # Speaks through the processes above.
    "presenter/process_engine.py": "tests/presenter/test_espeak.py",
    # Half of a publisher's and of a listener's session, which are tested over real sockets.
    "engines/embedded/control.py": "tests/engines/embedded/test_sending.py",
    # Both clouds' senders are this, and their own words.
    "delivery/posting.py": "tests/delivery/volcengine/test_callback_sender.py",
}
"""Modules whose tests are elsewhere, and where; the comment before them says why."""


def untested() -> Iterator[str]:
    """Yield what to say of each module that has no tests, and of each exception that is none."""
    for path in sorted(SOURCE.rglob("*.py")):
        module = path.relative_to(SOURCE)
        tests = TESTS / module.with_name(f"test_{module.name}")
        excepted = str(module) in TESTED_ELSEWHERE
        if tests.exists():
            if excepted:
                yield f"src/airslice/{module}: has its tests, and is excepted all the same"
        elif not excepted and path.stem not in ("__init__", "__main__") and runs(path):
            yield f"src/airslice/{module}: has no {tests.relative_to(ROOT)}"
    for module_name, elsewhere in TESTED_ELSEWHERE.items():
        for path in (SOURCE / module_name, ROOT / elsewhere):
            if not path.exists():
                yield f"{path.relative_to(ROOT)}: is named in an exception, and does not exist"


def runs(path: Path) -> bool:
    """Whether a module has a function that does something."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return any(
        isinstance(node, functions) and not all(map(is_nothing, node.body))
        for node in ast.walk(ast.parse(path.read_text()))
    )


def is_nothing(statement: ast.stmt) -> bool:
    """Whether a statement is a docstring, `...` or `pass`."""
    is_constant = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return is_constant or isinstance(statement, ast.Pass)


def too_long() -> Iterator[str]:
    """Yield what to say of each file and function of the source that has too many lines."""
    for path in sorted(SOURCE.rglob("*.py")):
        text = path.read_text()
        lines = text.count("\n")
        if lines > MAX_FILE_LINES:
            yield f"{path.relative_to(ROOT)}: has {lines} lines, the most is {MAX_FILE_LINES}"
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > MAX_FUNCTION_LINES:
                place = f"{path.relative_to(ROOT)}:{node.lineno}"
                yield f"{place}: {node.name} has {lines} lines, the most is {MAX_FUNCTION_LINES}"


def imports_of_tests() -> Iterator[str]:
    """Yield what to say of each import from a test module or a conftest."""
    for path in sorted(TESTS.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Import | ast.ImportFrom):
                continue
            names = [alias.name for alias in node.names]
            if isinstance(node, ast.ImportFrom):
                names = [f"{node.module}.{name}" for name in names]
            if any(is_test(name) for name in names):
                place = f"{path.relative_to(ROOT)}:{node.lineno}"
                yield f"{place}: imports {names[0]}; what tests share is in tests/support"


def is_test(name: str) -> bool:
    """Whether a dotted name is that of a test module or a conftest."""
    parts = name.split(".")
    return parts[0] == "tests" and any(p == "conftest" or p.startswith("test_") for p in parts)


def main() -> int:
    """Print what is wrong; return the exit code."""
    found = [*untested(), *too_long(), *imports_of_tests()]
    for line in found:
        print(line, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
