"""What SSML does to a text."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airslice.domain.script import Voice
from airslice.domain.sentences import Utterance, sentences
from airslice.domain.ssml import MAX_PAUSE_MS, MarkupRefused, read_markup
from tests.support.growth import check_growth

VOICE = Voice(asset_id="voice")


def utterances(ssml: str) -> list[Utterance]:
    return [
        u for sentence in sentences(f"<speak>{ssml}</speak>", VOICE) for u in sentence.utterances
    ]


@pytest.mark.parametrize(
    ("attributes", "pause_ms"),
    [
        ('time="1s"', 1_000),
        ('time="250ms"', 250),
        ('time="0.5s"', 500),
        ('time="1h"', 750),
        ('time="99999s"', MAX_PAUSE_MS),
        ("", 750),
        ('strength="weak"', 500),
        ('strength="x-strong"', 1_250),
        ('strength="none"', 0),
        ('strength="what"', 750),
    ],
)
def test_a_break_is_a_pause_before_what_follows(attributes: str, pause_ms: int) -> None:
    first, *rest = utterances(f"甲<break {attributes}/>乙")

    if pause_ms:
        assert (first.text, first.pause_ms) == ("甲", 0)
        assert [(u.text, u.pause_ms) for u in rest] == [("乙", pause_ms)]
    else:
        assert (first.text, rest) == ("甲乙", [])


def test_breaks_in_one_place_add_up_within_bounds() -> None:
    _, second = utterances("甲" + '<break time="3s"/>' * 2 + "乙")
    _, third = utterances("甲" + '<break time="10s"/>' * 1_000 + "乙")

    assert (second.pause_ms, third.pause_ms) == (6_000, MAX_PAUSE_MS)


def test_a_break_at_the_end_is_kept() -> None:
    *_, last = utterances('甲。<break time="2s"/>')

    assert last == Utterance("", VOICE, 2_000)
    assert utterances('<break time="2s"/>') == [Utterance("", VOICE, 2_000)]


@pytest.mark.parametrize(
    ("attribute", "voice"),
    [
        ('rate="150%"', {"speed": 150}),
        ('rate="+20%"', {"speed": 120}),
        ('rate="-30%"', {"speed": 70}),
        ('rate="0.8"', {"speed": 80}),
        ('rate="fast"', {"speed": 125}),
        ('rate="900%"', {"speed": 200}),
        ('rate="x-slow"', {"speed": 50}),
        ('rate="soon"', {}),
        ('pitch="+12st"', {"pitch": 200}),
        ('pitch="high"', {"pitch": 125}),
        ('pitch="+50Hz"', {}),
        ('volume="loud"', {"volume": 175}),
        ('volume="+6dB"', {"volume": 240}),
        ('volume="80"', {"volume": 112}),
        ('volume="silent"', {"volume": 90}),
        ('rate="fast" pitch="low" volume="soft"', {"speed": 125, "pitch": 75, "volume": 112}),
    ],
)
def test_prosody_changes_the_voice(attribute: str, voice: dict[str, Any]) -> None:
    [said] = utterances(f"<prosody {attribute}>甲</prosody>")

    assert said.voice == replace(VOICE, **voice)


def test_prosody_multiplies_onto_what_is_around_it() -> None:
    slow = replace(VOICE, speed=80)
    text = '<speak><prosody rate="150%">甲<prosody rate="50%">乙</prosody>丙</prosody>丁</speak>'

    [sentence] = sentences(text, slow)

    assert [(u.text, u.voice.speed) for u in sentence.utterances] == [
        ("甲", 120), ("乙", 60), ("丙", 120), ("丁", 80),
    ]  # fmt: skip


def test_a_prosody_as_deep_as_the_text_is_bounded() -> None:
    depth = 3_000
    for rate in ("1000%", "1%"):
        ssml = f'<prosody rate="{rate}">' * depth + "甲" + "</prosody>" * depth
        [said] = utterances(ssml)
        assert said.voice.speed in (50, 200)


def test_emphasis_is_slower_and_louder() -> None:
    [said] = utterances('<emphasis level="strong">甲</emphasis>')

    assert (said.voice.speed, said.voice.volume) == (90, 175)


def test_say_as_is_passed_on_and_never_cut() -> None:
    said = utterances('On <say-as interpret-as="date">2024. 05. 01</say-as>. Then.')

    assert [(u.text, u.say_as) for u in said] == [
        ("On", ""), ("2024. 05. 01", "date"), ("Then.", ""),
    ]  # fmt: skip


def test_sub_says_its_alias() -> None:
    [said] = utterances('The <sub alias="World Wide Web">WWW</sub>!')

    assert said.text == "The World Wide Web!"


def test_sentences_and_paragraphs_end_sentences() -> None:
    found = sentences("<speak><p>甲</p><p><s>乙</s><s>丙</s></p></speak>", VOICE)

    assert [[u.text for u in s.utterances] for s in found] == [["甲"], ["乙"], ["丙", ""]]
    assert found[1].utterances[0].pause_ms == 500


def test_layout_of_the_markup_is_no_end_of_a_sentence() -> None:
    assert [u.text for u in utterances("\n  甲乙\n  丙\n")] == ["甲乙 丙"]


def test_unknown_elements_are_read_through_and_meta_is_not_read() -> None:
    [said] = utterances(
        "<metadata>x</metadata>甲<mstts:express-as style='sad'>乙</mstts:express-as>丙"
    )

    assert said.text == "甲乙丙"


def test_a_question_mark_after_a_tag_belongs_to_the_sentence() -> None:
    said = utterances("<prosody rate='fast'>Really</prosody>? Yes.")

    assert [u.text for u in said] == ["Really?", "Yes."]


def test_tags_without_speak_around_them_are_understood() -> None:
    [sentence] = sentences('甲<break time="1s"/>乙', VOICE)

    assert [u.pause_ms for u in sentence.utterances] == [0, 1_000]


@pytest.mark.parametrize(
    "text",
    ["<speak>甲 <b>乙</speak>", "<speak>甲 &nbsp; 乙</speak>", "甲 乙</speak>", "<speak>甲 乙"],
)
def test_malformed_markup_is_read_without_its_tags(text: str) -> None:
    [sentence] = sentences(text, VOICE)

    [said] = sentence.utterances
    assert said.text == "甲 乙"


@pytest.mark.parametrize(
    "declaration",
    ["<!DOCTYPE a>", '<!DOCTYPE a [<!ENTITY b "c">]>', '<!DOCTYPE a SYSTEM "file:///etc/passwd">'],
)
def test_a_document_type_definition_is_refused(declaration: str) -> None:
    with pytest.raises(MarkupRefused):
        sentences(f"{declaration}<speak>&b;</speak>", VOICE)


tags = st.sampled_from([
    "<p>", "</p>", "<s>", "</s>", "<break/>", '<prosody rate="fast">', "</prosody>", "<speak>",
    "</speak>", "甲。", "ab. ", "&amp;", "&", "<", ">", '<say-as interpret-as="x">', "</say-as>",
    '<sub alias="乙。丙">', "</sub>", "\n", "<!--", "-->", "<![CDATA[", "]]>",
])  # fmt: skip


@given(st.lists(tags, max_size=40).map("".join))
def test_any_markup_is_read_and_its_runs_cover_its_text(text: str) -> None:
    markup = read_markup(text, VOICE)

    position = 0
    for run in markup.runs:
        assert run.start == position < run.end
        position = run.end
    assert position == len(markup.text)
    assert list(markup.pauses) == sorted(markup.pauses)
    sentences(text, VOICE)


@pytest.mark.parametrize(
    ("begin", "repeated", "end", "count"),
    [
        ("<speak>", "<a>", "x</speak>", 40_000),
        ("<speak>", "a<break/>", "</speak>", 14_000),
        ("<speak>", "<say-as interpret-as='x'>a. B</say-as>", "</speak>", 3_300),
        ("", "<", "", 131_072),
        ("", "甲。", "", 65_000),
    ],
)
def test_the_longest_texts_are_read_in_proportionate_time(
    begin: str, repeated: str, end: str, count: int
) -> None:
    half, whole = (begin + repeated * number + end for number in (count // 2, count))

    check_growth(partial(sentences, half, VOICE), partial(sentences, whole, VOICE))
