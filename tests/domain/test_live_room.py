"""With whom a template is shared, and for how long."""

from __future__ import annotations

from dataclasses import replace

import pytest

from airslice.domain.live_room import SharedState, SharedType, Sharing

NOW_MS = 1_000
PUBLIC = Sharing(type=SharedType.PUBLIC, state=SharedState.PUBLISHED)
NAMED = Sharing(type=SharedType.SHARED, state=SharedState.PUBLISHED, project_ids=("friend",))


def test_a_template_is_private_unless_its_owner_says_otherwise() -> None:
    assert not Sharing().is_open(now_ms=NOW_MS)
    assert not Sharing().is_open_to("friend", now_ms=NOW_MS)


def test_a_public_template_is_open_to_all() -> None:
    assert PUBLIC.is_open(now_ms=NOW_MS)
    assert PUBLIC.is_open_to("anybody", now_ms=NOW_MS)


def test_a_shared_template_is_open_to_those_named() -> None:
    assert NAMED.is_open(now_ms=NOW_MS)
    assert NAMED.is_open_to("friend", now_ms=NOW_MS)
    assert not NAMED.is_open_to("stranger", now_ms=NOW_MS)


def test_names_do_not_open_a_private_template() -> None:
    assert not replace(NAMED, type=SharedType.PRIVATE).is_open_to("friend", now_ms=NOW_MS)


@pytest.mark.parametrize("state", [SharedState.DRAFT, SharedState.REVIEW])
@pytest.mark.parametrize("sharing", [PUBLIC, NAMED])
def test_only_what_is_published_is_open(sharing: Sharing, state: SharedState) -> None:
    assert not replace(sharing, state=state).is_open_to("friend", now_ms=NOW_MS)


@pytest.mark.parametrize("sharing", [PUBLIC, NAMED])
@pytest.mark.parametrize(("until_ms", "is_open"), [(0, True), (NOW_MS, False), (NOW_MS + 1, True)])
def test_it_is_open_until_it_expires(sharing: Sharing, until_ms: int, is_open: bool) -> None:
    limited = replace(sharing, expires_at_ms=until_ms)

    assert limited.is_open(now_ms=NOW_MS) is is_open
    assert limited.is_open_to("friend", now_ms=NOW_MS) is is_open
