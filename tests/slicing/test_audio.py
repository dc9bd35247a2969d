from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from airslice.slicing.audio import (
    PREROLL_SAMPLES,
    OpusAudio,
    OpusFrame,
    PcmAudio,
    preroll,
)
from tests.support.audio.made_audio import PACKET_LENGTHS, examples, payload

frame_rows = st.lists(st.sampled_from(PACKET_LENGTHS), min_size=1, max_size=40).map(
    lambda lengths: tuple(OpusFrame(payload(n, at), n) for at, n in enumerate(lengths))
)


@st.composite
def opus_audio(draw: st.DrawFn) -> OpusAudio:
    """Audio of which the outermost packets may belong only in part."""
    frames = draw(frame_rows)
    skip = 120 * draw(st.integers(0, frames[0].samples // 120 - 1))
    most = frames[-1].samples - (skip if len(frames) == 1 else 0)
    trim = 120 * draw(st.integers(0, most // 120 - 1))
    return OpusAudio(frames, skip, trim, before=draw(frame_rows))


def grains(audio: OpusAudio) -> list[tuple[int, int]]:
    """Spell audio out: for every 2.5 ms, the identity of the packet and the place in it."""
    spelled = [(id(frame), at) for frame in audio.frames for at in range(0, frame.samples, 120)]
    return spelled[audio.skip // 120 : len(spelled) - audio.trim // 120]


@examples(200)
@given(data=st.data(), audio=opus_audio())
def test_the_two_parts_of_opus_audio_are_the_whole(data: st.DataObject, audio: OpusAudio) -> None:
    if audio.samples == 120:
        return
    cut = 120 * data.draw(st.integers(1, audio.samples // 120 - 1))

    head, tail = audio.split(cut)

    assert head.samples == cut
    assert tail.samples == audio.samples - cut
    assert grains(head) + grains(tail) == grains(audio)


@examples(200)
@given(data=st.data(), audio=opus_audio())
def test_parts_of_opus_audio_hold_no_packet_that_does_not_belong(
    data: st.DataObject, audio: OpusAudio
) -> None:
    if audio.samples == 120:
        return

    for part in audio.split(120 * data.draw(st.integers(1, audio.samples // 120 - 1))):
        assert 0 <= part.skip < part.frames[0].samples
        assert 0 <= part.trim < part.frames[-1].samples
        assert part.samples == 120 * len(grains(part)) > 0


@examples(200)
@given(data=st.data(), audio=opus_audio())
def test_each_part_knows_the_packets_right_before_it(data: st.DataObject, audio: OpusAudio) -> None:
    if audio.samples == 120:
        return

    head, tail = audio.split(120 * data.draw(st.integers(1, audio.samples // 120 - 1)))

    history = audio.before + audio.frames
    before_tail = history[: len(history) - len(tail.frames)]
    assert head.before == audio.before
    assert tail.before == preroll(before_tail)


@given(frames=frame_rows)
def test_a_preroll_is_no_longer_than_needed(frames: tuple[OpusFrame, ...]) -> None:
    chosen = preroll(frames)

    assert chosen == frames[len(frames) - len(chosen) :]
    assert sum(f.samples for f in chosen[1:]) < PREROLL_SAMPLES
    assert chosen == frames or sum(f.samples for f in chosen) >= PREROLL_SAMPLES


def test_nothing_before_is_no_preroll() -> None:
    assert preroll(()) == ()


@given(pcm=st.binary(min_size=4, max_size=60).filter(lambda b: len(b) % 2 == 0), data=st.data())
def test_the_two_parts_of_pcm_are_the_whole(pcm: bytes, data: st.DataObject) -> None:
    audio = PcmAudio(pcm)
    cut = data.draw(st.integers(1, audio.samples - 1))

    head, tail = audio.split(cut)

    assert head.samples == cut
    assert head.pcm + tail.pcm == pcm
