from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from airslice.encoding.ogg import OggStream
from tests.support.audio.ogg_pages import packets_of, read_pages

PAGE_GRANULES = 48_000


def mux(packets: list[tuple[bytes, int]], *, trim: int = 0) -> bytes:
    """Put packets, each with its length in granules, into a stream."""
    pages: list[bytes] = []
    stream = OggStream(pages.append, serial=0xDEADBEEF, page_granules=PAGE_GRANULES)
    granule = 0
    for packet, length in packets:
        granule += length
        stream.add(packet, granule)
    stream.finish(granule - trim)
    return b"".join(pages)


# Sizes round the multiples of 255 matter.
SIZES = st.one_of(st.integers(0, 600), st.sampled_from([254, 255, 256, 510, 1_275, 5_000]))


@given(st.lists(st.tuples(SIZES, st.integers(0, 60_000)), max_size=30))
@example([(10, 960), (255 * 254, 960), (255 * 255 - 1, 960), (255 * 255, 960), (10, 960)])
@example([(10, 960), (255 * 255 + 1, 960), (255 * 510, 960), (10, 960)])
def test_a_reader_gets_the_packets_and_their_positions(shape: list[tuple[int, int]]) -> None:
    packets = [(bytes([index]) * size, length) for index, (size, length) in enumerate(shape)]

    pages = read_pages(mux(packets))

    read = packets_of(pages)
    assert [packet for packet, _ in read] == [packet for packet, _ in packets]
    granule = 0
    ends: dict[int, int] = {}
    for (_, number), (_, length) in zip(read, packets, strict=True):
        granule += length
        ends[number] = granule
    assert {page.number: page.granule for page in pages if page.number in ends} == ends
    unfinished = [page.granule for page in pages if page.number not in ends]
    assert unfinished in ([-1] * len(unfinished), [0])


@given(st.lists(st.tuples(SIZES, st.integers(0, 60_000)), min_size=1, max_size=30))
def test_pages_are_numbered_marked_and_bounded(shape: list[tuple[int, int]]) -> None:
    pages = read_pages(mux([(bytes(size), length) for size, length in shape]))

    assert [page.number for page in pages] == list(range(len(pages)))
    assert {page.serial for page in pages} == {0xDEADBEEF}
    assert [page.flags & 2 for page in pages] == [2] + [0] * (len(pages) - 1)
    assert [page.flags & 4 for page in pages] == [0] * (len(pages) - 1) + [4]
    start = 0
    for page in pages:
        packets = sum(size < 255 for size in page.segments)
        assert packets <= 1 or page.granule - start <= PAGE_GRANULES
        start = max(start, page.granule)


def test_short_packets_fill_a_page() -> None:
    pages = read_pages(mux([(bytes(60), 960)] * 100))

    assert [len(page.segments) for page in pages] == [50, 50]


def test_no_page_has_more_than_255_segments() -> None:
    pages = read_pages(mux([(bytes(300), 120)] * 300))

    assert max(len(page.segments) for page in pages) == 254


def test_the_last_page_ends_where_it_is_told() -> None:
    pages = read_pages(mux([(b"packet", 960)] * 3, trim=100))

    assert [page.granule for page in pages] == [2_780]


def test_a_stream_without_packets_is_one_empty_page() -> None:
    (page,) = read_pages(mux([]))

    assert (page.flags, page.segments) == (2 | 4, ())
