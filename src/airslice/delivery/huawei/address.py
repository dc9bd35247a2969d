"""Where owners' addresses may lead: by https anywhere, by http into listed networks only."""

from __future__ import annotations

from collections.abc import Mapping

from yarl import URL

from airslice.delivery.destination import validate_url
from airslice.domain.destination import AddressRule


def rules_of(rule: AddressRule) -> Mapping[str, AddressRule]:
    """Return where addresses of each scheme may lead."""
    return {"https": rule, "http": rule.only_listed()}


def validate_live_url(url: str, rule: AddressRule) -> URL:
    """Return the parsed form of an address.

    A host name is judged only when it is dialled, see `validate_url`.

    Raises:
        DestinationRefused: it must not be called.
    """
    return validate_url(url, rules_of(rule)[validate_url(url, rule).scheme])
