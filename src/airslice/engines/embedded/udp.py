"""One UDP socket for all sessions, read in batches.

On Linux a batch is one recvmmsg(2) into buffers that were allocated once, and each datagram
carries the kernel's time of reception; elsewhere it is a loop over recvfrom(2). What datagrams
mean is not known here. A peer's address is an `AddressKey`, the bytes as the kernel writes them,
which serve as a dictionary's key without conversion.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import sys
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Protocol, TypeAlias

import cffi

AddressKey: TypeAlias = bytes
"""A peer's address and port: Linux's sockaddr_in (16 bytes) or sockaddr_in6 (28 bytes)."""

Datagram: TypeAlias = tuple[int, Any, int, AddressKey, int]
"""A received datagram: its size in bytes, a pointer to its slot, the slot's offset in the buffer,
its sender, and when the kernel received it (nanoseconds since the Unix epoch; 0 if unknown).

The slot is overwritten by the next batch.
"""

SLOT_BYTES = 2048
"""Size of the slot for one datagram. Media and handshakes fit an Ethernet frame (1500 bytes)."""

BATCH = 128
"""Largest number of datagrams in one batch."""

RECEIVE_BUFFER_BYTES = 8 << 20
"""Receive buffer asked of the kernel: seconds of packets, in case the process is held up."""

MAX_KNOWN_ADDRESSES = 4_096
"""Addresses that are kept in the socket module's form: peers get packet after packet."""

_IPV4 = struct.Struct("=H2s4s8x")
_IPV6 = struct.Struct("=H2sI16sI")

# Linux; absent from the socket module.
_SO_RCVBUFFORCE = 33
_SO_TIMESTAMPNS = 35

_BATCH_DEFINITIONS = """
struct iovec { void *iov_base; size_t iov_len; };
struct msghdr {
    void *msg_name; unsigned int msg_namelen;
    struct iovec *msg_iov; size_t msg_iovlen;
    void *msg_control; size_t msg_controllen;
    int msg_flags;
};
struct mmsghdr { struct msghdr msg_hdr; unsigned int msg_len; };
int recvmmsg(int socket, struct mmsghdr *messages, unsigned int count, int flags, void *timeout);
"""
_CONTROL_BYTES = 32
"""CMSG_SPACE of one timespec: a cmsghdr of 16 bytes, then seconds and nanoseconds."""


def pack_address(host: str, port: int, scope_id: int = 0) -> AddressKey:
    """Return the key of a numeric address."""
    if ":" in host:
        address = socket.inet_pton(socket.AF_INET6, host)
        return _IPV6.pack(socket.AF_INET6, port.to_bytes(2, "big"), 0, address, scope_id)
    return _IPV4.pack(socket.AF_INET, port.to_bytes(2, "big"), socket.inet_aton(host))


def unpack_address(key: AddressKey) -> tuple[str, int, int]:
    """Return the numeric host, the port and the IPv6 scope (0 for IPv4) of a key."""
    if len(key) == _IPV4.size:
        _, port, address = _IPV4.unpack(key)
        return socket.inet_ntoa(address), int.from_bytes(port, "big"), 0
    _, port, _, address, scope_id = _IPV6.unpack(key)
    return socket.inet_ntop(socket.AF_INET6, address), int.from_bytes(port, "big"), scope_id


@lru_cache(maxsize=MAX_KNOWN_ADDRESSES)
def _socket_address(key: AddressKey) -> tuple[str, int] | tuple[str, int, int, int]:
    """Return a key as the socket module's address tuple."""
    host, port, scope_id = unpack_address(key)
    return (host, port) if len(key) == _IPV4.size else (host, port, 0, scope_id)


class Slots:
    """The memory that datagrams are received into: `BATCH` slots of `SLOT_BYTES` each."""

    def __init__(self) -> None:
        self.ffi = cffi.FFI()
        memory = self.ffi.new("char[]", BATCH * SLOT_BYTES)
        self.buffer = self.ffi.buffer(memory)
        """The memory of all slots as a buffer, whose slices are copies, as bytes."""
        self.octets = memoryview(self.buffer)
        """The memory of all slots as a view, whose items are integers."""
        self.offsets = [index * SLOT_BYTES for index in range(BATCH)]
        self.pointers = [memory + offset for offset in self.offsets]


class Reader(Protocol):
    """Reads batches of datagrams from a socket."""

    def read(self) -> tuple[int, Iterable[Datagram]]:
        """Return the number of datagrams read, 0 to `BATCH`, and the datagrams."""


class RecvmmsgReader:
    """Reads by recvmmsg(2), on 64-bit Linux.

    Raises:
        OSError: the C library cannot be opened.
        AttributeError: the C library has no recvmmsg.
    """

    def __init__(self, sock: socket.socket, slots: Slots) -> None:
        ffi = slots.ffi
        ffi.cdef(_BATCH_DEFINITIONS)
        library: Any = ffi.dlopen(None)
        self._recvmmsg = library.recvmmsg
        self._fd = sock.fileno()
        self._slots = slots
        self._flags = int(socket.MSG_DONTWAIT)
        key_bytes = _IPV4.size if sock.family == socket.AF_INET else _IPV6.size
        self._names = ffi.new("unsigned char[]", BATCH * key_bytes)
        self._vectors = ffi.new("struct iovec[]", BATCH)
        self._control = ffi.new("unsigned char[]", BATCH * _CONTROL_BYTES)
        self._messages = ffi.new("struct mmsghdr[]", BATCH)
        for index in range(BATCH):
            self._vectors[index].iov_base = slots.pointers[index]
            self._vectors[index].iov_len = SLOT_BYTES
            header = self._messages[index].msg_hdr
            header.msg_name = self._names + index * key_bytes
            header.msg_namelen = key_bytes
            header.msg_iov = self._vectors + index
            header.msg_iovlen = 1
            header.msg_control = self._control + index * _CONTROL_BYTES
            header.msg_controllen = _CONTROL_BYTES
        self._header_bytes = ffi.sizeof("struct mmsghdr")
        self._fresh_headers = bytes(ffi.buffer(self._messages))
        self._name_buffer = ffi.buffer(self._names)
        self._name_spans = [(at * key_bytes, (at + 1) * key_bytes) for at in range(BATCH)]
        # Views with a stride pick one field out of every message, in one call for all of them.
        words = memoryview(ffi.buffer(self._messages)).cast("I")
        length_at = ffi.offsetof("struct mmsghdr", "msg_len") // 4
        self._sizes = words[length_at :: self._header_bytes // 4]
        control = memoryview(ffi.buffer(self._control)).cast("q")
        self._seconds = control[2 :: _CONTROL_BYTES // 8]
        self._nanoseconds = control[3 :: _CONTROL_BYTES // 8]

    def read(self) -> tuple[int, Iterable[Datagram]]:
        """Read a batch; return the number of datagrams, and the datagrams."""
        count: int = self._recvmmsg(
            self._fd, self._messages, BATCH, self._flags, self._slots.ffi.NULL
        )
        if count <= 0:
            return 0, ()
        sizes = self._sizes[:count].tolist()
        names = self._name_buffer
        keys = [names[start:end] for start, end in self._name_spans[:count]]
        times = [
            seconds * 1_000_000_000 + nanoseconds
            for seconds, nanoseconds in zip(
                self._seconds[:count].tolist(), self._nanoseconds[:count].tolist(), strict=True
            )
        ]
        # The kernel has overwritten the sizes in the headers.
        self._slots.ffi.memmove(self._messages, self._fresh_headers, count * self._header_bytes)
        slots = self._slots
        return count, zip(sizes, slots.pointers, slots.offsets, keys, times, strict=False)


class PortableReader:
    """Reads by recvfrom(2), wherever there is no recvmmsg(2)."""

    def __init__(self, sock: socket.socket, slots: Slots) -> None:
        self._socket = sock
        self._slots = slots

    def read(self) -> tuple[int, Iterable[Datagram]]:
        """Read a batch; return the number of datagrams, and the datagrams."""
        slots = self._slots
        datagrams: list[Datagram] = []
        for offset, pointer in zip(slots.offsets, slots.pointers, strict=True):
            try:
                size, address = self._socket.recvfrom_into(
                    slots.octets[offset : offset + SLOT_BYTES]
                )
            except OSError:  # nothing left, or an ICMP error of something sent before
                break
            host, port, *rest = address
            key = pack_address(host.partition("%")[0], port, rest[1] if rest else 0)
            datagrams.append((size, pointer, offset, key, 0))
        return len(datagrams), datagrams


class UdpPort:
    """A bound, non-blocking UDP socket and the reader on it.

    Args:
        host: Numeric address to bind; ``::`` takes IPv4 too.
        port: UDP port to bind; 0 for any free one.

    Raises:
        OSError: the address cannot be bound.
    """

    def __init__(self, host: str, port: int) -> None:
        self.slots = Slots()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)
            if host == "::":
                self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            _enlarge_receive_buffer(self._socket)
            self._socket.bind((host, port))
            self.port: int = self._socket.getsockname()[1]
            self._reader = _best_reader(self._socket, self.slots)
        except BaseException:
            self._socket.close()
            raise
        self.read = self._reader.read

    def fileno(self) -> int:
        """Return the socket's file descriptor, for an event loop."""
        return self._socket.fileno()

    def send(self, datagram: bytes, key: AddressKey) -> None:
        """Send one datagram, which may get lost here as well as later."""
        with contextlib.suppress(OSError):
            self._socket.sendto(datagram, _socket_address(key))

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


def _best_reader(sock: socket.socket, slots: Slots) -> Reader:
    # The definitions above are those of 64-bit Linux.
    if sys.platform == "linux" and sys.maxsize > 2**32:
        try:
            sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
            return RecvmmsgReader(sock, slots)
        except (OSError, AttributeError):
            pass
    return PortableReader(sock, slots)


def _enlarge_receive_buffer(sock: socket.socket) -> None:
    try:
        sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES)
    except OSError:  # needs CAP_NET_ADMIN; the other is capped at net.core.rmem_max
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
