"""Everything that can go wrong on purpose.

    AirsliceError
    ├── InvalidInput              a field is missing, malformed or out of range
    ├── AppNotFound               no such RTC application
    ├── AppNotOwned               the application belongs to another account
    ├── TaskNotFound              no such task is running, or none was started in the last 72 h
    ├── TooManyTasks              the server takes no more tasks now
    ├── TooManyBans               the application has as many bans as it can have
    ├── RateLimited               the account asks too often
    ├── TokenRefused              a room token that is malformed, forged, expired or too weak
    ├── UserBanned                the user is kept out of the room for a time
    ├── OfferRefused              an SDP offer that cannot be answered
    ├── RoomFull                  the room takes no more publishers
    ├── ServerFull                the server takes no more publishers
    ├── SessionNotFound           no such publishing session
    ├── PreconditionFailed        the session is not what the caller believes it to be
    ├── CallbackExists            the callback setting to be made is there already
    ├── CallbackNotFound          no such callback setting
    ├── DeliveryNotFound          no such delivery in the outbox
    ├── ProjectNotFound           no such project, or it belongs to another account
    ├── LiveRoomNotFound          no such live room in the project
    ├── LiveRoomUnusable          the live room cannot have jobs
    ├── LiveJobNotFound           no such live job in the live room
    ├── LiveJobRunning            the live room has a job that has not ended
    ├── LiveJobFinished           the live job has ended
    ├── RuleGroupNotFound         no such group of interaction rules in the project
    ├── RuleNotFound              no such interaction rule in the group
    ├── LivePlatformNotFound      no such live platform in the project
    ├── LivePlatformFailed        a live platform did not answer as it should
    ├── ReportKeyRefused          the key of a live job's report address is wrong or has expired
    ├── TooManyLiveJobs           the server takes no more live jobs now
    ├── QuotaExceeded             the project has as much of something as it can have
    ├── ObjectNotFound            no such stored object
    └── StoreFailed               storing an object failed
        └── StoreRefused          … and will fail again: wrong bucket, wrong key, no permission

Façades map each class to their own wire; nothing here knows HTTP.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class AirsliceError(Exception):
    """Base of all errors that airslice raises on purpose; the message is fit for the caller."""

    code: ClassVar[str] = "error"
    """Stable name for logs, metrics and our own API. Never reused, never renamed."""

    retryable: ClassVar[bool] = False
    """Whether the same request may succeed later, unchanged."""

    def told(self, names: Mapping[str, str]) -> str:
        """Return the message for a caller whose wire calls fields by `names`."""
        del names
        return str(self)


class InvalidInput(AirsliceError):
    """A field is missing, malformed or out of range.

    Args:
        field: One of `domain.fields`; from a façade, the path in the caller's own words, such as
            ``StorageConfig.Type``.
        problem: What is wrong with it and what would be right, without a final full stop.
    """

    code = "invalid_input"

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem

    def told(self, names: Mapping[str, str]) -> str:
        """Return the message with the field called as in `names`, where it is there."""
        return f"{names.get(self.field, self.field)}: {self.problem}"


class AppNotFound(AirsliceError):
    """No RTC application has this id."""

    code = "app_not_found"


class AppNotOwned(AirsliceError):
    """The RTC application belongs to another account."""

    code = "app_not_owned"


class TaskNotFound(AirsliceError):
    """No such task is running or, when history is asked, none was started in the last 72 h."""

    code = "task_not_found"


class TooManyTasks(AirsliceError):
    """The server takes no more tasks now; running ones go on."""

    code = "too_many_tasks"
    retryable = True


class TooManyBans(AirsliceError):
    """The application has as many bans as it can have; some must expire first."""

    code = "too_many_bans"
    retryable = True


class RateLimited(AirsliceError):
    """The account sends more requests per second than this operation allows."""

    code = "rate_limited"
    retryable = True


class TokenRefused(AirsliceError):
    """A room token is malformed, forged, expired, for another room, or lacks the privilege."""

    code = "token_refused"


class UserBanned(AirsliceError):
    """The user, or everybody, is kept out of the room until a ban expires or is lifted."""

    code = "user_banned"
    retryable = True


class OfferRefused(AirsliceError):
    """An SDP offer cannot be answered: malformed, or without an acceptable Opus audio section."""

    code = "offer_refused"


class RoomFull(AirsliceError):
    """The room takes no more publishers."""

    code = "room_full"
    retryable = True


class ServerFull(AirsliceError):
    """The server takes no more publishers."""

    code = "server_full"
    retryable = True


class SessionNotFound(AirsliceError):
    """No publishing session has this id, or it has ended."""

    code = "session_not_found"


class PreconditionFailed(AirsliceError):
    """The session is not in the state that the caller's entity tag names."""

    code = "precondition_failed"


class CallbackExists(AirsliceError):
    """The application, or the business in it, has a callback setting already."""

    code = "callback_exists"


class CallbackNotFound(AirsliceError):
    """The application, or the business in it, has no callback setting."""

    code = "callback_not_found"


class DeliveryNotFound(AirsliceError):
    """No such delivery is in the outbox: it is done, or never was."""

    code = "delivery_not_found"


class ProjectNotFound(AirsliceError):
    """No such project, or it belongs to another account."""

    code = "project_not_found"


class LiveRoomNotFound(AirsliceError):
    """The project has no such live room, and no such template is shared with it."""

    code = "live_room_not_found"


class LiveRoomUnusable(AirsliceError):
    """The live room cannot have jobs: it is a template, disabled or blocked."""

    code = "live_room_unusable"


class LiveJobNotFound(AirsliceError):
    """The live room has no such job."""

    code = "live_job_not_found"


class LiveJobRunning(AirsliceError):
    """The live room has a job that has not ended."""

    code = "live_job_running"
    retryable = True


class LiveJobFinished(AirsliceError):
    """The live job has ended."""

    code = "live_job_finished"


class RuleGroupNotFound(AirsliceError):
    """The project has no such group of interaction rules."""

    code = "rule_group_not_found"


class RuleNotFound(AirsliceError):
    """The group has no such interaction rule."""

    code = "rule_not_found"


class LivePlatformNotFound(AirsliceError):
    """The project has no such live platform."""

    code = "live_platform_not_found"


class LivePlatformFailed(AirsliceError):
    """A live platform could not be reached, or did not answer as it should."""

    code = "live_platform_failed"
    retryable = True


class ReportKeyRefused(AirsliceError):
    """The key of a live job's report address is wrong or has expired."""

    code = "report_key_refused"


class TooManyLiveJobs(AirsliceError):
    """The server takes no more live jobs now; running ones go on."""

    code = "too_many_live_jobs"
    retryable = True


class QuotaExceeded(AirsliceError):
    """The project has as many live rooms, rules or platforms as it can have."""

    code = "quota_exceeded"


class ObjectNotFound(AirsliceError):
    """No such stored object."""

    code = "object_not_found"


class StoreFailed(AirsliceError):
    """Storing an object failed; the file is kept and will be tried again."""

    code = "store_failed"
    retryable = True


class StoreRefused(StoreFailed):
    """The store will not take the object, however often it is tried, until somebody acts.

    The bucket does not exist, the keys are wrong or may not write to it. The file is kept.
    """

    code = "store_refused"
    retryable = False
