"""Posts the events of live jobs over HTTP."""

from __future__ import annotations

from aiohttp.abc import AbstractResolver
from yarl import URL

from airslice.application.ports.clock import Clock
from airslice.delivery.huawei.address import rules_of
from airslice.delivery.huawei.owner_event import owner_event_body
from airslice.delivery.huawei.signing import authenticated
from airslice.delivery.posting import HttpPoster, Message
from airslice.domain.callback import TRY_TIMEOUT_S, CallbackEvent
from airslice.domain.destination import AddressRule
from airslice.domain.outbox import Gone, Outcome
from airslice.domain.owner_event import CallbackAuth, LiveCallback


class HttpOwnerEventSender:
    """An OwnerEventSender that posts over HTTP, see `HttpPoster`.

    Any status of 2xx within 5 s is success.

    Args:
        clock: Dates each try.
        rule: Where addresses may lead; those with http only into the networks that it lists.
        names: Resolves host names; the system's resolver by default.
        timeout_s: How long a receiver has.
    """

    def __init__(
        self,
        clock: Clock,
        rule: AddressRule,
        *,
        names: AbstractResolver | None = None,
        timeout_s: float = TRY_TIMEOUT_S,
    ) -> None:
        self._clock = clock
        self._posters = {
            scheme: HttpPoster(
                permitted,
                names=names,
                timeout_s=timeout_s,
                is_success=lambda status: 200 <= status < 300,
            )
            for scheme, permitted in rules_of(rule).items()
        }

    async def close(self) -> None:
        """Close the connections; nothing comes after this."""
        for poster in self._posters.values():
            await poster.close()

    async def send(self, event: CallbackEvent, callback: LiveCallback) -> Outcome:
        """Post one event, once; the outcome never tells the URL, which may hold a secret."""
        if callback.auth is CallbackAuth.MEITUAN:
            return Gone(reason="how MEITUAN_DEFAULT signs is not known")

        def written(url: URL) -> Message:
            now_s = self._clock.utc_ns() // 1_000_000_000
            signed_url, headers = authenticated(url, callback, now_s)
            headers = {"Content-Type": "application/json", **headers}
            return Message(signed_url, owner_event_body(event), headers, now_s)

        poster = self._posters["http" if callback.url.lower().startswith("http:") else "https"]
        return await poster.post(callback.url, written)
