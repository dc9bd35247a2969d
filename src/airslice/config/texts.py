"""Texts of the configuration that stand for something else: addresses, networks, URLs and keys.

Each function returns what its text stands for, or raises ValueError with what is wrong, without the
text itself, which may be a secret. They stand in `Annotated` types, where `reading` finds them.
"""

from __future__ import annotations

import base64
import binascii
from ipaddress import ip_address, ip_network
from typing import NamedTuple

from airslice.domain.destination import is_http_url
from airslice.domain.room import is_valid_id

MASTER_KEY_BYTES = 32
HTTP_URL_RULE = "expected an http or https URL"


class Address(NamedTuple):
    """Where a socket listens, or is reached."""

    host: str
    """Name or IP address, without brackets."""
    port: int

    def __str__(self) -> str:
        """As written in a URL."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def address(text: str) -> Address:
    """Return the address that `host:port` or `[IPv6]:port` names."""
    host, _, port = text.rpartition(":")
    is_port = port.isascii() and port.isdigit() and int(port) <= 65_535
    if host.startswith("[") and host.endswith("]"):
        host = ip(host[1:-1])
    elif not host or ":" in host:  # an IPv6 address needs brackets
        is_port = False
    if not is_port:
        raise ValueError("expected host:port, such as 127.0.0.1:8080 or [::1]:8080")
    return Address(host, int(port))


def media_address(text: str) -> Address:
    """Return the address that `IPv4:port` or `[IPv6]:port` names."""
    found = address(text)
    return found._replace(host=ip(found.host))


def ip(text: str) -> str:
    """Return an IP address in its usual spelling."""
    try:
        return str(ip_address(text))
    except ValueError:
        raise ValueError("expected an IP address") from None


def network(text: str) -> str:
    """Return a network in CIDR notation in its usual spelling."""
    return str(ip_network(text))


def http_url(text: str) -> str:
    """Return an http or https URL as it is."""
    if not is_http_url(text):
        raise ValueError(HTTP_URL_RULE)
    return text


def app_id(text: str) -> str:
    """Return the id of an RTC application as it is."""
    if not is_valid_id(text):
        raise ValueError("expected 1 to 128 of a-z A-Z 0-9 _ @ - .")
    return text


def master_key(text: str) -> bytes:
    """Return the key that base64 spells."""
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != MASTER_KEY_BYTES:
        raise ValueError(
            f"expected {MASTER_KEY_BYTES} bytes in base64; make some with:"
            f" openssl rand -base64 {MASTER_KEY_BYTES}"
        )
    return key
