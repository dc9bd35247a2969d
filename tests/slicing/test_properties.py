"""The whole core from packets to slices, against the naive model."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airslice.slicing.assembly import PassthroughAssembler, PcmAssembler
from airslice.slicing.audio import OpusAudio, PcmAudio
from airslice.slicing.jitter import DEFAULT_WINDOW_NS, ReorderBuffer
from airslice.slicing.mixer import KNEE, Mixer
from airslice.slicing.opus_packet import LEVEL_SILENT, silent_frames
from airslice.slicing.packets import RtpPacket
from airslice.slicing.slicer import (
    Cut,
    SliceAudio,
    SliceEnded,
    SliceEvent,
    Slicer,
    SliceRules,
    SliceStarted,
)
from airslice.slicing.timeline import Piece, Timeline
from tests.support.audio.made_audio import (
    GRAIN,
    GRAIN_NS,
    PACKET_LENGTHS,
    MarkingDecoder,
    examples,
    payload,
)
from tests.support.audio.naive_model import (
    NaiveSlice,
    Published,
    Regime,
    Sent,
    naive_slices,
    published,
    taken,
)

RATE_HZ = 16_000
DIVISOR = 3
WINDOW_NS = DEFAULT_WINDOW_NS
LONGEST_RUN = 1_000
"""Grains, 2.5 s: so that the least delay of the last 4 s is always that of an undelayed packet."""


@dataclass(frozen=True)
class Network:
    """How badly packets travel."""

    jitter_ms: int
    loss: float
    duplicates: float


networks = st.builds(
    Network,
    jitter_ms=st.sampled_from((0, 10, 150, 400)),
    loss=st.sampled_from((0.0, 0.05, 0.3)),
    duplicates=st.sampled_from((0.0, 0.1)),
)


def sent_stream(rng: random.Random, network: Network) -> list[list[Sent]]:
    """Make up a stream: for each source, its packets in order of arrival."""
    sources: list[list[Sent]] = []
    grain = 0  # of the sender's time
    number = 0
    for _ in range(rng.randint(1, 3)):
        source: list[Sent] = []
        offset = rng.choice((0, 65_530, rng.randrange(2**16))) - number
        first_ticks = rng.choice((0, 2**32 - 9_600, rng.randrange(2**32)))
        ticks = 0
        for run in range(rng.randint(1, 3)):
            if run:
                grain += rng.randint(400, 900)  # a pause: time goes by, timestamps do not
            ends = grain + LONGEST_RUN
            usual = rng.choice(PACKET_LENGTHS)
            for index in range(rng.randint(1, 40)):
                if grain > ends:
                    break
                if index and rng.random() < 0.1:  # discontinuous transmission
                    silence = rng.randint(1, 300)
                    grain += silence
                    ticks += silence * GRAIN
                samples = usual if rng.random() < 0.8 else rng.choice(PACKET_LENGTHS)
                if index == 0 or rng.random() >= network.loss:
                    for _ in range(1 + (rng.random() < network.duplicates)):
                        late_ns = 0
                        if index and rng.random() < 0.5:
                            late_ns = rng.randint(0, network.jitter_ms * 1_000_000)
                        arrival_ns = grain * GRAIN_NS + late_ns
                        rtp = RtpPacket(
                            (number + offset) & 0xFFFF,
                            (first_ticks + ticks) & 0xFFFF_FFFF,
                            arrival_ns,
                            30,
                            payload(samples, number),
                        )
                        source.append(
                            Sent(
                                number=number,
                                ticks=ticks,
                                samples=samples,
                                arrival_ns=arrival_ns,
                                run=run,
                                packet=rtp,
                            )
                        )
                number += 1
                grain += samples // GRAIN
                ticks += samples
        source.sort(key=lambda sent: sent.arrival_ns)
        sources.append(source)
        grain += rng.randint(-60, 800)  # a reconnect, which may overlap
    for old, new in pairwise(sources):  # an SSRC that was left is not listened to any more
        old[:] = [sent for sent in old if sent.arrival_ns < new[0].arrival_ns]
    return [source for source in sources if source]


def placed(sources: Sequence[Sequence[Sent]], rng: random.Random) -> list[list[Piece]]:
    """Bring packets onto a timeline in batches, with ticks of the clock in between."""
    timeline = Timeline()
    batches: list[list[Piece]] = []
    for source in sources:
        reorder = ReorderBuffer(WINDOW_NS)
        at = 0
        while at < len(source):
            size = rng.choice((1, 1, 3, 10, 40))
            batches.append(timeline.add(reorder.push([s.packet for s in source[at : at + size]])))
            at += size
            until_ns = source[at].arrival_ns if at < len(source) else source[-1].arrival_ns
            for _ in range(rng.choice((0, 0, 1, 3))):
                now_ns = rng.randint(source[min(at, len(source)) - 1].arrival_ns, until_ns)
                until_ns = max(until_ns, now_ns)
                batches.append(timeline.add(reorder.expire(now_ns)))
                batches.append(timeline.expire(now_ns - WINDOW_NS))
        batches.append(timeline.add(reorder.flush()))
        batches.append(timeline.begin_source())
    return batches


def expected_stream(sources: Sequence[Sequence[Sent]]) -> Published:
    return published([taken(source, WINDOW_NS) for source in sources], DIVISOR)


@examples(150)
@given(seed=st.integers(0, 2**32), network=networks)
def test_decoded_pieces_are_the_naive_timeline(seed: int, network: Network) -> None:
    rng = random.Random(seed)
    sources = sent_stream(rng, network)
    expected = expected_stream(sources)

    assembler = PcmAssembler(MarkingDecoder(), RATE_HZ)
    samples = np.zeros(expected.samples.size, np.int16)
    mask = np.zeros(expected.samples.size, np.bool_)
    for pieces in placed(sources, rng):
        for position, audio in assembler.assemble(pieces):
            at = slice(position, position + audio.samples)
            assert not mask[at].any()
            mask[at] = True
            samples[at] = np.frombuffer(audio.pcm, np.int16)

    np.testing.assert_array_equal(mask, expected.mask)
    np.testing.assert_array_equal(samples, expected.samples)


@examples(60)
@given(seed=st.integers(0, 2**32), network=networks)
def test_batches_and_ticks_change_nothing(seed: int, network: Network) -> None:
    sources = sent_stream(random.Random(seed), network)

    runs = [placed(sources, random.Random(seed + n)) for n in range(3)]

    assert len({tuple(piece for batch in run for piece in batch) for run in runs}) == 1


@st.composite
def orders(draw: st.DrawFn) -> list[tuple[int, Cut]]:
    """Draw changes of a task: (samples after the former one, what then holds)."""
    return [
        (
            draw(st.integers(1, 60_000)),
            Cut(
                position=0,
                period=draw(st.sampled_from((1_600, 4_001, 16_000, 40_000))),
                slicing=draw(st.booleans()),
                restart=draw(st.booleans()),
            ),
        )
        for _ in range(draw(st.integers(0, 4)))
    ]


def collected(events: Sequence[SliceEvent[PcmAudio]]) -> list[tuple[int, tuple[int, ...]]]:
    """Return each slice's position and content."""
    slices: list[tuple[int, tuple[int, ...]]] = []
    position: int | None = None
    parts: list[bytes] = []
    for event in events:
        if isinstance(event, SliceStarted):
            assert position is None
            position = event.position
            parts = []
        elif isinstance(event, SliceAudio):
            assert position is not None
            parts.append(event.audio.pcm)
        else:
            assert isinstance(event, SliceEnded)
            assert position is not None
            content = np.frombuffer(b"".join(parts), np.int16)
            assert content.size == event.samples > 0
            slices.append((position, tuple(content.tolist())))
            position = None
    assert position is None
    return slices


def zeros(samples: int) -> PcmAudio:
    return PcmAudio(bytes(2 * samples))


def regimes_of(cuts: Sequence[Cut], *, period: int) -> list[Regime]:
    begin = Cut(position=0, period=period, slicing=True, restart=False)
    return [Regime(cut.position, cut) for cut in (begin, *cuts)]


@examples(150)
@given(
    seed=st.integers(0, 2**32),
    network=networks,
    period=st.sampled_from((1_600, 5_000, 16_000, 48_000)),
    overlap=st.sampled_from((0, 1, 700, 1_599)),
    origin=st.sampled_from((None, 0, -777)),
    changes=orders(),
)
def test_slices_are_the_naive_slices(
    seed: int,
    network: Network,
    period: int,
    overlap: int,
    origin: int | None,
    changes: list[tuple[int, Cut]],
) -> None:
    rng = random.Random(seed)
    aligned = origin is not None
    sources = sent_stream(rng, network)
    stream = expected_stream(sources)
    cuts: list[Cut] = []
    at = 0
    for after, change in changes:
        at += after
        cuts.append(
            Cut(
                position=at,
                period=change.period,
                slicing=change.slicing,
                restart=change.restart,
            )
        )
    decided = stream.samples.size + rng.choice((0, 1, 9_999))
    missing = decided - stream.samples.size
    expected = naive_slices(
        np.concatenate((stream.samples, np.zeros(missing, np.int16))),
        np.concatenate((stream.mask, np.zeros(missing, np.bool_))),
        [regime for regime in regimes_of(cuts, period=period) if regime.start < decided],
        origin=origin,
        overlap=overlap,
        aligned=aligned,
    )

    rules = SliceRules(overlap=overlap, fill=zeros if aligned else None)
    slicer = Slicer(rules, period=period, position=0, origin=origin)
    assembler = PcmAssembler(MarkingDecoder(), RATE_HZ)
    events: list[SliceEvent[PcmAudio]] = []
    for cut in cuts:
        events += slicer.cut(cut)
    for pieces in placed(sources, rng):
        for block in assembler.assemble(pieces):
            events += slicer.feed(block.position, block.audio)
    events += slicer.advance(decided)
    events += slicer.finish()

    slices = collected(events)
    assert slices == [(naive.position, naive.content) for naive in expected]
    assert slicer.late_samples == 0
    if aligned:
        _check_grid(
            expected, period, overlap, [regime.cut for regime in regimes_of(cuts, period=period)]
        )


def _check_grid(
    slices: Sequence[NaiveSlice], period: int, overlap: int, cuts: Sequence[Cut]
) -> None:
    """The naive model itself keeps what design.md promises of full slices."""
    for piece in slices:
        if piece.is_full:
            cut = [cut for cut in cuts if cut.position <= piece.position + overlap][-1]
            assert len(piece.content) == cut.period + overlap


def grains(audio: OpusAudio) -> list[int]:
    """Spell packets out: one number for each 2.5 ms; 0 is silence, -1 a lost packet."""
    numbers: list[int] = []
    for frame in audio.frames:
        count = frame.samples // GRAIN
        if frame.level == LEVEL_SILENT:
            numbers += [0] * count
        elif len(frame.payload) == 1:
            numbers += [-1] * count
        else:
            first = 48 * int.from_bytes(frame.payload[-4:])
            numbers += range(first + 1, first + 1 + count)
    return numbers[audio.skip // GRAIN : len(numbers) - audio.trim // GRAIN]


def silent_packets(samples: int) -> OpusAudio:
    return OpusAudio(tuple(silent_frames(samples)))


@examples(60)
@given(
    seed=st.integers(0, 2**32),
    network=networks,
    period=st.sampled_from((40, 321, 1_000)),
    overlap=st.sampled_from((0, 1, 39)),
    origin=st.sampled_from((None, 0, -7)),
)
def test_slices_of_packets_are_the_naive_slices(
    seed: int, network: Network, period: int, overlap: int, origin: int | None
) -> None:
    """The same in passthrough, counted in grains of 2.5 ms."""
    rng = random.Random(seed)
    aligned = origin is not None
    rules = SliceRules(overlap=overlap * GRAIN, fill=silent_packets if aligned else None)
    slicer = Slicer(
        rules,
        period=period * GRAIN,
        position=0,
        origin=None if origin is None else origin * GRAIN,
    )
    assembler = PassthroughAssembler()
    stream: list[int] = []
    mask: list[bool] = []
    slices: list[tuple[int, tuple[int, ...]]] = []
    events: list[SliceEvent[OpusAudio]] = []
    for pieces in placed(sent_stream(rng, network), rng):
        for block in assembler.assemble(pieces):
            gap = block.position // GRAIN - len(stream)
            content = grains(block.audio)
            assert GRAIN * len(content) == block.audio.samples
            stream += [0] * gap + content
            mask += [False] * gap + [True] * len(content)
            events += slicer.feed(block.position, block.audio)
    events += slicer.finish()

    for event in events:
        if isinstance(event, SliceStarted):
            start, parts = event.position // GRAIN, []
        elif isinstance(event, SliceAudio):
            parts += grains(event.audio)
        else:
            slices.append((start, tuple(parts)))
    expected = naive_slices(
        np.array(stream),
        np.array(mask),
        regimes_of((), period=period),
        origin=origin,
        overlap=overlap,
        aligned=aligned,
    )
    assert slices == [(naive.position, naive.content) for naive in expected]


@examples(100)
@given(
    seed=st.integers(0, 2**32),
    period=st.integers(1, 60),
    overlap=st.integers(0, 60),
    origin=st.none() | st.integers(-100, 0),
)
def test_slices_of_audio_in_any_order_are_the_naive_slices(
    seed: int, period: int, overlap: int, origin: int | None
) -> None:
    """Small numbers, late audio, and cuts at every moment, of the past too."""
    rng = random.Random(seed)
    aligned = origin is not None
    rules = SliceRules(overlap=overlap, fill=zeros if aligned else None)
    slicer = Slicer(rules, period=period, position=0, origin=origin)
    samples = np.zeros(5_000, np.int16)
    mask = np.zeros(5_000, np.bool_)
    regimes = regimes_of((), period=period)
    decided = 0
    events: list[SliceEvent[PcmAudio]] = []
    for step in range(rng.randint(1, 40)):
        action = rng.random()
        if action < 0.7:
            position = max(0, decided + rng.choice((0, 0, 0, -20, 5, 50)) + rng.randint(-3, 3))
            audio = np.arange(1 + 100 * step, 1 + 100 * step + rng.randint(1, 50), dtype=np.int16)
            events += slicer.feed(position, PcmAudio(audio.tobytes()))
            late = min(audio.size, max(0, decided - position))
            samples[position + late : position + audio.size] = audio[late:]
            mask[position + late : position + audio.size] = True
            decided = max(decided, position + audio.size)
        elif action < 0.85:
            position = decided + rng.randint(-10, 80)
            events += slicer.advance(position)
            decided = max(decided, position)
        else:
            cut = Cut(
                position=max(regimes[-1].cut.position, decided + rng.randint(-15, 40)),
                period=rng.randint(1, 60),
                slicing=rng.random() < 0.7,
                restart=rng.random() < 0.5,
            )
            events += slicer.cut(cut)
            regimes.append(Regime(max(cut.position, decided, regimes[-1].start), cut))
        assert slicer.position == decided
    events += slicer.finish()

    expected = naive_slices(
        samples[:decided],
        mask[:decided],
        [regime for regime in regimes if regime.start < decided] or regimes[:1],
        origin=origin,
        overlap=overlap,
        aligned=aligned,
    )
    assert collected(events) == [(naive.position, naive.content) for naive in expected]


@pytest.mark.parametrize("seed", range(3))
def test_seventeen_aligned_streams_start_together_and_mix_to_their_sum(seed: int) -> None:
    rng = random.Random(seed)
    period = 16_000
    length = 6 * period
    total = np.zeros(length, np.int64)
    mixer = Mixer(0, RATE_HZ)
    slicers = [
        Slicer(SliceRules(fill=zeros), period=period, position=0, origin=0) for _ in range(17)
    ]
    starts: list[list[int]] = [[] for _ in slicers]
    ends = [rng.randrange(3 * period) for _ in slicers]  # where each stream has got to
    noise = np.random.default_rng(seed)
    while min(ends) < length:
        at = ends.index(min(ends))
        audio = noise.integers(-KNEE // 17, KNEE // 17, rng.randint(100, 5_000), np.int16)
        position = ends[at] + rng.choice((0, 0, 0, 3_000))
        audio = audio[: max(0, length - position)]
        ends[at] = position + audio.size
        if not audio.size:
            ends[at] = length
            continue
        total[position : position + audio.size] += audio
        pcm = PcmAudio(audio.tobytes())
        assert mixer.add(position, pcm) is None
        for event in slicers[at].feed(position, pcm):
            if isinstance(event, SliceStarted):
                starts[at].append(event.position)
            if isinstance(event, SliceEnded):
                assert event.samples == period

    mixed = mixer.mix_until(length)

    assert mixed is not None
    np.testing.assert_array_equal(np.frombuffer(mixed.pcm, np.int16), total)
    assert mixer.late_samples == 0
    assert all(start % period == 0 for row in starts for start in row)
    assert all(3 * period in row or 4 * period in row for row in starts)
