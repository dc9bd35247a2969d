from __future__ import annotations

from collections.abc import Callable

import pytest

from airslice.config import Presenter, Settings
from tests.support.values.minimal_config import MINIMAL

Load = Callable[..., Settings]
Refused = Callable[..., list[str]]


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ('engine = "piper"', "presenter.piper_model: is missing, and engine is piper"),
        ('engine = "http"', "presenter.http_url: expected an http or https URL"),
        (
            'engine = "http"\nhttp_url = "http://a/b"\nhttp_api = "openai"',
            "presenter.http_model: is missing, and http_api is openai",
        ),
        ('engine = "sapi"', "presenter.engine: expected one of espeak, piper, http"),
        ("processes = 17", "presenter.processes: expected `int` <= 16"),
        ('voices = { "a" = "" }', "presenter.voices: is empty"),
        ('voices = ["cmn"]', "presenter.voices: expected `object`, got `array`"),
    ],
)
def test_a_speech_engine_needs_its_settings(problems: Refused, table: str, problem: str) -> None:
    assert problems(f"{MINIMAL}\n[presenter]\n{table}\n") == [problem]


def test_pipers_default_voice_is_its_model(load_text: Load) -> None:
    table = '[presenter]\nengine = "piper"\npiper_model = "zh.onnx"\n'

    assert load_text(f"{MINIMAL}\n{table}").presenter.default_voice == "zh.onnx"


def test_the_spools_quota_is_counted_in_bytes(load_text: Load) -> None:
    assert load_text(MINIMAL).server.spool_quota_bytes == 20_000_000_000


def test_defaults_are_what_an_empty_section_gives(load_text: Load) -> None:
    text = f"{MINIMAL}[slicing]\n[storage]\n[presenter]\n[security]\n"

    assert load_text(text) == load_text(MINIMAL)
    assert load_text(text).presenter == Presenter()
