"""Every error on Volcengine's wire, and which of ours becomes which of theirs.

Gateway codes, with their numbers and statuses, are those of the common error tables
(https://www.volcengine.com/docs/6369/68677, /docs/6491/1185994). Business codes are those of the
RTC table (https://www.volcengine.com/docs/6348/70426), which gives no HTTP statuses: here the
word before the dot decides. docs/compatibility.md lists what was decided and why.
"""

from __future__ import annotations

from collections.abc import Mapping

from airslice.domain import errors
from airslice.domain.errors import AirsliceError
from airslice.domain.fields import SliceField
from airslice.facades.http.refusals import WireError

# The gateway's.
MISSING_PARAMETER = WireError(
    "MissingParameter", 400, "The request is missing %s parameter.", 100002
)
MISSING_AUTHENTICATION_TOKEN = WireError(
    "MissingAuthenticationToken", 401, "Request is missing Authentication Token.", 100003
)
MISSING_REQUEST_INFO = WireError(
    "MissingRequestInfo", 400, "The request is missing %s information.", 100004
)
MISSING_SIGNATURE = WireError("MissingSignature", 401, "The request is missing signature.", 100005)
INVALID_TIMESTAMP = WireError(
    "InvalidTimestamp", 400, "The Signature of the request is expired. %s", 100006
)
INVALID_ACTION_OR_VERSION = WireError(
    "InvalidActionOrVersion", 404, "Could not find operation %s for version %s.", 100008
)
INVALID_ACCESS_KEY = WireError(
    "InvalidAccessKey", 401, "The accesskey [%s] included in the request is invalid.", 100009
)
SIGNATURE_DOES_NOT_MATCH = WireError(
    "SignatureDoesNotMatch",
    401,
    "The request signature we calculated does not match the signature you provided. "
    "Check your Secret Access Key and signing method. "
    "Consult the service documentation for details.",
    100010,
)
INTERNAL_ERROR = WireError(
    "InternalError", 500, "The server failed. The RequestId names its log entry.", 100014
)
METHOD_NOT_ALLOWED = WireError(
    "MethodNotAllowed", 405, "Operation %s takes %s requests only.", 100020
)
INVALID_AUTHORIZATION = WireError(
    "InvalidAuthorization",
    400,
    "Invalid 'Authorization' header, Pls check your authorization header. %s",
    100024,
)
INVALID_CREDENTIAL = WireError(
    "InvalidCredential",
    400,
    "Invalid credential in 'Authorization', Pls check credential in authorization header. %s",
    100025,
)

# RTC's own.
INVALID_PARAMETER = WireError("InvalidParameter", 400)
TASK_NOT_FOUND = WireError("InvalidParameter.ErrorActiveTaskNotFound", 400)
ILLEGAL_ROOM_ID = WireError("InvalidParameter.IllegalRoomID", 400)
ILLEGAL_APP_ID = WireError("InvalidParameter.IllegalAppId", 400)
NOT_EXIST_APP_ID = WireError("InvalidParameter.NotExistAppId", 400)
BODY_IS_EMPTY = WireError("InvalidParameter.BodyIsEmpty", 400, "The request body is empty.")
UNMARSHAL = WireError("InvalidParameter.Unmarshal", 400)
SIZE_OVER_LIMIT = WireError(
    "InvalidParameter.SizeOverLimit", 413, "The request body is over %s bytes."
)
NO_ACTION = WireError("MissingParameter.NoAction", 400, "The request is missing %s.")
NO_VERSION = WireError("MissingParameter.NoVersion", 400, "The request is missing %s.")
NO_APP_ID = WireError("MissingParameter.NoAppId", 400, "The request is missing %s.")
NO_ROOM_ID = WireError("MissingParameter.NoRoomId", 400, "The request is missing %s.")
NO_USER_ID = WireError("MissingParameter.NoUserId", 400, "The request is missing %s.")
FORBIDDEN_INTERVAL = WireError("MissingParameter.Forbidden", 400)
UNAUTHORIZED = WireError("Unauthorized", 403)
QPS_OVER_LIMIT = WireError("FlowLimitExceeded.QPSOverLimit", 429)
TASK_NUMBER_OVER_LIMIT = WireError("FlowLimitExceeded.TaskNumberOverLimit", 429)

WIRE_ERRORS: Mapping[type[AirsliceError], WireError] = {
    errors.InvalidInput: INVALID_PARAMETER,
    errors.StoreRefused: INVALID_PARAMETER,  # StartSegment named a bucket that takes nothing
    errors.AppNotFound: NOT_EXIST_APP_ID,
    errors.AppNotOwned: UNAUTHORIZED,
    errors.TaskNotFound: TASK_NOT_FOUND,
    errors.CallbackExists: INVALID_PARAMETER,
    errors.CallbackNotFound: INVALID_PARAMETER,
    errors.TooManyTasks: TASK_NUMBER_OVER_LIMIT,
    errors.TooManyBans: QPS_OVER_LIMIT,
    errors.RateLimited: QPS_OVER_LIMIT,
}
"""What each error of ours becomes. No operation raises one that is not listed; if one ever does,
the mistake is the server's."""

FIELDS: Mapping[str, str] = {
    SliceField.DURATION: "Duration",
    SliceField.BUSINESS: "BusinessId",
    SliceField.CALLBACK_ADDRESS: "URL",
    SliceField.CALLBACK_SECRET: "SecretKey",
    SliceField.CALLBACK_EVENTS: "EventList",
}
"""How requests call what use cases find fault with."""
