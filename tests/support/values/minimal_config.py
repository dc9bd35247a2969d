"""The shortest configuration that an application can be served with."""

from __future__ import annotations

import base64

KEY = base64.b64encode(bytes(range(32))).decode()

MINIMAL = f"""
[server]
master_key = "{KEY}"

[[accounts]]
id = "2100000000"
access_key = "AK"
secret_key = "the-secret-key"

[[apps]]
app_id = "123456781234567812345678"
app_key = "the-app-key"
account = "2100000000"
"""
