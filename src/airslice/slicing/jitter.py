"""The jitter buffer: puts the packets of one source back in order, within a bounded wait.

Sans-IO: the only times are the arrivals of packets and the `now_ns` of `expire`. A missing packet
is awaited until a later one has been held for the whole window. It is taken if it arrives before
any later packet is `window_ns` old, however often `expire` is called in between.
"""

from __future__ import annotations

from collections.abc import Iterable

from airslice.slicing.packets import RtpPacket

DEFAULT_WINDOW_NS = 200_000_000

MAX_HELD_PACKETS = 512
"""Most packets that are held for a missing one; 200 ms hold at most 80 of 2.5 ms."""

MAX_DROPOUT = 3_000
MAX_MISORDER = 1_000
"""How far a sequence number may be ahead and behind (RFC 3550 appendix A.1). If it is further off,
the source has started again, provided that a consecutive packet within the window confirms it."""


class ReorderBuffer:
    """Orders one source's packets by sequence number; awaits missing ones for `window_ns`."""

    def __init__(self, window_ns: int = DEFAULT_WINDOW_NS) -> None:
        self._window_ns = window_ns
        self._next: int | None = None
        """Extended number of the next packet to hand out; None until the first was."""
        self._held: dict[int, RtpPacket] = {}
        """The held packets by extended number, in order of arrival."""
        self._reference = 0
        """Extended number near which the next arrivals are expected."""
        self._stray: RtpPacket | None = None
        self.late_packets = 0
        """Packets that came twice, after they had been given up, or far off and unconfirmed."""

    def push(self, packets: Iterable[RtpPacket]) -> list[RtpPacket]:
        """Take packets in order of arrival; return those whose turn has come, in order."""
        ready: list[RtpPacket] = []
        held = self._held
        for packet in packets:
            if held:
                self._release(packet.arrival_ns, ready)
            elif self._next is not None and packet.sequence == self._next & 0xFFFF:
                if self._stray is not None:
                    self._drop_stray()
                ready.append(packet)
                self._next += 1
                continue
            self._place(packet, ready)
        return ready

    def expire(self, now_ns: int) -> list[RtpPacket]:
        """Give up what has been awaited for the whole window; return what waited behind it."""
        ready: list[RtpPacket] = []
        if self._held:
            self._release(now_ns, ready)
        return ready

    def flush(self) -> list[RtpPacket]:
        """Return all that is held, in order: the source has ended."""
        ready = [self._held[number] for number in sorted(self._held)]
        if self._held:
            self._next = max(self._held) + 1
            self._held.clear()
        return ready

    def _place(self, packet: RtpPacket, ready: list[RtpPacket]) -> None:
        if self._next is not None:
            reference = self._next
        else:
            reference = self._reference if self._held else packet.sequence
        distance = ((packet.sequence - reference + 0x8000) & 0xFFFF) - 0x8000
        if not -MAX_MISORDER <= distance <= MAX_DROPOUT:
            self._restart_or_wait(packet, ready)
            return
        if self._stray is not None:
            self._drop_stray()
        number = reference + distance
        if number in self._held or (self._next is not None and number < self._next):
            self.late_packets += 1
            return
        self._held[number] = packet
        self._reference = number
        self._drain(ready)
        if len(self._held) > MAX_HELD_PACKETS:
            self._give_up(ready)

    def _restart_or_wait(self, packet: RtpPacket, ready: list[RtpPacket]) -> None:
        stray = self._stray
        if (
            stray is not None
            and packet.sequence == (stray.sequence + 1) & 0xFFFF
            and packet.arrival_ns - stray.arrival_ns < self._window_ns
        ):
            ready += self.flush()
            ready += (stray, packet)
            self._stray = None
            self._next = packet.sequence + 1
            return
        if stray is not None:
            self._drop_stray()
        self._stray = packet

    def _drop_stray(self) -> None:
        self._stray = None
        self.late_packets += 1

    def _release(self, now_ns: int, ready: list[RtpPacket]) -> None:
        held = self._held
        while held and next(iter(held.values())).arrival_ns + self._window_ns <= now_ns:
            self._give_up(ready)

    def _give_up(self, ready: list[RtpPacket]) -> None:
        """Stop waiting for whatever is missing before the packet that has waited longest."""
        longest = next(iter(self._held))
        ready += (self._held.pop(number) for number in sorted(self._held) if number <= longest)
        self._next = longest + 1
        self._drain(ready)

    def _drain(self, ready: list[RtpPacket]) -> None:
        if self._next is None:
            return
        held = self._held
        while held and (packet := held.pop(self._next, None)) is not None:
            ready.append(packet)
            self._next += 1
