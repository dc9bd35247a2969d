"""Which addresses a user's URL may lead to: not into the operator's own network, unless listed.

This judges addresses, not names: the caller resolves a name once, asks about each address, and
dials one that is permitted.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

_NAT64 = IPv6Network("64:ff9b::/96")
"""Well-known prefix under which an IPv6-only host reaches IPv4 addresses (RFC 6052)."""

_TUNNELS = (
    IPv6Network("64:ff9b:1::/48"),  # NAT64 of one's own network (RFC 8215)
    IPv6Network("2001::/32"),  # Teredo (RFC 4380)
    IPv6Network("2002::/16"),  # 6to4 (RFC 3056)
)
"""IPv6 ranges that lead to IPv4 addresses which cannot be judged here."""


class AddressRule:
    """Permits public addresses, and those of listed private networks.

    Args:
        private_networks: The listed networks in CIDR notation, as ``10.0.0.0/8`` or ``::1/128``.
        is_public_permitted: Whether public addresses are permitted.

    Raises:
        ValueError: one of them is not a network.
    """

    def __init__(
        self, private_networks: Iterable[str] = (), *, is_public_permitted: bool = True
    ) -> None:
        self._private_networks = tuple(ip_network(network) for network in private_networks)
        self._is_public_permitted = is_public_permitted

    def only_listed(self) -> AddressRule:
        """Return the rule that permits the listed networks alone."""
        return AddressRule(map(str, self._private_networks), is_public_permitted=False)

    def permits(self, address: str) -> bool:
        """Whether `address`, an IPv4 or IPv6 literal, may be dialled; other text may not."""
        try:
            destination = _unwrapped(ip_address(address))
        except ValueError:
            return False
        listed = any(destination in network for network in self._private_networks)
        return listed or (self._is_public_permitted and _is_public(destination))


def is_http_url(text: str) -> bool:
    """Whether `text` is an http or https URL that names a host."""
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _unwrapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address that an IPv6 address embeds, or else `address` itself."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address) and (
        address.is_site_local or any(address in network for network in _TUNNELS)
    ):
        return False
    # `is_global` alone leaves multicast in.
    return address.is_global and not (address.is_multicast or address.is_reserved)
