"""Every error on Huawei's wire, and which of ours becomes which of theirs.

Service codes (MSS) are those of the MetaStudio pages
(https://support.huaweicloud.com/api-metastudio/ListSmartLive.html and its neighbours) and of the
web SDK's list (HwICSUiSdk `index.d.ts`), which gives no HTTP statuses: here 400. Gateway codes
(APIGW) are those of https://support.huaweicloud.com/devg-apisign/api-sign-errorcode.html.
docs/compatibility.md lists what was decided and why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from airslice.domain import errors
from airslice.domain.errors import AirsliceError
from airslice.domain.fields import LiveField
from airslice.domain.live_job import FaultKind


@dataclass(frozen=True, kw_only=True, slots=True)
class WireError:
    """One error code."""

    code: str
    status: int
    """HTTP status."""
    message: str
    """Text, with `%s` where details go."""

    @property
    def of_gateway(self) -> bool:
        """Whether the gateway answers it, whose bodies name the request."""
        return self.code.startswith("APIGW.")


class Refusal(Exception):
    """A request is answered with an error of this wire."""

    def __init__(self, error: WireError, *details: str) -> None:
        super().__init__(error.message % details)
        self.error = error


# The gateway's.
NO_SUCH_API = WireError(
    code="APIGW.0101",
    status=404,
    message="The API does not exist or has not been published in the environment.",
)
NO_SUCH_METHOD = WireError(code="APIGW.0101", status=404, message="The API does not exist.")
TOO_LARGE = WireError(code="APIGW.0201", status=413, message="Request entity too large")
UNAUTHENTICATED = WireError(
    code="APIGW.0301", status=401, message="Incorrect IAM authentication information: %s"
)
THROTTLED = WireError(
    code="APIGW.0308", status=429, message="The throttling threshold has been reached: %s"
)

# The service's.
# Only the report address's key is refused so, whose parameter is auth_key.
UNAUTHORIZED = WireError(code="MSS.00000001", status=401, message="Unauthorized: auth_%s")
INVALID_BODY = WireError(code="MSS.00000002", status=400, message="Invalid body: %s")
INVALID_PARAMETER = WireError(code="MSS.00000003", status=400, message="Invalid parameter: %s")
ROOM_UNUSABLE = WireError(code="MSS.00000003", status=400, message="Invalid parameter: room_id: %s")
GROUP_NOT_FOUND = WireError(
    code="MSS.00000003", status=400, message="Invalid parameter: group_id: %s"
)
RULE_NOT_FOUND = WireError(
    code="MSS.00000003", status=400, message="Invalid parameter: rule_id: %s"
)
PLATFORM_UNUSABLE = WireError(
    code="MSS.00000003", status=400, message="Invalid parameter: platform_id: %s"
)
INTERNAL_ERROR = WireError(code="MSS.00000004", status=500, message="Internal Error")
OTHER_PROJECT = WireError(
    code="MSS.00010009", status=400, message="urlTenantId is not equal tokenTenantId"
)
ROOM_NOT_FOUND = WireError(code="MSS.20010045", status=400, message="roomInfo not found.")
JOB_EXISTS = WireError(
    code="MSS.20010046", status=400, message="The room has a job that has not ended."
)
INVALID_COMMAND = WireError(code="MSS.20010053", status=400, message="Invalid command: %s")
QUOTA_INSUFFICIENT = WireError(code="MSS.20010056", status=400, message="Quota insufficient: %s")
LIVE_QUOTA_INSUFFICIENT = WireError(
    code="MSS.20010065", status=400, message="Live quota insufficient: %s"
)
JOB_FINISHED = WireError(code="MSS.20010066", status=400, message="The job has ended.")
JOB_NOT_FOUND = WireError(code="MSS.20010074", status=400, message="The job does not exist.")

WIRE_ERRORS: Mapping[type[AirsliceError], WireError] = {
    errors.InvalidInput: INVALID_PARAMETER,
    errors.ProjectNotFound: OTHER_PROJECT,
    errors.LiveRoomNotFound: ROOM_NOT_FOUND,
    errors.LiveRoomUnusable: ROOM_UNUSABLE,
    errors.LiveJobNotFound: JOB_NOT_FOUND,
    errors.LiveJobRunning: JOB_EXISTS,
    errors.LiveJobFinished: JOB_FINISHED,
    errors.RuleGroupNotFound: GROUP_NOT_FOUND,
    errors.RuleNotFound: RULE_NOT_FOUND,
    errors.LivePlatformNotFound: PLATFORM_UNUSABLE,
    errors.LivePlatformFailed: PLATFORM_UNUSABLE,
    errors.ReportKeyRefused: UNAUTHORIZED,
    errors.TooManyLiveJobs: LIVE_QUOTA_INSUFFICIENT,
    errors.QuotaExceeded: QUOTA_INSUFFICIENT,
    errors.RateLimited: THROTTLED,
    # No operation of this wire raises the rest; if one ever does, the mistake is the server's.
    errors.StorageUnsupported: INTERNAL_ERROR,
    errors.AppNotFound: INTERNAL_ERROR,
    errors.AppNotOwned: INTERNAL_ERROR,
    errors.TaskNotFound: INTERNAL_ERROR,
    errors.TooManyTasks: INTERNAL_ERROR,
    errors.TooManyBans: INTERNAL_ERROR,
    errors.TokenRefused: INTERNAL_ERROR,
    errors.UserBanned: INTERNAL_ERROR,
    errors.OfferRefused: INTERNAL_ERROR,
    errors.RoomFull: INTERNAL_ERROR,
    errors.ServerFull: INTERNAL_ERROR,
    errors.SessionNotFound: INTERNAL_ERROR,
    errors.PreconditionFailed: INTERNAL_ERROR,
    errors.CallbackExists: INTERNAL_ERROR,
    errors.CallbackNotFound: INTERNAL_ERROR,
    errors.DeliveryNotFound: INTERNAL_ERROR,
    errors.ObjectNotFound: INTERNAL_ERROR,
    errors.StoreFailed: INTERNAL_ERROR,
    errors.StoreRefused: INTERNAL_ERROR,
}

FIELDS: Mapping[str, str] = {
    LiveField.EVENTS_ADDRESS: "live_event_callback_config.live_event_type_callback_url",
    LiveField.EVENTS_AUTH: "live_event_callback_config.auth_type",
    LiveField.PARAGRAPH: "scene_scripts.shoot_scripts.text_config.text",
    LiveField.TEXTS: "scene_scripts.shoot_scripts.text_config",
    LiveField.RECORDINGS: "scene_scripts.shoot_scripts.audio_config",
    LiveField.SHARING: "shared_config",
    LiveField.SHARED_PROJECTS: "shared_config.allowed_project_ids",
    LiveField.VERSION: "script_version",
    LiveField.JUDGED_COMMAND: "command",
    LiveField.PLATFORM: "platform_id",
    LiveField.PLATFORM_ADDRESS: "callback_config.url",
    LiveField.PLATFORM_KEY: "auth_config.key",
}
"""How requests call what use cases find fault with."""

FAULT_CODES: Mapping[FaultKind, str] = {
    FaultKind.INTERNAL: "MSS.47000001",
    FaultKind.NO_PLACE: "MSS.47000005",
    FaultKind.SENT_OUT: "MSS.47000012",
    FaultKind.NO_RECORDING: "MSS.20010067",
    FaultKind.NO_SPEECH: "MSS.47000029",
}
"""By which code a failed job's owner is told why (the vendor's table of worker errors)."""


def refusal(error: AirsliceError) -> Refusal | None:
    """Return what the caller is told of `error`; None if it is the server's own fault."""
    wire_error = WIRE_ERRORS.get(type(error), INTERNAL_ERROR)
    if wire_error is INTERNAL_ERROR:
        return None
    details = (error.told(FIELDS),) if "%s" in wire_error.message else ()
    return Refusal(wire_error, *details)
