"""How long the fault tests are."""

from __future__ import annotations

import os

IS_LONG = os.environ.get("AIRSLICE_TEST_FAULTS", "") == "long"
"""Whether the long forms run, as in `make test-faults`."""

KILLS = int(os.environ.get("AIRSLICE_TEST_KILLS", "200" if IS_LONG else "5"))
