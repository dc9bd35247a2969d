"""What a broadcast's audience does: wire structs, and the operation that reports it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Annotated

from msgspec import Meta

from airslice.domain.errors import InvalidInput
from airslice.domain.live_command import AudienceEvent
from airslice.facades.huawei.calls import Call
from airslice.facades.huawei.fields import Name, Wire
from airslice.facades.huawei.rules import ReviewConfig

MAX_EVENTS = 1_000
MAX_EVENT_MS = 4_102_415_999_000


FACTS: Mapping[int, Mapping[str, type]] = {
    1: {"user": dict, "content": str},  # somebody comments
    2: {"user": dict},  # … enters
    3: {"user": dict},  # … likes it
    4: {"user": dict, "gift": dict},  # … gives something
    6: {"numberOfViewers": int},
}
"""What the content of an event has, by its type, and of which JSON type that is."""


class LiveEvent(Wire, frozen=True, kw_only=True):
    """Something that the audience did."""

    timestamp: Annotated[int, Meta(ge=0, le=MAX_EVENT_MS)]
    type: Annotated[int, Meta(ge=0, le=100)] | None = None
    content: Annotated[str, Meta(max_length=8_192)] | None = None

    def event(self, field: str) -> AudienceEvent:
        """Return what is given; types without a meaning may say anything.

        Raises:
            InvalidInput: the content, which stands at `field` of the request, does not say what
                the event's type is about.
        """
        event_type, text = self.type or 0, self.content or ""
        if text or event_type in FACTS:
            content = _json_object(text, field)
            for name, kind in FACTS.get(event_type, {}).items():
                if type(content.get(name)) is not kind:
                    raise InvalidInput(field, f"must have a {name} for type {event_type}")
        return AudienceEvent(timestamp_ms=self.timestamp, type=event_type, content=text)


def _json_object(text: str, field: str) -> dict[str, object]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidInput(field, "must be JSON text") from None
    if not isinstance(content, dict):
        raise InvalidInput(field, "must be a JSON object")
    return content


class ReportLiveEventReq(Wire, frozen=True, kw_only=True):
    """What the audience did."""

    total: Annotated[int, Meta(ge=1, le=MAX_EVENTS)]
    events: Annotated[list[LiveEvent], Meta(max_length=MAX_EVENTS)] | None = None
    review_config: ReviewConfig | None = None

    def audience_events(self) -> Iterator[AudienceEvent]:
        """Return what is given; each event is read when it is asked for.

        Raises:
            InvalidInput: `total` is not their number or, later, an event does not say what its
                type is about.
        """
        events = self.events or ()
        if self.total != len(events):
            raise InvalidInput("total", f"must be the number of events, {len(events)}")
        return (event.event(f"events[{number}].content") for number, event in enumerate(events))


class ReportQuery(Wire, frozen=True, kw_only=True):
    """How a report proves itself, and whether a new address is wanted."""

    auth_key: Name | None = None
    expires_time: Annotated[str, Meta(pattern="^[0-9]{1,15}$")] | None = None
    """End of the key's validity, milliseconds since the Unix epoch."""
    refresh_url: bool = False


class LiveEventReportResponse(Wire, frozen=True, kw_only=True):
    """A new address for reports, where one was asked for."""

    live_event_report_url: str | None = None


async def report_events(call: Call[ReportQuery, ReportLiveEventReq]) -> LiveEventReportResponse:
    """Report what the audience did."""
    await call.use_cases.commands.report_events(*call.job, call.body.audience_events())
    if not call.query.refresh_url:
        return LiveEventReportResponse()
    job = await call.use_cases.jobs.show(*call.job)
    return LiveEventReportResponse(live_event_report_url=call.facts.report_url(job))
