"""Every error on Huawei's wire, and which of ours becomes which of theirs.

Service codes (MSS) are those of the MetaStudio pages
(https://support.huaweicloud.com/api-metastudio/ListSmartLive.html and its neighbours) and of the
web SDK's list (HwICSUiSdk `index.d.ts`), which gives no HTTP statuses: here 400. Gateway codes
(APIGW) are those of https://support.huaweicloud.com/devg-apisign/api-sign-errorcode.html.
docs/compatibility.md lists what was decided and why.
"""

from __future__ import annotations

from collections.abc import Mapping

from airslice.domain import errors
from airslice.domain.errors import AirsliceError
from airslice.domain.fields import LiveField
from airslice.domain.live_job import FaultKind
from airslice.facades.http.refusals import WireError

# The gateway's.
NO_SUCH_API = WireError(
    "APIGW.0101", 404, "The API does not exist or has not been published in the environment."
)
NO_SUCH_METHOD = WireError("APIGW.0101", 404, "The API does not exist.")
TOO_LARGE = WireError("APIGW.0201", 413, "Request entity too large")
UNAUTHENTICATED = WireError("APIGW.0301", 401, "Incorrect IAM authentication information: %s")
THROTTLED = WireError("APIGW.0308", 429, "The throttling threshold has been reached: %s")

# The service's.
# Only the report address's key is refused so, whose parameter is auth_key.
UNAUTHORIZED = WireError("MSS.00000001", 401, "Unauthorized: auth_%s")
INVALID_BODY = WireError("MSS.00000002", 400, "Invalid body: %s")
INVALID_PARAMETER = WireError("MSS.00000003", 400, "Invalid parameter: %s")
ROOM_UNUSABLE = WireError("MSS.00000003", 400, "Invalid parameter: room_id: %s")
GROUP_NOT_FOUND = WireError("MSS.00000003", 400, "Invalid parameter: group_id: %s")
RULE_NOT_FOUND = WireError("MSS.00000003", 400, "Invalid parameter: rule_id: %s")
PLATFORM_UNUSABLE = WireError("MSS.00000003", 400, "Invalid parameter: platform_id: %s")
INTERNAL_ERROR = WireError("MSS.00000004", 500, "Internal Error")
OTHER_PROJECT = WireError("MSS.00010009", 400, "urlTenantId is not equal tokenTenantId")
ROOM_NOT_FOUND = WireError("MSS.20010045", 400, "roomInfo not found.")
JOB_EXISTS = WireError("MSS.20010046", 400, "The room has a job that has not ended.")
INVALID_COMMAND = WireError("MSS.20010053", 400, "Invalid command: %s")
QUOTA_INSUFFICIENT = WireError("MSS.20010056", 400, "Quota insufficient: %s")
LIVE_QUOTA_INSUFFICIENT = WireError("MSS.20010065", 400, "Live quota insufficient: %s")
JOB_FINISHED = WireError("MSS.20010066", 400, "The job has ended.")
JOB_NOT_FOUND = WireError("MSS.20010074", 400, "The job does not exist.")

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
}
"""What each error of ours becomes. No operation raises one that is not listed; if one ever does,
the mistake is the server's."""

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
