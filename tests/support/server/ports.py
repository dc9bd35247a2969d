"""Ports that can be given up and had again."""

from __future__ import annotations

import random
import socket

_RANGE = range(20_000, 32_000)
"""Below those that Linux gives to connections (`ip_local_port_range`), which would take the port of
a server while that is down."""


def lasting_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """Return a port of loopback that is free."""
    while True:
        port = random.choice(_RANGE)
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
