from __future__ import annotations

import numpy as np
import pytest

from airslice.presenter.text import at_volume, is_chinese, trimmed

SILENCE = [0, 5, -5, 33, -33]


def pcm(samples: list[int]) -> bytes:
    return np.array(samples, np.int16).tobytes()


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("欢迎", True),
        ("价格 199 dollars", True),
        ("𠮷", True),
        ("Welcome", False),
        ("東京へ行く", False),
        ("안녕하세요", False),
        ("1,234", False),
        ("🙂", False),
        ("", False),
    ],
)
def test_chinese_is_told_by_its_script(text: str, answer: bool) -> None:
    assert is_chinese(text) is answer


def test_silence_is_cut_off_but_for_five_milliseconds() -> None:
    speech = [34, -32_768, 0, 0, 0, -34]
    margin = 240

    assert trimmed(pcm(SILENCE * 200 + speech + SILENCE * 200)) == pcm(
        (SILENCE * 200)[-margin:] + speech + (SILENCE * 200)[:margin]
    )


def test_what_begins_and_ends_with_speech_is_left_alone() -> None:
    assert trimmed(pcm([1_000, 0, -1_000])) == pcm([1_000, 0, -1_000])


@pytest.mark.parametrize("samples", [[], SILENCE, [0] * 10_000])
def test_silence_alone_is_nothing(samples: list[int]) -> None:
    assert trimmed(pcm(samples)) == b""


def test_volume_is_a_factor_with_a_soft_limit() -> None:
    assert at_volume(pcm([1_400, -1_400, 0]), 140) == pcm([1_400, -1_400, 0])
    assert at_volume(pcm([1_400, -1_400, 0]), 90) == pcm([900, -900, 0])
    assert at_volume(pcm([1_400, -1_400, 0]), 240) == pcm([2_400, -2_400, 0])

    loud = np.frombuffer(at_volume(pcm([20_000, -32_768]), 240), np.int16)
    assert 30_000 < loud[0] < 32_767
    assert -32_767 <= loud[1] < -32_000
