"""Free ports, which a server may give up and have again."""

from __future__ import annotations

import itertools
import os
import random
import socket

_FIRST, _END = 20_000, 32_000
"""Below those that Linux gives to connections (`ip_local_port_range`), which would take the port of
a server while that is down."""

_WORKERS = 16
"""Each worker of pytest-xdist has ports of its own: two cannot find the same one free."""


def _own_ports() -> itertools.cycle[int]:
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _WORKERS
    count = (_END - _FIRST) // _WORKERS
    own = range(_FIRST + worker * count, _FIRST + (worker + 1) * count)
    begin = random.SystemRandom().randrange(count)  # another run may be under way
    return itertools.cycle([*own[begin:], *own[:begin]])


_PORTS = _own_ports()


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """Return a port of loopback that is free; not the same one again for a long while."""
    while True:
        port = next(_PORTS)
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
