"""Requests that never come to their content, on raw sockets."""

from __future__ import annotations

import socket

import pytest

from tests.support.server.running_server import RunningServer
from tests.support.waiting import PATIENCE_S

PIECES = 30
PIECE_BYTES = 1_000_000
MAX_GROWTH_KB = 20_000

CHUNKED = b"POST /?Action=A HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("begin", "piece"),
    [
        pytest.param(b"GET /?Action=", b"%", id="a request line"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\nA: ", b"a", id="a header"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\n", b"A: b\r\n", id="headers"),
        pytest.param(CHUNKED + b"1;", b"a", id="a chunk's extension"),
        pytest.param(CHUNKED + b"0\r\n", b"A: b\r\n", id="trailers"),
    ],
)
def test_what_never_ends_is_refused_and_not_kept(
    begin: bytes, piece: bytes, attacked: RunningServer
) -> None:
    memory_kb = attacked.memory_kb()

    with socket.create_connection(attacked.settings.server.http, timeout=PATIENCE_S) as peer:
        peer.sendall(begin)
        taken = pieces_taken(peer, piece * (PIECE_BYTES // len(piece)))

    assert taken < PIECES
    assert attacked.memory_kb() - memory_kb < MAX_GROWTH_KB


def pieces_taken(peer: socket.socket, piece: bytes) -> int:
    """Send until the connection is closed; return how much that was."""
    for number in range(PIECES):
        try:
            peer.sendall(piece)
        except ConnectionError:
            return number
    return PIECES


def test_a_head_of_usual_size_is_taken(attacked: RunningServer) -> None:
    with socket.create_connection(attacked.settings.server.http, timeout=PATIENCE_S) as peer:
        for _ in range(3):  # on one connection, so that nothing adds up
            peer.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 30_000 + b"\r\n\r\n")
            answer = b""
            while not answer.endswith(b"ok\n"):
                answer += peer.recv(4_096)
            assert answer.startswith(b"HTTP/1.1 200 ")
