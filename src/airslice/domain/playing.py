"""In which order a program is played, and where a broadcast may end.

Everything follows from the program and a seed, so a broadcast that is interrupted goes on in the
same order.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from airslice.domain.script import (
    ENDLESS,
    AutoStop,
    Cursor,
    Paragraph,
    PlayMode,
    Program,
    RandomPlay,
    Scene,
    Voice,
)
from airslice.domain.sentences import Sentence, sentences

DEFAULT_VOICE = Voice(asset_id="")
"""The voice of scenes that name none; the speech engine decides which one this is."""

ASSET_SCHEME = "asset:"
"""Begins the address of a recording that is named by its asset id."""

_SHUFFLES_SCENES = frozenset({RandomPlay.SCENE, RandomPlay.SCENE_AND_SCRIPT_ITEM})
_SHUFFLES_PARAGRAPHS = frozenset({RandomPlay.SCRIPT_ITEM, RandomPlay.SCENE_AND_SCRIPT_ITEM})


class SceneTurn(NamedTuple):
    """A scene of a round, and its paragraphs in order; places in the script."""

    scene: int
    paragraphs: tuple[int, ...]


def playing_order(program: Program, round_: int, seed: str) -> tuple[SceneTurn, ...]:
    """Return what a round plays, in order.

    Args:
        program: The script and its policy.
        round_: From 0. The first round is never shuffled.
        seed: The same seed gives the same order, on any machine and release.
    """
    shuffle = program.policy.random if round_ else RandomPlay.NONE
    scenes = _places(
        len(program.scenes), f"{seed}/{round_}", are_shuffled=shuffle in _SHUFFLES_SCENES
    )
    return tuple(
        SceneTurn(
            scene,
            _places(
                len(program.scenes[scene].paragraphs),
                f"{seed}/{round_}/{scene}",
                are_shuffled=shuffle in _SHUFFLES_PARAGRAPHS,
            ),
        )
        for scene in scenes
    )


def _places(count: int, seed: str, *, are_shuffled: bool) -> tuple[int, ...]:
    if not are_shuffled:
        return tuple(range(count))

    def lot(place: int) -> bytes:  # `random.shuffle` does not promise to keep its order
        return hashlib.sha256(f"{seed}:{place}".encode()).digest()

    return tuple(sorted(range(count), key=lot))


class Line(NamedTuple):
    """One sentence as it is played."""

    cursor: Cursor
    """Where it stands; the round and places of what is really played."""
    scene: Scene
    paragraph: Paragraph
    sentence: Sentence
    """Without utterances for a recording."""
    recording: str = ""
    """Where the recording is that is played instead of speech."""

    @property
    def following(self) -> Cursor:
        """Where to go on after it; there need not be a sentence."""
        return self.cursor._replace(sentence=self.cursor.sentence + 1)

    @property
    def opens_paragraph(self) -> bool:
        """Whether its paragraph begins with it."""
        return self.cursor.sentence == 0


class Script:
    """A program as one broadcast plays it."""

    def __init__(self, program: Program, *, seed: str) -> None:
        """Play `program` in the order that `seed` gives."""
        self._program = program
        self._seed = seed
        self._order: tuple[int, tuple[SceneTurn, ...]] = (0, playing_order(program, 0, seed))
        self._lines: tuple[tuple[int, int], tuple[Sentence, ...]] | None = None

    def line_at(self, cursor: Cursor) -> Line | None:
        """Return the first sentence at `cursor` or after it; None if the script has ended.

        It may have to read a long paragraph: some 0.5 s for the longest.

        Raises:
            MarkupRefused: a paragraph holds what SSML must not.
        """
        last_round = cursor.round + 1  # a whole round without a sentence: there is none
        while cursor.round <= last_round and self._has_round(cursor.round):
            turns = self._turns(cursor.round)
            if cursor.scene >= len(turns):
                cursor = Cursor(cursor.round + 1)
                continue
            turn = turns[cursor.scene]
            if cursor.paragraph >= len(turn.paragraphs):
                cursor = Cursor(cursor.round, cursor.scene + 1)
                continue
            line = self._line(cursor, turn.scene, turn.paragraphs[cursor.paragraph])
            if line is not None:
                return line
            cursor = Cursor(cursor.round, cursor.scene, cursor.paragraph + 1)
        return None

    def _has_round(self, round_: int) -> bool:
        policy = self._program.policy
        if policy.mode is PlayMode.NO_PRESET:
            return False
        return policy.repeat_count == ENDLESS or round_ <= policy.repeat_count

    def _turns(self, round_: int) -> tuple[SceneTurn, ...]:
        if self._order[0] != round_:
            self._order = (round_, playing_order(self._program, round_, self._seed))
        return self._order[1]

    def _line(self, cursor: Cursor, scene: int, paragraph: int) -> Line | None:
        of_scene = self._program.scenes[scene]
        of_paragraph = of_scene.paragraphs[paragraph]
        if self._program.policy.mode is PlayMode.AUDIO:
            recording = recording_of(of_paragraph)
            if not recording or cursor.sentence:
                return None
            return Line(cursor, of_scene, of_paragraph, Sentence(0, ()), recording)
        place = (scene, paragraph)
        if self._lines is None or self._lines[0] != place:
            voice = of_scene.voice or DEFAULT_VOICE
            self._lines = (place, sentences(of_paragraph.text, voice))
        spoken = self._lines[1]
        if cursor.sentence >= len(spoken):
            return None
        return Line(cursor, of_scene, of_paragraph, spoken[cursor.sentence])


def recording_of(paragraph: Paragraph) -> str:
    """Return where a paragraph's recording is: a URL, or `ASSET_SCHEME` and an asset id.

    Empty if it has none.
    """
    if paragraph.audio_url or not paragraph.audio_asset_id:
        return paragraph.audio_url
    return ASSET_SCHEME + paragraph.audio_asset_id


def may_end_between(auto_stop: AutoStop, before: Cursor, after: Cursor) -> bool:
    """Whether a broadcast that has reached its time limit ends between two sentences.

    Args:
        auto_stop: Where it is to end.
        before: The sentence that was played.
        after: The one that would be next.
    """
    match auto_stop:
        case AutoStop.SEGMENT_END:
            return before[:3] != after[:3]
        case AutoStop.SCENE_END:
            return before[:2] != after[:2]
        case AutoStop.SCRIPT_END:
            return before.round != after.round
        case AutoStop.FORCE_EXIT:
            return True
