"""How texts are cut into sentences."""
# ruff: noqa: RUF001 - Chinese punctuation is meant

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airslice.domain.script import Voice
from airslice.domain.sentences import MAX_SENTENCE_CHARS, sentences

VOICE = Voice(asset_id="voice")


def spoken(text: str) -> list[str]:
    return [
        "|".join(utterance.text for utterance in sentence.utterances)
        for sentence in sentences(text, VOICE)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("你好！欢迎来到直播间。今天讲什么？", ["你好！", "欢迎来到直播间。", "今天讲什么？"]),
        ("第一；第二……第三", ["第一；", "第二……", "第三"]),
        ("她说：“走吧！”我们走了。", ["她说：“走吧！”", "我们走了。"]),
        ("真的？！不会吧！！！", ["真的？！", "不会吧！！！"]),
        ("一行\n两行\r\n\n三行", ["一行", "两行", "三行"]),
        ("价格是3.14元。今天!明天", ["价格是3.14元。", "今天!", "明天"]),
        ("Hello there. How are you? Fine!", ["Hello there.", "How are you?", "Fine!"]),
        ("It costs 3.50 dollars. See example.com.", ["It costs 3.50 dollars.", "See example.com."]),
        ("Mr. Smith met Dr. J. Watson. They left.", ["Mr. Smith met Dr. J. Watson.", "They left."]),
        ("The U.S. economy, e.g. Texas. Next.", ["The U.S. economy, e.g. Texas.", "Next."]),
        ("No. 5 is here. No. That is all.", ["No. 5 is here.", "No.", "That is all."]),
        ('"Stop!" he said. "Why?" She left.', ['"Stop!" he said.', '"Why?"', "She left."]),
        ("1. Open the box. 2. Look.", ["1. Open the box.", "2. Look."]),
        ("One; two; three", ["One;", "two;", "three"]),
        ("Well... that is it. etc. and so on", ["Well... that is it. etc. and so on"]),
        ("a < b, and c > d", ["a < b, and c > d"]),
        (" \n。。。 ——", []),
        ("", []),
    ],
)
def test_sentences_end_where_a_reader_takes_breath(text: str, expected: list[str]) -> None:
    assert spoken(text) == expected


def test_a_long_sentence_is_cut_at_a_comma_or_else_at_a_space_or_else_anywhere() -> None:
    clause = "甲" * 60
    by_commas = spoken(f"{clause}，{clause}，{clause}，{clause}。")
    by_spaces = spoken("word " * 100)
    anywhere = spoken("甲" * 450)

    assert by_commas == [f"{clause}，" * 3, f"{clause}。"]
    assert len(by_spaces) == 3
    assert all(part.endswith("word") for part in by_spaces)
    assert [len(part) for part in anywhere] == [200, 200, 50]


@given(st.text(st.sampled_from('甲乙ab1 ,，.。!?！;\n…"”)<>&/'), max_size=700))
def test_nothing_that_can_be_spoken_is_left_out_or_said_twice(text: str) -> None:
    found = sentences(text, VOICE)

    said = [c for s in found for u in s.utterances for c in u.text if c.isalnum()]
    assert said == [c for c in text if c.isalnum()]
    assert all(len(s.utterances) == 1 for s in found)
    assert all(0 < len(s.utterances[0].text) <= MAX_SENTENCE_CHARS for s in found)


@given(st.text(st.sampled_from("甲ab ,.。!\n"), max_size=300))
def test_an_offset_is_where_the_sentence_begins(text: str) -> None:
    found = sentences(text, VOICE)
    assert found or not any(c.isalnum() for c in text)
    for sentence in found:
        said = sentence.utterances[0].text
        assert text[sentence.offset :].startswith(said.split()[0])


@given(st.text(max_size=300))
def test_any_text_can_be_read(text: str) -> None:
    for sentence in sentences(text, VOICE):
        for utterance in sentence.utterances:
            utterance.text.encode()  # no half of a character
