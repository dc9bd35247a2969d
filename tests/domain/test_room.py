from __future__ import annotations

import pytest

from airslice.domain.room import MIXED_STREAM, StreamKey, StreamType, is_valid_id


@pytest.mark.parametrize("text", ["a", "room-1", "Ann_2@example.com", ".", "0" * 128])
def test_an_id_has_1_to_128_of_the_documented_characters(text: str) -> None:
    assert is_valid_id(text)


@pytest.mark.parametrize("text", ["", "0" * 129, "a b", "a/b", "房间", "a\n", "a:b", "a*", "٣"])
def test_other_texts_are_no_ids(text: str) -> None:
    assert not is_valid_id(text)


def test_a_users_main_and_screen_streams_are_two() -> None:
    assert StreamKey("ann") == StreamKey("ann", StreamType.MAIN)
    assert StreamKey("ann") != StreamKey("ann", StreamType.SCREEN)


def test_the_mix_is_a_stream_with_a_valid_id() -> None:
    assert StreamKey("mixed") == MIXED_STREAM
    assert is_valid_id(MIXED_STREAM.user_id)
