"""`python -m airslice` is the command `airslice`."""

from __future__ import annotations

import sys

from airslice.cli import main

sys.exit(main())
