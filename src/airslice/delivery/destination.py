"""Dials only where an AddressRule permits, whatever a name resolves to and whenever."""

from __future__ import annotations

import socket
from ipaddress import ip_address

from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from airslice.domain.destination import AddressRule

MAX_URL_CHARS = 2_048


class DestinationRefused(ValueError):
    """A URL that must not be called; the message says why."""


def validate_url(url: str, rule: AddressRule) -> URL:
    """Return the parsed form of a URL that a user gave.

    A host name is judged only when it is dialled, by `PermittedResolver`; dial exactly what is
    returned, so that nothing is parsed twice in two ways.

    Raises:
        DestinationRefused: it is no absolute http or https URL, carries credentials, or its host
            is an address that `rule` does not permit.
    """
    if len(url) > MAX_URL_CHARS:
        raise DestinationRefused(f"longer than {MAX_URL_CHARS} characters")
    try:
        parsed = URL(url)
        host = parsed.host
    except (ValueError, IndexError):  # the latter of yarl's parser, for "http://[::1]:@"
        raise DestinationRefused("not a URL") from None
    if parsed.scheme not in ("http", "https") or not host:
        raise DestinationRefused("not an absolute http or https URL")
    if parsed.user is not None or parsed.password is not None:
        raise DestinationRefused("carries a user name or password")
    if _is_address(host) and not rule.permits(host):
        raise DestinationRefused(f"{host} is not a public address")
    return parsed


class PermittedResolver(AbstractResolver):
    """Resolves names to the addresses that a rule permits, and to no others.

    aiohttp dials what this returns, so no second lookup can swap the address. It does not ask a
    resolver about hosts that are addresses already: `validate_url` judges those.
    """

    def __init__(self, names: AbstractResolver, rule: AddressRule) -> None:
        self._names = names
        self._rule = rule

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the permitted addresses of `host`.

        Raises:
            DestinationRefused: it cannot be a host name, or none of its addresses is permitted.
            OSError: the name cannot be resolved.
        """
        try:
            found = await self._names.resolve(host, port, family)
        except UnicodeError:  # of the IDNA codec, for a label that is empty or too long
            raise DestinationRefused(f"{host} is not a host name") from None
        permitted = [result for result in found if self._rule.permits(result["host"])]
        if found and not permitted:
            raise DestinationRefused(f"{host} has no public address")
        return permitted

    async def close(self) -> None:
        """Release the underlying resolver."""
        await self._names.close()


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
