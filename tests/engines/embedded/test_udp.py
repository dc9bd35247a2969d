from __future__ import annotations

import socket
import sys
import time
from collections.abc import Callable, Iterator
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airslice.engines.embedded.udp import (
    BATCH,
    SLOT_BYTES,
    PortableReader,
    Reader,
    RecvmmsgReader,
    Slots,
    UdpPort,
    pack_address,
    unpack_address,
)
from tests.support.waiting import PATIENCE_S


def ipv6_works() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
            sock.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.fixture(params=["127.0.0.1", "::1"])
def receiver(request: pytest.FixtureRequest) -> Iterator[socket.socket]:
    if ":" in request.param and not ipv6_works():
        pytest.skip("no IPv6 on this machine")
    family = socket.AF_INET6 if ":" in request.param else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.bind((request.param, 0))
        yield sock


@pytest.fixture
def sender(receiver: socket.socket) -> Iterator[socket.socket]:
    with socket.socket(receiver.family, socket.SOCK_DGRAM) as sock:
        sock.connect(receiver.getsockname())
        yield sock


IS_LINUX = sys.platform == "linux"
MakeReader: TypeAlias = Callable[[socket.socket, Slots], Reader]
READERS = [
    PortableReader,
    pytest.param(
        RecvmmsgReader,
        marks=pytest.mark.skipif(not IS_LINUX, reason="not Linux"),
    ),
]


@pytest.mark.parametrize("make", READERS)
def test_datagrams_are_read_in_order_with_their_sender(
    make: MakeReader, receiver: socket.socket, sender: socket.socket
) -> None:
    slots = Slots()
    reader = make(receiver, slots)
    sent = [bytes([number]) * (number * 3 + 1) for number in range(BATCH + 10)]
    for datagram in sent:
        sender.send(datagram)

    received = []
    for expected in (BATCH, 10, 0):
        count, datagrams = reader.read()
        assert count == expected
        for size, pointer, offset, key, _ in datagrams:
            assert slots.ffi.buffer(pointer, size)[:] == slots.buffer[offset : offset + size]
            assert unpack_address(key)[:2] == sender.getsockname()[:2]
            received.append(slots.buffer[offset : offset + size])

    assert received == sent


@pytest.mark.parametrize("make", READERS)
def test_what_does_not_fit_a_slot_fills_it(
    make: MakeReader, receiver: socket.socket, sender: socket.socket
) -> None:
    slots = Slots()
    sender.send(bytes(SLOT_BYTES + 1))

    _, datagrams = make(receiver, slots).read()

    assert [size for size, *_ in datagrams] == [SLOT_BYTES]


@pytest.mark.skipif(not IS_LINUX, reason="not Linux")
def test_the_kernel_tells_when_a_datagram_came() -> None:
    port = UdpPort("127.0.0.1", 0)
    try:
        # Linux turns time stamps on in the background: the first ones may be of the reading.
        assert any(is_stamped_on_arrival(port) for _ in range(50))
        assert is_stamped_on_arrival(port)
    finally:
        port.close()


def is_stamped_on_arrival(port: UdpPort) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        before = time.time_ns()
        sock.sendto(b"x", ("127.0.0.1", port.port))
        after = time.time_ns()
    time.sleep(0.01)  # the reading comes late, the time stamp does not
    ((*_, stamp),) = port.read()[1]
    return before <= stamp <= after


@pytest.mark.skipif(not IS_LINUX, reason="not Linux")
def test_a_datagram_without_a_time_does_not_cost_the_next_one_its_own(
    receiver: socket.socket, sender: socket.socket
) -> None:
    reader = RecvmmsgReader(receiver, Slots())
    sender.send(b"x")
    ((*_, unstamped),) = reader.read()[1]
    receiver.setsockopt(socket.SOL_SOCKET, 35, 1)  # SO_TIMESTAMPNS
    sender.send(b"x")
    ((*_, stamped),) = reader.read()[1]

    assert unstamped == 0
    assert abs(stamped - time.time_ns()) < PATIENCE_S * 10**9


def test_a_port_on_all_addresses_takes_ipv4_too() -> None:
    if not ipv6_works():
        pytest.skip("no IPv6 on this machine")
    port = UdpPort("::", 0)
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(b"x", ("127.0.0.1", port.port))
            ((_, _, _, key, _),) = port.read()[1]
            port.send(b"back", key)
            sock.settimeout(PATIENCE_S)

            assert unpack_address(key)[0] == "::ffff:127.0.0.1"
            assert sock.recv(10) == b"back"
    finally:
        port.close()


def test_what_cannot_be_sent_is_lost() -> None:
    port = UdpPort("127.0.0.1", 0)
    port.send(bytes(70_000), pack_address("127.0.0.1", 9))
    port.close()
    port.send(b"x", pack_address("127.0.0.1", 9))


@given(st.ip_addresses(), st.integers(0, 65535), st.integers(0, 2**32 - 1))
def test_an_address_survives_packing(address: object, port: int, scope_id: int) -> None:
    host = str(address).partition("%")[0]
    scope_id = scope_id if ":" in host else 0

    unpacked = unpack_address(pack_address(host, port, scope_id))

    assert pack_address(*unpacked) == pack_address(host, port, scope_id)
    assert unpacked[1:] == (port, scope_id)
