"""Whatever comes over the network, or from a damaged disk, is read or refused as documented."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given

from airslice.engines.embedded.dtls import DtlsState
from tests.support.fuzz import tally
from tests.support.fuzz.dtls_peer import Certificate, shake_hands
from tests.support.fuzz.effort import LONGER, MULTIPLIER, effort
from tests.support.fuzz.media_parsers import SERVER
from tests.support.fuzz.mutations import damaged, halved, stretched
from tests.support.fuzz.parser import Parser
from tests.support.fuzz.parsers import PARSERS
from tests.support.growth import check_growth

SMALL_BYTES = 65_536
LARGE_BYTES = 1 << 20

MAX_PEAK_BYTES = 64 * LARGE_BYTES

each_parser = pytest.mark.parametrize("parser", PARSERS, ids=str)


@each_parser
def test_valid_inputs_are_taken(parser: Parser) -> None:
    assert parser.samples
    for sample in parser.samples:
        parser.take(sample)


@LONGER
@each_parser
def test_damaged_inputs_are_read_or_refused(parser: Parser) -> None:
    def attempt(data: bytes) -> None:
        with tally.counted(parser.name):
            parser.take(data)

    effort(parser.examples)(given(damaged(parser.samples))(attempt))()


@LONGER
@each_parser
def test_long_inputs_take_time_in_proportion(parser: Parser) -> None:
    size = min(SMALL_BYTES, parser.max_bytes)
    samples = parser.samples if MULTIPLIER > 1 else parser.samples[:2]

    for sample in samples:
        for half, whole in zip(stretched(sample, size // 2), stretched(sample, size), strict=True):
            spent_on(parser, half, whole)


@LONGER
@each_parser
def test_the_worst_inputs_take_time_in_proportion_and_bounded_memory(parser: Parser) -> None:
    cut = [data[: parser.max_bytes] for data in parser.worst]
    pairs = [(halved(data), data) for data in cut]
    for sample in parser.samples[:2]:
        count = parser.max_bytes // max(1, len(sample))
        pairs.append((sample * (count // 2), sample * count))

    for half, whole in pairs:
        spent_s = spent_on(parser, half, whole)
        tally.SLOWEST_S[parser.name] = max(spent_s, tally.SLOWEST_S.get(parser.name, 0))
        assert peak_bytes(partial(parser.take, whole)) < MAX_PEAK_BYTES, f"{whole[:80]!r} …"


def spent_on(parser: Parser, half: bytes, whole: bytes) -> float:
    """Return the processor time for `whole`, which must be about twice that for its half."""

    def take(data: bytes) -> None:
        with tally.counted(parser.name):
            parser.take(data)

    try:
        return check_growth(partial(take, half), partial(take, whole))
    except AssertionError as error:
        error.add_note(f"{len(whole):,} bytes: {whole[:80]!r} … {whole[-80:]!r}")
        raise


def peak_bytes(work: Callable[[], object]) -> int:
    """Return what Python allocates for something at its peak."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.filterwarnings("ignore:Parsed a serial number")
def test_no_certificate_does_worse_than_end_the_handshake() -> None:
    sound = Certificate().der
    outcomes = set()

    for place in range(len(sound)):
        for octet in (sound[place] ^ 1, sound[place] ^ 0x80, 0, 0xFF):
            damaged_one = Certificate(sound[:place] + bytes([octet]) + sound[place + 1 :])
            try:
                damaged_one.context()
            except Exception:  # OpenSSL itself has no use for it
                continue
            for named in (True, False):
                fingerprints = [damaged_one.fingerprint] if named else []
                association = SERVER.accept(fingerprints)
                with tally.counted("certificates of DTLS peers"):
                    outcomes.add((named, shake_hands(association, damaged_one)))

    assert outcomes <= {(True, DtlsState.ESTABLISHED), (True, DtlsState.CLOSED)} | {
        (False, DtlsState.CLOSED)
    }
