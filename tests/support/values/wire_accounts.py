"""Two accounts, and whose the applications are."""

from __future__ import annotations

from airslice.domain.apps import Account

ACCOUNTS = (
    Account(id="2100000000", access_key="AKTEST", secret_key="SKTEST"),
    Account(id="2100000001", access_key="AKOTHER", secret_key="SKOTHER"),
)
OWNERS = {"661e0000000000000005543c": "2100000000", "661e0000000000000000ffff": "2100000001"}
