"""Valid inputs, damaged: what gets deeper into a parser than noise does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from hypothesis import strategies as st

Edit: TypeAlias = tuple[str, int, int, bytes]
"""What to do, where (in 1/65536 of the length), how much, and with what."""

SNIPPETS = (
    b"\0",
    b"\xff",
    b"\0\0\0\0\0\0\0\0",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\x80\0\0\0",
    b"0",
    b"-1",
    b"9" * 20,
    b"1e999",
    b"NaN",
    b"null",
    b"true",
    b"{}",
    b"[",
    b'"',
    b"\\ud800",
    b"\r\n",
    b" ",
    b"%00",
    b"%ff",
    b"\xed\xa0\x80",
    "²".encode(),
    "\u0130".encode(),
)


def _flip(data: bytes, at: int, size: int, _: bytes) -> bytes:
    if at == len(data):
        return data
    return data[:at] + bytes([data[at] ^ 1 << size % 8]) + data[at + 1 :]


def _overwrite(data: bytes, at: int, _: int, snippet: bytes) -> bytes:
    return data[:at] + snippet + data[at + len(snippet) :]


def _insert(data: bytes, at: int, _: int, snippet: bytes) -> bytes:
    return data[:at] + snippet + data[at:]


def _cut(data: bytes, at: int, size: int, _: bytes) -> bytes:
    return data[:at] + data[at + size :]


def _truncate(data: bytes, at: int, _: int, __: bytes) -> bytes:
    return data[:at]


def _duplicate(data: bytes, at: int, size: int, _: bytes) -> bytes:
    return data[: at + size] + data[at:]


def _count(data: bytes, at: int, size: int, _: bytes) -> bytes:
    """Add to a byte, as if it were part of a number: of a length or of a digit."""
    if at == len(data):
        return data
    return data[:at] + bytes([(data[at] + size - 20) % 256]) + data[at + 1 :]


EDITS: dict[str, Callable[[bytes, int, int, bytes], bytes]] = {
    "flip": _flip,
    "count": _count,
    "overwrite": _overwrite,
    "insert": _insert,
    "cut": _cut,
    "truncate": _truncate,
    "duplicate": _duplicate,
}

edits: st.SearchStrategy[Edit] = st.tuples(
    st.sampled_from(sorted(EDITS)),
    st.integers(0, 65_536),
    st.integers(0, 40),
    st.sampled_from(SNIPPETS) | st.binary(max_size=6),
)


def apply(sample: bytes, wanted: Sequence[Edit]) -> bytes:
    """Return `sample` with the edits made, one after the other."""
    data = sample
    for name, place, size, snippet in wanted:
        data = EDITS[name](data, place * len(data) // 65_536, size, snippet)
    return data


def damaged(samples: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """Valid inputs with one to six edits; halves of two put together; and, seldom, noise."""
    one = st.sampled_from(samples)
    edited = st.builds(apply, one, st.lists(edits, min_size=1, max_size=6))
    spliced = st.builds(
        lambda a, b, at: a[: at * len(a) // 256] + b[at * len(b) // 256 :],
        one,
        one,
        st.integers(0, 256),
    )
    return st.one_of(edited, edited, edited, spliced, st.binary(max_size=200))


def stretched(sample: bytes, size: int) -> list[bytes]:
    """Return long inputs: parts of `sample`, and single bytes, repeated at several places of it."""
    found = [sample * (size // max(1, len(sample)) + 1)]
    for eighth in range(9):
        at = eighth * len(sample) // 8
        fillers = {sample[at : at + width] for width in (1, 2, 4, 24)} | {
            b" ",
            b"\0",
            b"0",
            b"\xff",
        }
        found += [
            sample[:at] + filler * (size // len(filler)) + sample[at:]
            for filler in sorted(fillers - {b""})
        ]
    return [long[:size] for long in found] + [long[:size] + sample[-40:] for long in found]


def halved(data: bytes) -> bytes:
    """Return about half of a long input: of what is repeated in its middle, there is less."""
    middle = len(data) // 2
    period = max(1, data.find(data[middle : middle + 64], middle + 1) - middle)
    cut = middle // period * period
    begin = (len(data) - cut) // 2
    return data[:begin] + data[begin + cut :]
