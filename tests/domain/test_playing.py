"""In which order a program is played, and where a broadcast may end."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airslice.domain.playing import Line, Script, may_end_between, playing_order
from airslice.domain.script import (
    ENDLESS,
    AutoStop,
    Cursor,
    Paragraph,
    PlayMode,
    PlayPolicy,
    Program,
    RandomPlay,
    Scene,
)

START = Cursor()
sizes = st.lists(st.lists(st.integers(0, 3), max_size=4), max_size=4)
policies = st.builds(PlayPolicy, repeat_count=st.integers(0, 3), random=st.sampled_from(RandomPlay))


def a_program(sizes: list[list[int]], policy: PlayPolicy) -> Program:
    """Scenes of paragraphs with so many sentences; each sentence names its place."""
    return Program(
        policy=policy,
        scenes=tuple(
            Scene(
                script_id=f"{scene}",
                name=f"scene {scene}",
                paragraphs=tuple(
                    Paragraph(
                        number=number,
                        text="\n".join(f"{scene}/{number}/{n}" for n in range(sentences)),
                    )
                    for number, sentences in enumerate(paragraphs)
                ),
            )
            for scene, paragraphs in enumerate(sizes)
        ),
    )


def played(script: Script, cursor: Cursor = START, *, at_most: int = 1_000) -> list[Line]:
    lines: list[Line] = []
    while len(lines) < at_most and (line := script.line_at(cursor)) is not None:
        lines.append(line)
        cursor = line.following
    return lines


def texts(lines: list[Line]) -> list[str]:
    return [line.sentence.utterances[0].text for line in lines]


@given(sizes, policies)
def test_every_round_plays_every_sentence_once(sizes: list[list[int]], policy: PlayPolicy) -> None:
    lines = played(Script(a_program(sizes, policy), seed="job"))

    everything = [
        f"{scene}/{number}/{n}"
        for scene, paragraphs in enumerate(sizes)
        for number, sentences in enumerate(paragraphs)
        for n in range(sentences)
    ]
    for round_ in range(policy.repeat_count + 1):
        of_round = texts([line for line in lines if line.cursor.round == round_])
        assert Counter(of_round) == Counter(everything)
        if round_ == 0 or policy.random is RandomPlay.NONE:
            assert of_round == everything
    assert [line.cursor for line in lines] == sorted(line.cursor for line in lines)


@given(sizes, policies)
def test_sentences_of_a_paragraph_and_paragraphs_of_a_scene_stay_together(
    sizes: list[list[int]], policy: PlayPolicy
) -> None:
    lines = played(Script(a_program(sizes, policy), seed="job"))

    for before, after in pairwise(lines):
        if not after.opens_paragraph:
            assert after.cursor == before.following
            assert after.paragraph is before.paragraph
        if after.scene is not before.scene or after.cursor.round != before.cursor.round:
            assert after.opens_paragraph


@given(sizes, policies, st.integers(0, 60))
def test_a_script_that_is_taken_up_anywhere_goes_on_in_the_same_order(
    sizes: list[list[int]], policy: PlayPolicy, stop: int
) -> None:
    program = a_program(sizes, policy)
    lines = played(Script(program, seed="job"))
    before = lines[:stop]
    cursor = before[-1].following if before else Cursor()

    assert before + played(Script(program, seed="job"), cursor) == lines


def test_what_is_shuffled_is_what_the_policy_says() -> None:
    sizes = [[1] * 6 for _ in range(6)]

    def order(random: RandomPlay, round_: int = 1) -> tuple[list[int], list[bool]]:
        turns = playing_order(a_program(sizes, PlayPolicy(random=random)), round_, "seed")
        return [turn.scene for turn in turns], [
            turn.paragraphs == tuple(range(6)) for turn in turns
        ]

    scenes, straight = order(RandomPlay.SCENE)
    assert scenes != sorted(scenes)
    assert all(straight)
    scenes, straight = order(RandomPlay.SCRIPT_ITEM)
    assert scenes == sorted(scenes)
    assert not all(straight)
    scenes, straight = order(RandomPlay.SCENE_AND_SCRIPT_ITEM)
    assert scenes != sorted(scenes)
    assert not all(straight)
    for random in RandomPlay:
        assert order(random, 0) == (list(range(6)), [True] * 6)


def test_an_order_is_that_of_its_seed_and_round_for_ever() -> None:
    program = a_program([[1] * 5], PlayPolicy(random=RandomPlay.SCRIPT_ITEM))

    [turn] = playing_order(program, 1, "seed")

    assert turn.paragraphs == (4, 3, 0, 1, 2)  # as it was when first released
    others = [playing_order(program, round_, seed) for round_, seed in ((2, "seed"), (1, "x"))]
    assert all(other != (turn,) for other in others)


def test_an_endless_script_goes_on_and_one_without_a_sentence_ends_at_once() -> None:
    endless = PlayPolicy(repeat_count=ENDLESS)

    lines = played(Script(a_program([[1]], endless), seed="job"), at_most=500)

    assert lines[-1].cursor == Cursor(499, 0, 0, 0)
    assert played(Script(a_program([[0], []], endless), seed="job")) == []
    assert played(Script(a_program([], endless), seed="job")) == []


def test_recordings_are_one_sentence_each() -> None:
    paragraphs = (
        Paragraph(number=1, audio_url="http://host/a.mp3", text="not spoken"),
        Paragraph(number=2, text="left out"),
        Paragraph(number=3, audio_asset_id="asset 1"),
    )
    scene = Scene(script_id="s", name="s", paragraphs=paragraphs)
    program = Program(scenes=(scene,), policy=PlayPolicy(mode=PlayMode.AUDIO))

    lines = played(Script(program, seed="job"))

    assert [line.recording for line in lines] == ["http://host/a.mp3", "asset:asset 1"]
    assert [line.sentence.utterances for line in lines] == [(), ()]


def test_without_preset_nothing_is_played() -> None:
    program = a_program([[2]], PlayPolicy(mode=PlayMode.NO_PRESET, repeat_count=ENDLESS))

    assert Script(program, seed="job").line_at(Cursor()) is None


@pytest.mark.parametrize(
    ("after", "ends"),
    [
        (Cursor(0, 0, 0, 2), {AutoStop.FORCE_EXIT}),
        (Cursor(0, 0, 1, 0), {AutoStop.FORCE_EXIT, AutoStop.SEGMENT_END}),
        (
            Cursor(0, 1, 0, 0),
            {AutoStop.FORCE_EXIT, AutoStop.SEGMENT_END, AutoStop.SCENE_END},
        ),
        (Cursor(1, 0, 0, 0), set(AutoStop)),
    ],
)
def test_where_a_broadcast_may_end(after: Cursor, ends: set[AutoStop]) -> None:
    before = Cursor(0, 0, 0, 1)

    assert {stop for stop in AutoStop if may_end_between(stop, before, after)} == ends
