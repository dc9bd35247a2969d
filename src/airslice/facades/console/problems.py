"""Errors of the admin API: RFC 9457 problem details."""

from __future__ import annotations

import http
from collections.abc import Mapping

import msgspec
from starlette.responses import Response

from airslice.domain import errors
from airslice.domain.errors import AirsliceError
from airslice.facades.http.refusals import Refusal

CONTENT_TYPE = "application/problem+json"

STATUSES: Mapping[type[AirsliceError], int] = {
    errors.InvalidInput: 400,
    errors.AppNotFound: 404,
    errors.AppNotOwned: 403,
    errors.TaskNotFound: 404,
    errors.TooManyTasks: 503,
    errors.TooManyBans: 503,
    errors.RateLimited: 429,
    errors.TokenRefused: 403,
    errors.UserBanned: 403,
    errors.OfferRefused: 400,
    errors.RoomFull: 503,
    errors.ServerFull: 503,
    errors.SessionNotFound: 404,
    errors.PreconditionFailed: 412,
    errors.ObjectNotFound: 404,
    errors.CallbackExists: 409,
    errors.CallbackNotFound: 404,
    errors.DeliveryNotFound: 404,
    errors.ProjectNotFound: 404,
    errors.LiveRoomNotFound: 404,
    errors.LiveRoomUnusable: 409,
    errors.LiveJobNotFound: 404,
    errors.LiveJobRunning: 409,
    errors.LiveJobFinished: 409,
    errors.RuleGroupNotFound: 404,
    errors.RuleNotFound: 404,
    errors.LivePlatformNotFound: 404,
    errors.LivePlatformFailed: 502,
    errors.ReportKeyRefused: 403,
    errors.TooManyLiveJobs: 503,
    errors.QuotaExceeded: 409,
    errors.StoreFailed: 503,
    errors.StoreRefused: 502,
}
"""HTTP status of each error; `AirsliceError.code` goes along as the problem's type."""


class ProblemDetails(msgspec.Struct, frozen=True, kw_only=True):
    """Body of an error (RFC 9457 section 3)."""

    type: str
    """The prefix urn:airslice:problem: and a code that never changes its meaning."""
    title: str
    status: int
    detail: str


def problem_response(error: Refusal | AirsliceError) -> Response:
    """Render why a request is refused, as problem details."""
    if isinstance(error, Refusal):
        code, status, headers = error.error.code, error.error.status, error.headers
    else:
        code, status, headers = error.code, STATUSES.get(type(error), 500), {}
    details = ProblemDetails(
        type=f"urn:airslice:problem:{code}",
        title=http.HTTPStatus(status).phrase,
        status=status,
        detail=str(error),
    )
    return Response(
        msgspec.json.encode(details),
        status_code=status,
        media_type=CONTENT_TYPE,
        headers={"Cache-Control": "no-store", **headers},
    )
