"""Posts the events of live jobs over HTTP."""

from __future__ import annotations

from yarl import URL

from airslice.delivery.huawei.address import rules_of
from airslice.delivery.huawei.owner_event import owner_event_body
from airslice.delivery.huawei.signing import authenticated
from airslice.delivery.posting import HttpPoster, Message
from airslice.domain.callback import CallbackEvent
from airslice.domain.outbox import Gone, Outcome
from airslice.domain.owner_event import CallbackAuth, LiveCallback


class HttpOwnerEventSender(HttpPoster):
    """An OwnerEventSender that posts over HTTP; any status of 2xx within 5 s is success."""

    rules_of = staticmethod(rules_of)

    async def send(self, event: CallbackEvent, callback: LiveCallback) -> Outcome:
        """Post one event, once; the outcome never tells the URL, which may hold a secret."""
        if callback.auth is CallbackAuth.MEITUAN:
            return Gone(reason="how MEITUAN_DEFAULT signs is not known")

        def written(url: URL, now_s: int) -> Message:
            signed_url, headers = authenticated(url, callback, now_s)
            return Message(signed_url, owner_event_body(event), headers)

        return await self.post(callback.url, written)
