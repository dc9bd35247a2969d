"""Every error on Volcengine's wire, and which of ours becomes which of theirs.

Gateway codes, with their numbers and statuses, are those of the common error tables
(https://www.volcengine.com/docs/6369/68677, /docs/6491/1185994). Business codes are those of the
RTC table (https://www.volcengine.com/docs/6348/70426), which gives no HTTP statuses: here the
word before the dot decides. docs/compatibility.md lists what was decided and why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from airslice.domain import errors
from airslice.domain.errors import AirsliceError
from airslice.domain.fields import SliceField


@dataclass(frozen=True, kw_only=True, slots=True)
class WireError:
    """One error code."""

    code: str
    status: int
    """HTTP status. The vendor's Python SDK repeats requests that got 429 or 5xx."""
    message: str = "%s"
    """Text, with `%s` where details go."""
    code_n: int | None = None
    """The gateway's number; business codes have none."""


class Refusal(Exception):
    """A request is answered with an error of this wire."""

    def __init__(self, error: WireError, *details: str) -> None:
        super().__init__(error.message % details)
        self.error = error


# The gateway's.
MISSING_PARAMETER = WireError(
    code="MissingParameter",
    status=400,
    code_n=100002,
    message="The request is missing %s parameter.",
)
MISSING_AUTHENTICATION_TOKEN = WireError(
    code="MissingAuthenticationToken",
    status=401,
    code_n=100003,
    message="Request is missing Authentication Token.",
)
MISSING_REQUEST_INFO = WireError(
    code="MissingRequestInfo",
    status=400,
    code_n=100004,
    message="The request is missing %s information.",
)
MISSING_SIGNATURE = WireError(
    code="MissingSignature",
    status=401,
    code_n=100005,
    message="The request is missing signature.",
)
INVALID_TIMESTAMP = WireError(
    code="InvalidTimestamp",
    status=400,
    code_n=100006,
    message="The Signature of the request is expired. %s",
)
INVALID_ACTION_OR_VERSION = WireError(
    code="InvalidActionOrVersion",
    status=404,
    code_n=100008,
    message="Could not find operation %s for version %s.",
)
INVALID_ACCESS_KEY = WireError(
    code="InvalidAccessKey",
    status=401,
    code_n=100009,
    message="The accesskey [%s] included in the request is invalid.",
)
SIGNATURE_DOES_NOT_MATCH = WireError(
    code="SignatureDoesNotMatch",
    status=401,
    code_n=100010,
    message=(
        "The request signature we calculated does not match the signature you provided. "
        "Check your Secret Access Key and signing method. "
        "Consult the service documentation for details."
    ),
)
INTERNAL_ERROR = WireError(
    code="InternalError",
    status=500,
    code_n=100014,
    message="The server failed. The RequestId names its log entry.",
)
METHOD_NOT_ALLOWED = WireError(
    code="MethodNotAllowed",
    status=405,
    code_n=100020,
    message="Operation %s takes %s requests only.",
)
INVALID_AUTHORIZATION = WireError(
    code="InvalidAuthorization",
    status=400,
    code_n=100024,
    message="Invalid 'Authorization' header, Pls check your authorization header. %s",
)
INVALID_CREDENTIAL = WireError(
    code="InvalidCredential",
    status=400,
    code_n=100025,
    message=(
        "Invalid credential in 'Authorization', Pls check credential in authorization header. %s"
    ),
)

# RTC's own.
INVALID_PARAMETER = WireError(code="InvalidParameter", status=400)
TASK_NOT_FOUND = WireError(code="InvalidParameter.ErrorActiveTaskNotFound", status=400)
ILLEGAL_ROOM_ID = WireError(code="InvalidParameter.IllegalRoomID", status=400)
ILLEGAL_APP_ID = WireError(code="InvalidParameter.IllegalAppId", status=400)
NOT_EXIST_APP_ID = WireError(code="InvalidParameter.NotExistAppId", status=400)
BODY_IS_EMPTY = WireError(
    code="InvalidParameter.BodyIsEmpty", status=400, message="The request body is empty."
)
UNMARSHAL = WireError(code="InvalidParameter.Unmarshal", status=400)
SIZE_OVER_LIMIT = WireError(
    code="InvalidParameter.SizeOverLimit",
    status=413,
    message="The request body is over %s bytes.",
)
NO_ACTION = WireError(
    code="MissingParameter.NoAction", status=400, message="The request is missing %s."
)
NO_VERSION = WireError(
    code="MissingParameter.NoVersion", status=400, message="The request is missing %s."
)
NO_APP_ID = WireError(
    code="MissingParameter.NoAppId", status=400, message="The request is missing %s."
)
NO_ROOM_ID = WireError(
    code="MissingParameter.NoRoomId", status=400, message="The request is missing %s."
)
NO_USER_ID = WireError(
    code="MissingParameter.NoUserId", status=400, message="The request is missing %s."
)
FORBIDDEN_INTERVAL = WireError(code="MissingParameter.Forbidden", status=400)
UNAUTHORIZED = WireError(code="Unauthorized", status=403)
QPS_OVER_LIMIT = WireError(code="FlowLimitExceeded.QPSOverLimit", status=429)
TASK_NUMBER_OVER_LIMIT = WireError(code="FlowLimitExceeded.TaskNumberOverLimit", status=429)

WIRE_ERRORS: Mapping[type[AirsliceError], WireError] = {
    errors.InvalidInput: INVALID_PARAMETER,
    errors.StorageUnsupported: INVALID_PARAMETER,
    errors.StoreRefused: INVALID_PARAMETER,  # StartSegment named a bucket that takes nothing
    errors.AppNotFound: NOT_EXIST_APP_ID,
    errors.AppNotOwned: UNAUTHORIZED,
    errors.TaskNotFound: TASK_NOT_FOUND,
    errors.CallbackExists: INVALID_PARAMETER,
    errors.CallbackNotFound: INVALID_PARAMETER,
    errors.TooManyTasks: TASK_NUMBER_OVER_LIMIT,
    errors.TooManyBans: QPS_OVER_LIMIT,
    errors.RateLimited: QPS_OVER_LIMIT,
    # No operation of this wire raises the rest; if one ever does, the mistake is the server's.
    errors.TokenRefused: INTERNAL_ERROR,
    errors.UserBanned: INTERNAL_ERROR,
    errors.OfferRefused: INTERNAL_ERROR,
    errors.RoomFull: INTERNAL_ERROR,
    errors.ServerFull: INTERNAL_ERROR,
    errors.SessionNotFound: INTERNAL_ERROR,
    errors.PreconditionFailed: INTERNAL_ERROR,
    errors.ObjectNotFound: INTERNAL_ERROR,
    errors.DeliveryNotFound: INTERNAL_ERROR,
    errors.StoreFailed: INTERNAL_ERROR,
    errors.ProjectNotFound: INTERNAL_ERROR,
    errors.LiveRoomNotFound: INTERNAL_ERROR,
    errors.LiveRoomUnusable: INTERNAL_ERROR,
    errors.LiveJobNotFound: INTERNAL_ERROR,
    errors.LiveJobRunning: INTERNAL_ERROR,
    errors.LiveJobFinished: INTERNAL_ERROR,
    errors.RuleGroupNotFound: INTERNAL_ERROR,
    errors.RuleNotFound: INTERNAL_ERROR,
    errors.LivePlatformNotFound: INTERNAL_ERROR,
    errors.LivePlatformFailed: INTERNAL_ERROR,
    errors.ReportKeyRefused: INTERNAL_ERROR,
    errors.TooManyLiveJobs: INTERNAL_ERROR,
    errors.QuotaExceeded: INTERNAL_ERROR,
}

FIELDS: Mapping[str, str] = {
    SliceField.DURATION: "Duration",
    SliceField.BUSINESS: "BusinessId",
    SliceField.CALLBACK_ADDRESS: "URL",
    SliceField.CALLBACK_SECRET: "SecretKey",
    SliceField.CALLBACK_EVENTS: "EventList",
}
"""How requests call what use cases find fault with."""


def refusal(error: AirsliceError) -> Refusal | None:
    """Return what the caller is told of `error`; None if it is the server's own fault."""
    wire_error = WIRE_ERRORS.get(type(error), INTERNAL_ERROR)
    return None if wire_error is INTERNAL_ERROR else Refusal(wire_error, error.told(FIELDS))
