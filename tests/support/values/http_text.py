"""Read recorded HTTP requests, without the code under test."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from airslice.facades.http.signatures import SignedRequest

VECTORS = Path(__file__).parents[2] / "vectors"


def read_request(path: Path) -> SignedRequest:
    """Read a `.http` file: request line and headers, an empty line, the exact body."""
    head, _, body = path.read_bytes().partition(b"\n\n")
    request_line, *header_lines = head.decode().splitlines()
    method, target, _ = request_line.split(" ")
    url = urlsplit(target)
    headers = dict(line.split(": ", 1) for line in header_lines)
    return SignedRequest(
        method=method,
        path=url.path.encode(),
        query=parse_qsl(url.query, keep_blank_values=True),
        headers={name.lower(): value for name, value in headers.items()},
        body=body,
    )


def read_text(path: Path) -> str:
    """Read a text vector, less the line feed that ends the file."""
    return path.read_bytes().decode().removesuffix("\n")
