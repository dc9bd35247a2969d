"""Everything that can go wrong on purpose.

Façades map each class to their own wire; nothing here knows HTTP.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar


class AirsliceError(Exception):
    """Base of all errors that airslice raises on purpose; the message is fit for the caller."""

    code: ClassVar[str] = "error"
    """Stable name for logs, metrics and our own API: that of the class, as ``app_not_found``. So no
    class is renamed, and no name is used again."""

    retryable: ClassVar[bool] = False
    """Whether the same request may succeed later, unchanged."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.code = re.sub(r"\B(?=[A-Z])", "_", cls.__name__).lower()

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

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem

    def told(self, names: Mapping[str, str]) -> str:
        """Return the message with the field called as in `names`, where it is there."""
        return f"{names.get(self.field, self.field)}: {self.problem}"


class AppNotFound(AirsliceError):
    """No RTC application has this id."""


class AppNotOwned(AirsliceError):
    """The RTC application belongs to another account."""


class TaskNotFound(AirsliceError):
    """No such task is running or, when history is asked, none was started in the last 72 h."""


class TooManyTasks(AirsliceError):
    """The server takes no more tasks now; running ones go on."""

    retryable = True


class TooManyBans(AirsliceError):
    """The application has as many bans as it can have; some must expire first."""

    retryable = True


class RateLimited(AirsliceError):
    """The account sends more requests per second than this operation allows."""

    retryable = True


class TokenRefused(AirsliceError):
    """A room token is malformed, forged, expired, for another room, or lacks the privilege."""


class UserBanned(AirsliceError):
    """The user, or everybody, is kept out of the room until a ban expires or is lifted."""

    retryable = True


class OfferRefused(AirsliceError):
    """An SDP offer cannot be answered: malformed, or without an acceptable Opus audio section."""


class RoomFull(AirsliceError):
    """The room takes no more publishers."""

    retryable = True


class ServerFull(AirsliceError):
    """The server takes no more publishers."""

    retryable = True


class SessionNotFound(AirsliceError):
    """No publishing session has this id, or it has ended."""


class PreconditionFailed(AirsliceError):
    """The session is not in the state that the caller's entity tag names."""


class CallbackExists(AirsliceError):
    """The application, or the business in it, has a callback setting already."""


class CallbackNotFound(AirsliceError):
    """The application, or the business in it, has no callback setting."""


class DeliveryNotFound(AirsliceError):
    """No such delivery is in the outbox: it is done, or never was."""


class ProjectNotFound(AirsliceError):
    """No such project, or it belongs to another account."""


class LiveRoomNotFound(AirsliceError):
    """The project has no such live room, and no such template is shared with it."""


class LiveRoomUnusable(AirsliceError):
    """The live room cannot have jobs: it is a template, disabled or blocked."""


class LiveJobNotFound(AirsliceError):
    """The live room has no such job."""


class LiveJobRunning(AirsliceError):
    """The live room has a job that has not ended."""

    retryable = True


class LiveJobFinished(AirsliceError):
    """The live job has ended."""


class RuleGroupNotFound(AirsliceError):
    """The project has no such group of interaction rules."""


class RuleNotFound(AirsliceError):
    """The group has no such interaction rule."""


class LivePlatformNotFound(AirsliceError):
    """The project has no such live platform."""


class LivePlatformFailed(AirsliceError):
    """A live platform could not be reached, or did not answer as it should."""

    retryable = True


class ReportKeyRefused(AirsliceError):
    """The key of a live job's report address is wrong or has expired."""


class TooManyLiveJobs(AirsliceError):
    """The server takes no more live jobs now; running ones go on."""

    retryable = True


class QuotaExceeded(AirsliceError):
    """The project has as many live rooms, rules or platforms as it can have."""


class ObjectNotFound(AirsliceError):
    """No such stored object."""


class StoreFailed(AirsliceError):
    """Storing an object failed; the file is kept and will be tried again."""

    retryable = True


class StoreRefused(StoreFailed):
    """The store will not take the object, however often it is tried, until somebody acts.

    The bucket does not exist, the keys are wrong or may not write to it. The file is kept.
    """

    retryable = False
