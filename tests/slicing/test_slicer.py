from __future__ import annotations

import gc
import weakref
from collections.abc import Sequence

from airslice.slicing.audio import OpusAudio, OpusFrame, PcmAudio
from airslice.slicing.slicer import (
    MAX_FILL_SAMPLES,
    Cut,
    SliceAudio,
    SliceDropped,
    SliceEnded,
    SliceEvent,
    Slicer,
    SliceRules,
    SliceStarted,
)
from tests.support.audio.made_audio import payload


class Words:
    """Audio whose samples are letters."""

    def __init__(self, letters: str) -> None:
        self.letters = letters

    @property
    def samples(self) -> int:
        return len(self.letters)

    def split(self, samples: int) -> tuple[Words, Words]:
        assert 0 < samples < self.samples
        return Words(self.letters[:samples]), Words(self.letters[samples:])


def silence(samples: int) -> Words:
    return Words("." * samples)


def unaligned(*, period: int = 5, overlap: int = 0) -> Slicer[Words]:
    return Slicer(SliceRules(overlap=overlap), period=period, position=0)


def aligned(*, period: int = 5, overlap: int = 0, position: int = 0) -> Slicer[Words]:
    rules = SliceRules(overlap=overlap, fill=silence)
    return Slicer(rules, period=period, position=position, origin=0)


def spelled(events: Sequence[SliceEvent[Words]]) -> str:
    """Spell events: `3[abc]3` is a slice from 3 on with 3 samples."""
    spelling = ""
    for event in events:
        match event:
            case SliceStarted(position):
                spelling += f"{position}["
            case SliceAudio(audio):
                spelling += audio.letters
            case SliceEnded(samples):
                spelling += f"]{samples} "
            case SliceDropped():
                spelling += "]dropped "
    return spelling.strip()


def cut(position: int, *, period: int = 5, slicing: bool = True, restart: bool = False) -> Cut:
    return Cut(position=position, period=period, slicing=slicing, restart=restart)


def test_audio_is_cut_where_a_period_ends() -> None:
    slicer = unaligned()

    assert spelled(slicer.feed(0, Words("abc"))) == "0[abc"
    assert spelled(slicer.feed(3, Words("defghijkl"))) == "de]5 5[fghij]5 10[kl"
    assert spelled(slicer.finish()) == "]2"
    assert slicer.finish() == []


def test_the_next_boundary_is_known() -> None:
    slicer = unaligned()
    slicer.feed(0, Words("abc"))
    assert slicer.boundary == 5

    slicer.cut(cut(4, period=7))

    assert slicer.boundary == 4
    assert slicer.period == 5
    slicer.advance(4)
    assert slicer.period == 7


def test_unaligned_periods_count_from_the_first_sample() -> None:
    slicer = unaligned()

    assert spelled(slicer.feed(3, Words("abcdefg"))) == "3[abcde]5 8[fg"


def test_unaligned_slices_leave_unpublished_time_out() -> None:
    slicer = unaligned()

    events = slicer.feed(0, Words("ab")) + slicer.feed(3, Words("cd")) + slicer.feed(17, Words("e"))

    assert spelled(events + slicer.finish()) == "0[abcd]4 17[e]1"


def test_aligned_slices_are_full_and_on_the_grid() -> None:
    slicer = aligned()

    events = slicer.feed(2, Words("ab")) + slicer.feed(16, Words("c")) + slicer.advance(20)

    assert spelled(events) == "0[..ab.]5 15[.c...]5"


def test_a_period_without_publication_has_no_slice() -> None:
    slicer = aligned()

    assert slicer.advance(1_000) == []
    assert slicer.position == 1_000


def test_a_slice_is_closed_when_its_period_is_over_without_waiting_for_audio() -> None:
    slicer = unaligned()
    slicer.feed(0, Words("a"))

    assert slicer.advance(4) == []
    assert spelled(slicer.advance(5)) == "]1"


def test_a_slice_begins_with_the_overlap() -> None:
    slicer = unaligned(overlap=2)

    assert spelled(slicer.feed(0, Words("abcdefghijkl"))) == "0[abcde]5 3[defghij]7 8[ijkl"


def test_the_overlap_is_of_the_time_before_the_period() -> None:
    slicer = unaligned(overlap=3)

    events = slicer.feed(0, Words("abc")) + slicer.feed(6, Words("d")) + slicer.finish()

    assert spelled(events) == "0[abc]3 2[cd]2"


def test_unpublished_time_in_an_aligned_overlap_is_silence() -> None:
    slicer = aligned(overlap=3)

    events = slicer.feed(0, Words("abcd")) + slicer.feed(6, Words("e")) + slicer.advance(10)

    assert spelled(events) == "0[abcd.]5 2[cd..e...]8"


def test_late_audio_is_left_out_and_counted() -> None:
    slicer = unaligned()
    slicer.advance(4)

    assert slicer.feed(0, Words("abcd")) == []
    assert spelled(slicer.feed(2, Words("cdef"))) == "4[ef"
    assert slicer.late_samples == 6


def test_audio_before_the_begin_is_left_out() -> None:
    slicer = aligned(position=7)

    assert spelled(slicer.feed(5, Words("abcdef"))) == "7[cde]3 10[f"


def test_a_cut_ahead_waits_for_its_place() -> None:
    slicer = unaligned()
    slicer.feed(0, Words("a"))

    assert slicer.cut(cut(3, period=2, restart=True)) == []
    assert spelled(slicer.feed(1, Words("bcdefgh"))) == "bc]3 3[de]2 5[fg]2 7[h"


def test_a_cut_of_the_past_cuts_at_once() -> None:
    slicer = unaligned()
    slicer.feed(0, Words("abcd"))

    assert spelled(slicer.cut(cut(2, restart=True))) == "]4"
    assert spelled(slicer.feed(4, Words("efghij"))) == "4[efghi]5 9[j"


def test_after_a_late_cut_an_aligned_slice_repeats_nothing() -> None:
    slicer = aligned(overlap=1)
    slicer.feed(0, Words("abcd"))

    assert spelled(slicer.cut(cut(2, restart=True))) == "]4"
    assert spelled(slicer.feed(4, Words("efgh"))) == "3[defg]4 6[gh"


def test_a_cut_within_the_period_keeps_the_grid() -> None:
    slicer = aligned()
    slicer.feed(0, Words("ab"))

    assert spelled(slicer.cut(cut(2))) == "]2"
    assert spelled(slicer.feed(2, Words("cdefg"))) == "2[cde]3 5[fg"


def test_a_pause_closes_the_slice_and_leaves_audio_out() -> None:
    slicer = unaligned()
    slicer.feed(0, Words("ab"))

    assert spelled(slicer.cut(cut(2, slicing=False))) == "]2"
    assert slicer.feed(2, Words("cdefgh")) == []
    assert slicer.cut(cut(8)) == []
    assert spelled(slicer.feed(8, Words("ijklmn"))) == "8[ijklm]5 13[n"


def test_a_slice_never_overlaps_a_pause() -> None:
    slicer = aligned(overlap=4)
    slicer.feed(0, Words("abcde"))
    slicer.cut(cut(5, slicing=False))
    slicer.feed(5, Words("fg"))
    slicer.cut(cut(7))

    assert spelled(slicer.feed(7, Words("hijkl"))) == "7[hij]3 7[hijkl"


def test_cuts_are_reached_without_audio_too() -> None:
    slicer = aligned()
    slicer.feed(0, Words("a"))
    slicer.cut(cut(3, restart=True))
    slicer.cut(cut(20, period=7, restart=True))

    assert spelled(slicer.advance(30)) == "..]3"
    assert spelled(slicer.feed(30, Words("b")) + slicer.advance(34)) == "27[...b...]7"


def test_audio_after_the_end_begins_a_slice_of_its_own() -> None:
    slicer = aligned()
    slicer.feed(0, Words("ab"))

    assert spelled(slicer.finish()) == "]2"
    assert spelled(slicer.feed(2, Words("c")) + slicer.finish()) == "2[c]1"


def test_silence_is_filled_in_by_pieces() -> None:
    slicer = aligned(period=10 * MAX_FILL_SAMPLES)

    events = slicer.feed(2 * MAX_FILL_SAMPLES + 1, Words("a"))

    lengths = [event.audio.samples for event in events if isinstance(event, SliceAudio)]
    assert lengths == [MAX_FILL_SAMPLES, MAX_FILL_SAMPLES, 1, 1]


def test_nothing_is_kept_but_the_overlap() -> None:
    slicer = unaligned(period=1_000, overlap=25)
    alive: list[weakref.ref[Words]] = []

    for position in range(0, 5_000, 10):
        audio = Words("abcdefghij")
        alive.append(weakref.ref(audio))
        slicer.feed(position, audio)
        del audio
    gc.collect()

    assert sum(ref() is not None for ref in alive) == 3


def test_packets_are_cut_like_samples() -> None:
    slicer: Slicer[OpusAudio] = Slicer(SliceRules(overlap=240), period=1_200, position=0)
    frames = tuple(OpusFrame(payload(960, n), 960) for n in range(3))

    events = slicer.feed(0, OpusAudio(frames)) + slicer.finish()

    parts = [
        (event.audio.frames, event.audio.skip, event.audio.trim)
        for event in events
        if isinstance(event, SliceAudio)
    ]
    assert parts == [
        (frames[:2], 0, 720),
        (frames[1:2], 0, 720),
        (frames[1:], 240, 480),
        (frames[2:], 240, 480),
        (frames[2:], 480, 0),
    ]


def test_decoded_audio_is_cut_without_copying_more_than_its_parts() -> None:
    slicer: Slicer[PcmAudio] = Slicer(SliceRules(), period=3, position=0)
    audio = PcmAudio(b"aabbccdd")

    events = slicer.feed(0, audio)

    assert [event.audio.pcm for event in events if isinstance(event, SliceAudio)] == [
        b"aabbcc",
        b"dd",
    ]
