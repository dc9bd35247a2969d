"""A folder for files that parsers read; it goes when the process ends."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from pathlib import Path

FOLDER = Path(tempfile.mkdtemp(prefix="airslice-fuzz-"))

atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)
