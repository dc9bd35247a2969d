"""The engine without its socket, its clock turned by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airslice.domain.errors import OfferRefused, ServerFull
from airslice.domain.room_event import EndReason
from airslice.engines.embedded.answer import Transport
from airslice.engines.embedded.dtls import DtlsServer
from airslice.engines.embedded.stats import Drop
from airslice.engines.embedded.switchboard import (
    HANDSHAKE_BURST,
    HANDSHAKES_PER_S,
    MAX_HANDSHAKING,
    Switchboard,
)
from airslice.engines.embedded.udp import BATCH, AddressKey, Datagram, Slots, pack_address
from tests.support.clients.raw_publisher import RawPublisher
from tests.support.stages.observers import RecordingSink

S = 10**9
HERE = pack_address("192.0.2.7", 4000)
ELSEWHERE = pack_address("192.0.2.8", 4000)
CLIENT_HELLO = bytes.fromhex("16fefd00000000000000000000") + b"\1"
DTLS_SERVER = DtlsServer(0)


class Bench:
    """A switchboard and what it sends."""

    def __init__(self, max_sessions: int = 10) -> None:
        self.sent: list[tuple[bytes, AddressKey]] = []
        self.now_ns = 100 * S
        self.slots = Slots()
        self.switchboard = Switchboard(
            transport=Transport(["192.0.2.1"], 50000, DTLS_SERVER.fingerprint),
            dtls_server=DTLS_SERVER,
            slots=self.slots,
            send=lambda datagram, key: self.sent.append((datagram, key)),
            max_sessions=max_sessions,
        )

    def receive(self, *datagrams: bytes, key: AddressKey = HERE) -> None:
        batch: list[Datagram] = []
        for index, datagram in enumerate(datagrams):
            offset = self.slots.offsets[index]
            self.slots.buffer[offset : offset + len(datagram)] = datagram
            batch.append((len(datagram), self.slots.pointers[index], offset, key, 0))
        self.switchboard.receive(batch, since_ns=0, now_ns=self.now_ns, utc_ns=0)

    def dropped(self, reason: Drop) -> int:
        return self.switchboard.stats().dropped.get(reason, 0)


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def peer() -> Iterator[RawPublisher]:
    with RawPublisher() as peer:
        yield peer


def join(bench: Bench, peer: RawPublisher, sink: RecordingSink) -> None:
    peer.read_answer(bench.switchboard.open(peer.offer(), sink, bench.now_ns).answer)


def test_a_check_for_nobody_is_not_answered(
    bench: Bench, peer: RawPublisher, sink: RecordingSink
) -> None:
    join(bench, peer, sink)

    bench.receive(peer.check(username=f"nobody:{peer.ufrag}"))

    assert bench.sent == []
    assert bench.dropped(Drop.UNKNOWN_USER) == 1


@pytest.mark.parametrize(("password", "user"), [("wrong" * 6, ""), ("", "other")])
def test_a_check_without_the_credentials_is_not_answered(
    bench: Bench, peer: RawPublisher, sink: RecordingSink, password: str, user: str
) -> None:
    join(bench, peer, sink)
    username = f"{peer.server_ufrag}:{user or peer.ufrag}"

    bench.receive(peer.check(password=password, username=username))
    bench.receive(CLIENT_HELLO)

    assert bench.sent == []
    assert bench.dropped(Drop.UNAUTHENTIC_CHECK) == 1
    assert bench.dropped(Drop.UNBOUND_ADDRESS) == 1


def test_handshakes_are_taken_only_from_checked_addresses(
    bench: Bench, peer: RawPublisher, sink: RecordingSink
) -> None:
    join(bench, peer, sink)
    bench.receive(peer.check(), key=HERE)

    bench.receive(CLIENT_HELLO, key=ELSEWHERE)

    assert bench.dropped(Drop.UNBOUND_ADDRESS) == 1
    assert len(bench.sent) == 1


def test_a_session_remembers_a_bounded_number_of_addresses(
    bench: Bench, peer: RawPublisher, sink: RecordingSink
) -> None:
    join(bench, peer, sink)

    for port in range(1000):
        bench.receive(peer.check(), key=pack_address("192.0.2.7", port))

    for port in range(1000):
        bench.receive(CLIENT_HELLO, key=pack_address("192.0.2.7", port))
        assert bench.dropped(Drop.UNBOUND_ADDRESS) == min(port + 1, 992)


def test_a_peer_that_would_be_controlled_is_told_of_the_conflict(
    bench: Bench, peer: RawPublisher, sink: RecordingSink
) -> None:
    join(bench, peer, sink)

    bench.receive(peer.check(is_controlled=True))

    assert b"Role Conflict" in bench.sent[0][0]


def test_a_session_without_keys_after_30_seconds_ends(
    bench: Bench, peer: RawPublisher, sink: RecordingSink
) -> None:
    join(bench, peer, sink)
    for _ in range(30):
        bench.now_ns += S
        bench.receive(peer.check())
        bench.switchboard.tick(bench.now_ns)
    assert sink.ends == 0

    bench.now_ns += 1
    bench.switchboard.tick(bench.now_ns)

    assert sink.end_reasons == [EndReason.LOST]
    assert bench.switchboard.stats().sessions == 0
    bench.receive(peer.check())
    bench.receive(CLIENT_HELLO)
    assert bench.dropped(Drop.UNKNOWN_USER) == 1
    assert bench.dropped(Drop.UNBOUND_ADDRESS) == 1


def test_one_handshake_takes_a_bounded_number_of_datagrams(
    bench: Bench, peer: RawPublisher, sink: RecordingSink
) -> None:
    join(bench, peer, sink)
    bench.receive(peer.check())

    for _ in range(150):
        bench.receive(CLIENT_HELLO)

    assert bench.dropped(Drop.HANDSHAKE_LIMIT) == 50


def test_handshakes_start_at_a_bounded_rate(bench: Bench) -> None:
    admit = bench.switchboard.admit_handshake

    assert [admit(bench.now_ns) for _ in range(HANDSHAKE_BURST + 2)].count(True) == HANDSHAKE_BURST
    assert not admit(bench.now_ns)
    assert [admit(bench.now_ns + S) for _ in range(500)].count(True) == HANDSHAKES_PER_S


def test_a_full_server_refuses(bench: Bench, peer: RawPublisher, sink: RecordingSink) -> None:
    sessions = [bench.switchboard.open(peer.offer(), sink, 0) for _ in range(10)]
    with pytest.raises(ServerFull):
        bench.switchboard.open(peer.offer(), sink, 0)

    sessions[0].close()

    bench.switchboard.open(peer.offer(), sink, 0)


def test_too_many_that_never_finish_connecting_are_refused(
    peer: RawPublisher, sink: RecordingSink
) -> None:
    switchboard = Bench(max_sessions=10_000).switchboard
    for _ in range(MAX_HANDSHAKING):
        switchboard.open(peer.offer(), sink, 0)

    with pytest.raises(ServerFull):
        switchboard.open(peer.offer(), sink, 0)


def test_a_refused_offer_leaves_nothing_behind(bench: Bench, sink: RecordingSink) -> None:
    with pytest.raises(OfferRefused):
        bench.switchboard.open("v=0\r\n", sink, 0)

    assert bench.switchboard.stats().sessions == 0


def test_a_restart_is_answered_once_and_the_same_way(
    bench: Bench, peer: RawPublisher, sink: RecordingSink
) -> None:
    session = bench.switchboard.open(peer.offer(), sink, bench.now_ns)
    fragment = "a=mid:0\r\na=ice-ufrag:{}\r\na=ice-pwd:" + "p" * 24

    assert session.restart(fragment.format(peer.ufrag)) == ""
    assert session.restart("a=mid:0\r\na=end-of-candidates\r\n") == ""
    first = session.restart(fragment.format("new1"))
    assert re.search(r"a=ice-ufrag:\S{16}\r\na=ice-pwd:\S{32}\r\n", first)
    assert session.restart(fragment.format("new1")) == first
    second = session.restart(fragment.format("new2"))
    assert second != first

    def is_known(answer: str, ufrag: str) -> bool:
        peer.read_answer(answer + session.answer)
        unknown = bench.dropped(Drop.UNKNOWN_USER)
        bench.receive(peer.check(username=f"{peer.server_ufrag}:{ufrag}"))
        return bench.dropped(Drop.UNKNOWN_USER) == unknown

    assert is_known(session.answer, peer.ufrag)
    assert not is_known(first, "new1")
    assert is_known(second, "new2")


class FailingSink(RecordingSink):
    def ended(self, reason: EndReason = EndReason.LOST) -> None:
        super().ended(reason)
        raise RuntimeError("the sink fails")


def test_a_sink_that_fails_to_end_does_not_stop_the_others(
    bench: Bench, peer: RawPublisher, sink: RecordingSink
) -> None:
    failing = FailingSink()
    bench.switchboard.open(peer.offer(), failing, bench.now_ns)
    bench.switchboard.open(peer.offer(), sink, bench.now_ns)

    bench.switchboard.tick(bench.now_ns + 31 * S)

    assert (failing.ends, sink.ends) == (1, 1)


FIRST_BYTES = st.sampled_from([0, 0, 1, 3, 4, 20, 22, 23, 63, 64, 128, 128, 0x90, 191, 192, 255])
SECOND_BYTES = st.one_of(st.sampled_from([1, 0xFE, 111, 200, 201]), st.integers(0, 255))
DATAGRAMS = st.one_of(
    st.binary(max_size=100),
    st.builds(
        lambda first, second, rest: bytes([first, second]) + rest,
        FIRST_BYTES,
        SECOND_BYTES,
        st.binary(max_size=100),
    ),
    st.builds(
        lambda rest: CLIENT_HELLO[:11] + bytes([0, len(rest)]) + rest, st.binary(max_size=90)
    ),
    st.sampled_from([bytes(2047), bytes(2048), b"\x80" * 2047]),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(DATAGRAMS, max_size=BATCH // 4),
    st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=3),
)
def test_no_datagrams_make_it_fail(
    peer: RawPublisher, datagrams: list[bytes], damages: list[tuple[int, int]]
) -> None:
    bench = Bench()
    join(bench, peer, RecordingSink())
    bench.receive(peer.check())
    check = bytearray(peer.check())
    for at, octet in damages:
        check[at % len(check)] = octet

    bench.receive(*datagrams, key=ELSEWHERE)
    bench.receive(*datagrams, bytes(check))
    bench.switchboard.tick(bench.now_ns + S)

    assert bench.dropped(Drop.FAILED) == 0
    assert bench.switchboard.stats().datagrams == 2 * len(datagrams) + 2
