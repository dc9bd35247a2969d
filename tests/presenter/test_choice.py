"""Utterances in the words of the speakers' processes."""

from __future__ import annotations

import pytest

from airslice.domain.script import Voice
from airslice.domain.sentences import Utterance
from airslice.presenter.choice import ProcessVoices, espeak_request, piper_request

PLAIN = Voice(asset_id="anna")


@pytest.mark.parametrize(("pitch", "parameter"), [(50, 0), (100, 50), (141, 75), (200, 99)])
def test_espeaks_pitch_is_logarithmic(pitch: int, parameter: int) -> None:
    utterance = Utterance("hello", Voice(asset_id="anna", pitch=pitch))

    request = espeak_request(ProcessVoices(), utterance, "hello")

    assert request["pitch"] == parameter
    assert request["range"] == pitch // 2


@pytest.mark.parametrize(("speed", "words_per_minute"), [(50, 88), (100, 175), (200, 350)])
def test_espeaks_rate_is_in_words_per_minute(speed: int, words_per_minute: int) -> None:
    utterance = Utterance("hello", Voice(asset_id="anna", speed=speed))

    assert espeak_request(ProcessVoices(), utterance, "hello")["rate"] == words_per_minute


@pytest.mark.parametrize(
    ("voices", "default", "text", "candidates"),
    [
        ({"anna": "en-gb"}, "de", "hello", ["en-gb"]),
        ({"bert": "en-gb"}, "de", "hello", ["anna", "de"]),
        ({}, "", "hello", ["anna", "en-us"]),
        ({}, "", "你好", ["anna", "cmn"]),
    ],
)
def test_espeaks_voice_is_the_assets_or_a_voice_of_that_name_or_the_texts(
    voices: dict[str, str], default: str, text: str, candidates: list[str]
) -> None:
    choice = ProcessVoices(voices=voices, default_voice=default)

    request = espeak_request(choice, Utterance(text, PLAIN), text)

    assert request["voices"] == candidates


def test_pipers_model_is_the_assets_or_the_default() -> None:
    choice = ProcessVoices(voices={"anna": "/models/anna.onnx"})
    bert = Utterance("hello", Voice(asset_id="bert", speed=200, pitch=50))

    known = piper_request(choice, Utterance("hello", PLAIN), "hello")
    unknown = piper_request(choice, bert, "hello")

    assert known == {"text": "hello", "model": "/models/anna.onnx", "speed": 1, "pitch": 1}
    assert unknown == {"text": "hello", "model": "", "speed": 2, "pitch": 0.5}


def test_what_is_spelled_reaches_each_speaker_as_such() -> None:
    utterance = Utterance("123", PLAIN, say_as="digits")

    assert espeak_request(ProcessVoices(), utterance, "123")["is_spelled"]
    assert piper_request(ProcessVoices(), utterance, "123")["text"] == "1 2 3"
