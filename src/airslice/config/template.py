"""The configuration file that `airslice init` writes."""

from __future__ import annotations

import base64
import secrets
from importlib.resources import files
from string import Template


def fresh_config() -> str:
    """Return a commented configuration with keys that nobody else has."""
    template = files("airslice.config").joinpath("airslice.toml.template")
    return Template(template.read_text(encoding="utf-8")).substitute(
        master_key=base64.b64encode(secrets.token_bytes(32)).decode(),
        admin_password=secrets.token_urlsafe(12),
        account_id=str(2_100_000_000 + secrets.randbelow(10**8)),
        access_key=f"AK{secrets.token_hex(16)}",
        secret_key=f"SK{secrets.token_hex(24)}",
        app_id=secrets.token_hex(12),
        app_key=secrets.token_hex(16),
        callback_secret=secrets.token_hex(16),
        project_id=secrets.token_hex(16),
    )
