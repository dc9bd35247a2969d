"""Fuzz the parsers by what code an input reaches, with atheris, for as long as one likes.

atheris is not among what the tests need; install it by hand. From the project's folder:

    PYTHONPATH=src:. python tests/fuzz/coverage_guided.py 60
    PYTHONPATH=src:. python tests/fuzz/coverage_guided.py 600 "SDP offers" "room tokens"

gives each parser, or each that is named, so many seconds in a process of its own, and prints how
many inputs it was given. An input that crashes it is kept in the current folder.
"""

from __future__ import annotations

import importlib
import logging
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

MAX_INPUT_BYTES = 4_096


def main(arguments: list[str]) -> int:
    """Fuzz in one process per parser; return the exit code."""
    seconds, *names = arguments
    crashed = 0
    for name in names or parser_names():
        with tempfile.TemporaryDirectory(prefix="airslice-corpus-") as folder:
            run = subprocess.run(
                [sys.executable, __file__, "--one", name, seconds],
                env={**os.environ, "TMPDIR": folder},
                capture_output=True,
                text=True,
                check=False,
            )
        done = re.findall(r"Done (\d+) runs", run.stderr)
        if done and run.returncode == 0:
            print(f"{name:32} {int(done[0]):>12,} inputs, 0 crashes", flush=True)
        else:
            crashed += 1
            print(f"{name}: crashed\n{run.stderr[-4_000:]}", flush=True)
    return min(crashed, 1)


def parser_names() -> list[str]:
    """Return the names of all parsers."""
    return [parser.name for parser in importlib.import_module("tests.support.fuzz.parsers").PARSERS]


def fuzz_one(name: str, seconds: str) -> None:
    """Fuzz one parser; does not return."""
    atheris: Any = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["airslice"]):
        parsers = importlib.import_module("tests.support.fuzz.parsers").PARSERS
    logging.disable()
    parser = next(parser for parser in parsers if parser.name == name)
    corpus = Path(tempfile.mkdtemp())  # in the folder that the caller removes
    for number, sample in enumerate(parser.samples):
        (corpus / str(number)).write_bytes(sample)
    options = [f"-max_total_time={seconds}", f"-max_len={MAX_INPUT_BYTES}", "-timeout=10"]
    atheris.Setup([sys.argv[0], *options, str(corpus)], parser.take)
    atheris.Fuzz()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        fuzz_one(*sys.argv[2:])
    sys.exit(main(sys.argv[1:]))
