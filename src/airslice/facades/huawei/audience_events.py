"""What a broadcast's audience does: wire structs, and the operation that reports it."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from airslice.domain.errors import InvalidInput
from airslice.domain.live_command import (
    LiveEvent as AudienceEvent,
)
from airslice.facades.huawei.calls import Call, UseCases
from airslice.facades.huawei.fields import (
    Name,
    Wire,
)
from airslice.facades.huawei.rules import (
    ReviewConfig,
)

MAX_EVENTS = 1_000


MAX_EVENT_MS = 4_102_415_999_000


class LiveEvent(Wire, frozen=True, kw_only=True):
    """Something that the audience did."""

    timestamp: Annotated[int, Meta(ge=0, le=MAX_EVENT_MS)]
    type: Annotated[int, Meta(ge=0, le=100)] | None = None
    content: Annotated[str, Meta(max_length=8_192)] | None = None

    def event(self) -> AudienceEvent:
        """Return the event as the domain's value."""
        return AudienceEvent(
            timestamp_ms=self.timestamp, type=self.type or 0, content=self.content or ""
        )


class ReportLiveEventReq(Wire, frozen=True, kw_only=True):
    """A report of what the audience did."""

    total: Annotated[int, Meta(ge=1, le=MAX_EVENTS)]
    events: Annotated[list[LiveEvent], Meta(max_length=MAX_EVENTS)] | None = None
    review_config: ReviewConfig | None = None

    def audience_events(self) -> tuple[AudienceEvent, ...]:
        """Return the reported events as the domain's values.

        Raises:
            InvalidInput: `total` is not their number.
        """
        events = tuple(event.event() for event in self.events or ())
        if self.total != len(events):
            raise InvalidInput("total", f"must be the number of events, {len(events)}")
        return events


class ReportQuery(Wire, frozen=True, kw_only=True):
    """How a report proves itself, and whether a new address is wanted."""

    auth_key: Name | None = None
    expires_time: Annotated[str, Meta(pattern="^[0-9]{1,15}$")] | None = None
    """End of the key's validity, milliseconds since the Unix epoch."""
    refresh_url: bool = False


class LiveEventReportResponse(Wire, frozen=True, kw_only=True):
    """A new address for reports, where one was asked for."""

    live_event_report_url: str | None = None


async def report_events(
    use_cases: UseCases, call: Call[ReportQuery, ReportLiveEventReq]
) -> LiveEventReportResponse:
    """Report what the audience did."""
    room_id, job_id = call.ids["room_id"], call.ids["job_id"]
    events = call.body.audience_events()
    await use_cases.commands.report_events(call.project_id, room_id, job_id, events)
    if not call.query.refresh_url:
        return LiveEventReportResponse()
    job = await use_cases.jobs.show(call.project_id, room_id, job_id)
    return LiveEventReportResponse(live_event_report_url=call.facts.report_url(job))
