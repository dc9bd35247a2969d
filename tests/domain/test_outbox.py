from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from airslice.domain.outbox import (
    LONG_PAUSES_S,
    TRANSITIONS,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Failed,
    Gone,
    IllegalDeliveryEvent,
    Made,
    SliceName,
    upload_pause_s,
)
from airslice.domain.room import StreamKey
from airslice.domain.slice_record import SliceState

PAGE = Path(__file__).parents[2] / "docs" / "decisions" / "outbox.md"
FAILED = Failed(reason="HTTP 500")


def a_delivery(kind: DeliveryKind = DeliveryKind.CALLBACK) -> Delivery:
    return Delivery(
        id=1,
        kind=kind,
        destination="app",
        lane="lane",
        position=0,
        state=DeliveryState.WAITING,
        due_at_ms=0,
        created_at_ms=0,
        slice=SliceName("run", StreamKey("alice"), 0),
    )


def pauses_s(delivery: Delivery) -> list[tuple[DeliveryState, float]]:
    """Fail every try when it is due, until there is none; give the state and pause after each."""
    now_ms, seen = 0, []
    while delivery.state is not DeliveryState.DEAD:
        delivery = delivery.after(FAILED, now_ms=now_ms, chance=0.9)
        seen.append((delivery.state, (delivery.due_at_ms - now_ms) / 1000))
        now_ms = delivery.due_at_ms
    return seen[:-1]


def test_a_callback_is_tried_three_times_quickly_and_then_for_three_days() -> None:
    waiting, parked = DeliveryState.WAITING, DeliveryState.PARKED

    tries = pauses_s(a_delivery())

    minute, hour = 60, 3_600
    assert tries == [
        (waiting, 1),
        (waiting, 3),
        (parked, 5),
        (parked, 5 * minute),
        (parked, 30 * minute),
        (parked, 2 * hour),
        (parked, 5 * hour),
        (parked, 10 * hour),
        (parked, 14 * hour),
        (parked, 20 * hour),
        (parked, 24 * hour),
    ]
    assert 3 <= sum(LONG_PAUSES_S) / (24 * hour) < 3.2


@pytest.mark.parametrize(
    ("asked_s", "pause_s"), [(0, 1), (0.5, 1), (100, 100), (86_400, 86_400), (1e12, 86_400)]
)
def test_a_receiver_may_ask_for_a_longer_pause_of_up_to_a_day(
    asked_s: float, pause_s: float
) -> None:
    busy = Failed(reason="HTTP 429", retry_after_s=asked_s)

    after = a_delivery().after(busy, now_ms=5_000, chance=0)

    assert after.due_at_ms == 5_000 + pause_s * 1000
    assert after.state is DeliveryState.WAITING


def test_a_receiver_that_is_gone_is_not_tried_again() -> None:
    after = a_delivery().after(Gone(reason="HTTP 410"), now_ms=0, chance=0)

    assert (after.state, after.last_error) == (DeliveryState.DEAD, "HTTP 410")


def test_an_upload_is_tried_for_ever_and_at_least_every_minute() -> None:
    delivery, seen = a_delivery(DeliveryKind.UPLOAD), []
    for _ in range(1_000):
        delivery = delivery.after(FAILED, now_ms=0, chance=0)
        seen.append(delivery.due_at_ms / 1000)

    assert seen[:8] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert set(seen[8:]) == {60}
    assert delivery.state is DeliveryState.WAITING


@pytest.mark.parametrize("failed_tries", [1, 2, 7, 10**9])
def test_uploads_that_failed_together_are_spread_over_half_of_the_pause(failed_tries: int) -> None:
    longest = upload_pause_s(failed_tries, 0)

    assert upload_pause_s(failed_tries, 0.5) == pytest.approx(longest * 0.75)
    assert upload_pause_s(failed_tries, 0.999999) == pytest.approx(longest / 2, rel=1e-5)


def test_a_long_error_is_cut() -> None:
    after = a_delivery().after(Failed(reason="x" * 10_000), now_ms=0, chance=0)

    assert len(after.last_error) == 300


def test_a_dead_delivery_can_be_revived_for_another_round() -> None:
    dead = replace(a_delivery(), state=DeliveryState.DEAD, attempts=12, last_error="HTTP 500")

    revived = dead.revived(now_ms=77)

    assert (revived.state, revived.attempts, revived.due_at_ms) == (DeliveryState.WAITING, 0, 77)
    assert revived.last_error == "HTTP 500"
    assert len(pauses_s(revived)) == 11


@pytest.mark.parametrize("state", [DeliveryState.HELD, DeliveryState.DEAD, DeliveryState.DONE])
@pytest.mark.parametrize("outcome", [Made(), Gone(reason="")])
def test_what_is_not_to_be_tried_has_no_outcome(state: DeliveryState, outcome: Made | Gone) -> None:
    with pytest.raises(IllegalDeliveryEvent):
        replace(a_delivery(), state=state).after(outcome, now_ms=0, chance=0)


def test_what_is_done_stays_done() -> None:
    assert not [state for state, _ in TRANSITIONS if state is DeliveryState.DONE]
    with pytest.raises(IllegalDeliveryEvent):
        replace(a_delivery(), state=DeliveryState.DONE).revived(now_ms=0)


@pytest.mark.parametrize(
    ("kind", "state", "slice_state"),
    [
        (DeliveryKind.UPLOAD, DeliveryState.DONE, SliceState.STORED),
        (DeliveryKind.UPLOAD, DeliveryState.DEAD, None),
        (DeliveryKind.CALLBACK, DeliveryState.PARKED, None),
        (DeliveryKind.CALLBACK, DeliveryState.DONE, SliceState.ANNOUNCED),
        (DeliveryKind.CALLBACK, DeliveryState.DEAD, SliceState.GIVEN_UP),
    ],
)
def test_a_slice_comes_as_far_as_its_deliveries(
    kind: DeliveryKind, state: DeliveryState, slice_state: SliceState | None
) -> None:
    delivery = replace(a_delivery(kind), state=state)

    assert delivery.slice_state is slice_state
    assert replace(delivery, slice=None).slice_state is None


def test_the_documented_diagram_is_the_transition_table() -> None:
    drawn = re.findall(r"^    (\w+) --> (\w+): (\w+)$", PAGE.read_text(), re.MULTILINE)

    assert drawn == [
        (str(before), str(after), str(event)) for (before, event), after in TRANSITIONS.items()
    ]
