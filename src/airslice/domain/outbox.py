"""Deliveries that are still to be made, and when each is tried again.

A delivery is an entry of the outbox: a slice to be uploaded, or an event to be called back. It
stays in the outbox until it is made. Storing and making deliveries is not here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from airslice.domain.callback import CallbackEvent
from airslice.domain.room import StreamKey
from airslice.domain.slice_record import SliceState


class DeliveryKind(StrEnum):
    """What a delivery brings to whom."""

    UPLOAD = "upload"  # bring a slice to its bucket
    CALLBACK = "callback"  # tell an application's owner of an event
    LIVE_EVENT = "live_event"  # tell a live job's owner of an event


class DeliveryState(StrEnum):
    """Where a delivery is in its life."""

    HELD = "held"  # a callback that waits for what comes before it in its lane
    WAITING = "waiting"  # next in its lane: tried when it is due
    PARKED = "parked"  # tried in vain, and tried again when due; its lane goes on without it
    DEAD = "dead"  # not tried again unless somebody asks for it
    DONE = "done"  # made; it leaves the outbox


class DeliveryEvent(StrEnum):
    """What happens to a delivery."""

    RELEASED = "released"  # nothing is before it in its lane any more
    MADE = "made"
    FAILED = "failed"
    PUT_ASIDE = "put_aside"  # failed as often as its lane waits for it
    GIVEN_UP = "given_up"
    REVIVED = "revived"  # somebody asked for another round of tries


_S, _E = DeliveryState, DeliveryEvent

TRANSITIONS: Mapping[tuple[DeliveryState, DeliveryEvent], DeliveryState] = {
    (_S.HELD, _E.RELEASED): _S.WAITING,
    (_S.WAITING, _E.MADE): _S.DONE,
    (_S.WAITING, _E.FAILED): _S.WAITING,
    (_S.WAITING, _E.PUT_ASIDE): _S.PARKED,
    (_S.WAITING, _E.GIVEN_UP): _S.DEAD,
    (_S.PARKED, _E.MADE): _S.DONE,
    (_S.PARKED, _E.PUT_ASIDE): _S.PARKED,
    (_S.PARKED, _E.GIVEN_UP): _S.DEAD,
    (_S.PARKED, _E.REVIVED): _S.WAITING,
    (_S.DEAD, _E.REVIVED): _S.WAITING,
}
"""The whole life of a delivery; docs/decisions/outbox.md draws it."""

HOLDS_LANE = frozenset({DeliveryState.HELD, DeliveryState.WAITING})
"""States in which a delivery holds back the callbacks after it."""

QUICK_PAUSES_S = (1, 3)
"""Pauses between the three tries of a callback that are documented
(https://www.volcengine.com/docs/6348/75110); the pauses are ours."""

LONG_PAUSES_S = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Pauses before each further try of a callback, 75 h in all, as Standard Webhooks 1.0 proposes
under "Deliverability and reliability"."""

MAX_RETRY_AFTER_S = 86_400
"""Longest pause that a receiver can ask for, in seconds."""

MAX_UPLOAD_PAUSE_S = 60
"""Longest pause between two tries of an upload, in seconds."""

MAX_ERROR_CHARS = 300
"""How much is kept of the message of a failed try."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    """A try that succeeded."""

    then: CallbackEvent | None = None
    """The event that is to be called back next, in the same place of the lane."""
    business_id: str = ""
    """The business whose receiver gets `then`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Failed:
    """A try that failed; another one may succeed."""

    reason: str
    retry_after_s: float = 0
    """Pause that the other side asks for, in seconds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Gone:
    """A try that failed as all others would."""

    reason: str


Outcome = Made | Failed | Gone


@dataclass(frozen=True, slots=True)
class SliceName:
    """Names a slice of a task's run."""

    run_id: str
    stream: StreamKey
    index: int


def slice_lane(run_id: str, stream: StreamKey) -> str:
    """Return the lane of the slices of one stream in one run."""
    return f"run/{run_id}/{int(stream.stream_type)}/{stream.user_id}"


class IllegalDeliveryEvent(Exception):
    """Raised for an event that cannot happen in a delivery's state; the delivery is unchanged."""


_SLICE_STATES = {
    (DeliveryKind.UPLOAD, DeliveryState.DONE): SliceState.STORED,
    (DeliveryKind.CALLBACK, DeliveryState.DONE): SliceState.ANNOUNCED,
    (DeliveryKind.CALLBACK, DeliveryState.DEAD): SliceState.GIVEN_UP,
    (DeliveryKind.CALLBACK, DeliveryState.WAITING): SliceState.STORED,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """One entry of the outbox."""

    id: int
    kind: DeliveryKind
    destination: str
    """What fails together: a bucket, or the receivers of an application or a project."""
    lane: str
    """Names a sequence of callbacks, which are first tried one after another."""
    position: int
    """Place in the lane."""
    state: DeliveryState
    attempts: int = 0
    """Tries that failed since the delivery was put into the outbox, or revived."""
    due_at_ms: int
    """When the delivery may be tried: UTC, milliseconds since the Unix epoch."""
    created_at_ms: int
    """When it was put into the outbox: UTC, milliseconds since the Unix epoch."""
    last_error: str = ""
    """Message of the latest failed try, at most `MAX_ERROR_CHARS` long."""
    slice: SliceName | None = None
    """The slice that is uploaded or announced; None for other events."""
    spool_name: str = ""
    """Name of the slice's file in the spool; empty if there is no slice."""
    event: CallbackEvent | None = None
    """The event that is called back; None for an upload."""
    business_id: str = ""
    """The business whose receiver gets the event; for a live job's event, the id of the job."""

    @property
    def slice_state(self) -> SliceState | None:
        """The state that the delivery puts its slice in; None if it changes no slice's state."""
        return None if self.slice is None else _SLICE_STATES.get((self.kind, self.state))

    def after(self, outcome: Outcome, *, now_ms: int, chance: float) -> Delivery:
        """Return the delivery as it is after a try.

        Args:
            outcome: What came of the try.
            now_ms: When it ended: UTC, milliseconds since the Unix epoch.
            chance: A random number, 0 <= chance < 1, that spreads tries which failed together.

        Raises:
            IllegalDeliveryEvent: deliveries in this state are not tried.
        """
        if isinstance(outcome, Made):
            return self._moved(DeliveryEvent.MADE)
        tried = replace(
            self, attempts=self.attempts + 1, last_error=outcome.reason[:MAX_ERROR_CHARS]
        )
        if isinstance(outcome, Gone):
            return tried._moved(DeliveryEvent.GIVEN_UP)
        if self.kind is DeliveryKind.UPLOAD:
            event, pause_s = DeliveryEvent.FAILED, upload_pause_s(tried.attempts, chance)
        else:
            event, pause_s = _callback_retry(tried.attempts)
        pause_s = max(pause_s, min(outcome.retry_after_s, MAX_RETRY_AFTER_S))
        return replace(tried._moved(event), due_at_ms=now_ms + round(pause_s * 1000))

    def revived(self, *, now_ms: int) -> Delivery:
        """Return the delivery at the beginning of another round of tries, the first at `now_ms`.

        Raises:
            IllegalDeliveryEvent: the delivery is neither dead nor parked.
        """
        return replace(self._moved(DeliveryEvent.REVIVED), attempts=0, due_at_ms=now_ms)

    def _moved(self, event: DeliveryEvent) -> Delivery:
        state = TRANSITIONS.get((self.state, event))
        if state is None:
            raise IllegalDeliveryEvent(f"{event} while {self.state}")
        return replace(self, state=state)


def upload_pause_s(failed_tries: int, chance: float) -> float:
    """Return how long to wait after a failed upload, in seconds.

    Args:
        failed_tries: How often the upload has failed, at least 1.
        chance: A random number, 0 <= chance < 1, that shortens the pause by up to half.

    Returns:
        1 s, doubled for each further failure up to `MAX_UPLOAD_PAUSE_S`, then shortened.
    """
    doublings = min(failed_tries - 1, MAX_UPLOAD_PAUSE_S.bit_length())
    return min(MAX_UPLOAD_PAUSE_S, 1 << doublings) * (1 - chance / 2)


def _callback_retry(failed_tries: int) -> tuple[DeliveryEvent, float]:
    if failed_tries <= len(QUICK_PAUSES_S):
        return DeliveryEvent.FAILED, QUICK_PAUSES_S[failed_tries - 1]
    late_tries = failed_tries - len(QUICK_PAUSES_S) - 1
    if late_tries < len(LONG_PAUSES_S):
        return DeliveryEvent.PUT_ASIDE, LONG_PAUSES_S[late_tries]
    return DeliveryEvent.GIVEN_UP, 0
