"""How the list of events that an owner is notified of is changed."""

from __future__ import annotations

import pytest

from airslice.domain.live_user_config import NotifyAction, NotifyChange, NotifyEvent

NONE: frozenset[NotifyEvent] = frozenset()
EXIT = frozenset({NotifyEvent.AUTO_EXIT})


@pytest.mark.parametrize(
    ("action", "before", "given", "after"),
    [
        (NotifyAction.ADD, NONE, EXIT, EXIT),
        (NotifyAction.ADD, EXIT, NONE, EXIT),
        (NotifyAction.DELETE, EXIT, EXIT, NONE),
        (NotifyAction.DELETE, EXIT, NONE, EXIT),
        (NotifyAction.REPLACE, EXIT, NONE, NONE),
        (NotifyAction.REPLACE, NONE, EXIT, EXIT),
    ],
)
def test_a_list_of_events_is_changed_as_asked(
    action: NotifyAction,
    before: frozenset[NotifyEvent],
    given: frozenset[NotifyEvent],
    after: frozenset[NotifyEvent],
) -> None:
    assert NotifyChange(action=action, events=given).applied_to(before) == after
