"""What the use cases need from the outside, one small Protocol per need."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple, Protocol

from airslice.domain.apps import SliceFormat
from airslice.domain.ban import Ban, BanScope
from airslice.domain.callback import CallbackEvent, CallbackReceiver, CallbackSetting
from airslice.domain.outbox import Outcome
from airslice.domain.room_event import EndReason, Presence
from airslice.domain.slice_record import SliceRecord
from airslice.domain.slice_task import SliceTask, TaskKey
from airslice.domain.storage_target import StorageTarget
from airslice.slicing.assembly import OpusDecoder as OpusDecoder
from airslice.slicing.audio import OpusAudio, PcmAudio
from airslice.slicing.packets import RtpPacket, SenderReport


class Clock(Protocol):
    """The two clocks of the machine."""

    def monotonic_ns(self) -> int:
        """Nanoseconds on a clock that never steps."""

    def utc_ns(self) -> int:
        """Nanoseconds since the Unix epoch on the wall clock, which may step."""


class StreamSink(Protocol):
    """Where a media engine puts what one published stream sends.

    Called on the event loop; returns at once.
    """

    def source(self, ssrc: int) -> Callable[[RtpPacket], object]:
        """Return the function that takes the packets of `ssrc`, in order of arrival."""

    def sender_report(self, ssrc: int, report: SenderReport) -> None:
        """Take a sender report of `ssrc`."""

    def ended(self, reason: EndReason = EndReason.LOST) -> None:
        """The publisher has left, was replaced or is gone. Called once; nothing follows.

        Args:
            reason: What the engine knows: `LEFT`, `SHUTDOWN`, or `LOST` for anything else.
        """


class MediaSession(Protocol):
    """One publisher's connection."""

    answer: str
    """SDP answer to the offer that opened the session."""

    def restart(self, fragment: str) -> str:
        """Take the peer's new ICE credentials; return the server's.

        Args:
            fragment: Body of a WHIP PATCH, `application/trickle-ice-sdpfrag` (RFC 8840).

        Returns:
            The server's fragment of the same type; empty where nothing was restarted
            (the fragment only adds candidates).

        Raises:
            OfferRefused: `fragment` cannot be parsed.
        """

    def close(self) -> None:
        """End the session: the sink's `ended` is called if it has not been."""


class MediaEngine(Protocol):
    """Where published audio comes from."""

    def open(self, offer: str, sink: StreamSink) -> MediaSession:
        """Answer an SDP offer; the sink gets what the publisher then sends.

        Raises:
            OfferRefused: the offer is malformed or has no acceptable Opus audio section.
            ServerFull: the engine takes no more sessions.
        """


class OutgoingPacket(NamedTuple):
    """One RTP packet for a listener: what is the same for all listeners of a stream."""

    sequence: int
    """Sequence number, 0 <= sequence < 2**16. What a publisher's network lost is missing."""
    timestamp: int
    """RTP timestamp of the first sample, in 48 kHz ticks, 0 <= timestamp < 2**32."""
    marker: bool
    """Whether it is the first after a pause (RFC 7587 section 4.1)."""
    level: int
    """RFC 6464 audio level in -dBov, 0 to 127, or `LEVEL_UNKNOWN`."""
    captured_ns: int
    """When its first sample was captured, on the server's monotonic clock."""
    payload: bytes
    """One Opus packet (RFC 6716)."""


class ListeningSession(MediaSession, Protocol):
    """One listener's connection."""

    def send(self, packet: OutgoingPacket) -> None:
        """Send a packet at once; nothing happens before the listener is connected, or after."""


class ListeningEngine(Protocol):
    """Where listeners are sent to."""

    def listen(self, offer: str, on_ended: Callable[[EndReason], None]) -> ListeningSession:
        """Answer an SDP offer that wants to receive audio.

        Args:
            offer: The offer.
            on_ended: Called once, when the listener has left or is gone, or after `close`.

        Raises:
            OfferRefused: the offer is malformed or has no acceptable Opus audio section.
            ServerFull: the engine takes no more listeners.
        """


class OpusDecoders(Protocol):
    """Makes decoders."""

    def open(self, sample_rate_hz: int) -> OpusDecoder:
        """Return a fresh decoder to mono PCM at `sample_rate_hz`."""


class SliceWriter(Protocol):
    """Writes one slice file. Not for the event loop: every call may block."""

    def write(self, audio: Sequence[PcmAudio] | Sequence[OpusAudio]) -> None:
        """Append audio pieces, as the slicing core hands them out."""

    def finish(self) -> None:
        """Complete the file and flush it to the disk."""

    def discard(self) -> None:
        """Close and remove the file."""


class SliceWriters(Protocol):
    """Makes writers."""

    def open(
        self, path: Path, *, slice_format: SliceFormat, sample_rate_hz: int, passthrough: bool
    ) -> SliceWriter:
        """Return a writer of a new file at `path`; what is there is replaced.

        Args:
            path: Where.
            slice_format: What to write.
            sample_rate_hz: Rate of the PCM to come; without meaning for passthrough.
            passthrough: Whether `OpusAudio` is to come, for `ogg` only; else `PcmAudio`.
        """


@dataclass(frozen=True, kw_only=True, slots=True)
class SpooledFile:
    """A complete file on this machine's disk."""

    path: Path
    size_bytes: int
    sha256: str
    """Hexadecimal, lower case."""


class SpoolFile(Protocol):
    """A slice file that is being written in the background, its calls in order."""

    name: str
    """Unique; the file is found again by it after a restart."""

    def write(self, audio: Sequence[PcmAudio] | Sequence[OpusAudio]) -> None:
        """Append audio; the caller does not touch `audio` again. Returns at once."""

    def finish(self) -> None:
        """Nothing more follows; complete the file. Returns at once."""

    def discard(self) -> None:
        """The file is not wanted. Returns at once."""

    async def finished(self) -> SpooledFile:
        """Wait until the file is complete, safely on the disk and under its final name.

        Raises:
            StoreFailed: it could not be written.
        """


class SpoolUsage(NamedTuple):
    """How full the spool is, in bytes."""

    used: int
    quota: int
    """What it is allowed to hold."""
    free: int
    """What its disk could take in addition."""


class SpoolEntry(NamedTuple):
    """A complete file in the spool."""

    name: str
    size_bytes: int
    modified_at_ms: int
    """UTC, milliseconds since the Unix epoch."""


class Spool(Protocol):
    """Where slices wait until they are stored."""

    @property
    def failing(self) -> bool:
        """Whether its disk refused the latest write: slices are lost."""

    def try_again(self) -> None:
        """Find out whether the disk still refuses writes. Not for the event loop: it may block."""

    def open(
        self,
        *,
        slice_format: SliceFormat,
        sample_rate_hz: int,
        passthrough: bool,
        name: str | None = None,
    ) -> SpoolFile:
        """Begin a new file.

        Args:
            slice_format: What to write.
            sample_rate_hz: Of the audio.
            passthrough: Whether it is of the publisher's own packets.
            name: Of a file that a crash interrupted and that is written anew; else a new one.
        """

    def path_of(self, name: str) -> Path:
        """Where the complete file `name` lies."""

    def remove(self, name: str) -> None:
        """Remove the complete file `name`; it need not exist."""

    def entries(self) -> list[SpoolEntry]:
        """Return all complete files. Not for the event loop: it may block."""

    def usage(self) -> SpoolUsage:
        """Return how full the spool is."""


NO_METADATA: Mapping[str, str] = MappingProxyType({})


class ObjectStore(Protocol):
    """Takes finished slices."""

    async def put(
        self,
        target: StorageTarget,
        key: str,
        source: Path,
        *,
        content_type: str,
        sha256: str,
        metadata: Mapping[str, str] = NO_METADATA,
    ) -> None:
        """Store the file `source` as `key`; return when the store has confirmed it.

        Writing the same file under the same key again is harmless.

        Args:
            target: The bucket, and the keys for it.
            key: Name of the object in its bucket.
            source: A file that does not change.
            content_type: Kept with the object, where the store can.
            sha256: Of the content, hexadecimal, lower case.
            metadata: Kept with the object, where the store can. Names are lower-case letters and
                hyphens; values may be any text.

        Raises:
            StoreRefused: it is not stored and never will be, unless somebody acts.
            StoreFailed: it is not stored, or nobody can tell.
        """


class StorageProbe(Protocol):
    """Finds out early what would go wrong later."""

    async def check(self, target: StorageTarget) -> None:
        """Return if objects can be stored at `target`. Needs permission to write, none to read.

        Raises:
            StoreRefused: they cannot: the bucket or the keys are wrong.
            StoreFailed: nobody can tell, for the store is out of reach or out of order.
        """


class TaskStore(Protocol):
    """Remembers tasks and their slices."""

    async def save_task(self, task: SliceTask) -> None:
        """Insert or replace the run `task.run_id`."""

    async def find_task(self, key: TaskKey, *, since_ms: int) -> SliceTask | None:
        """Return the latest run of `key` that started at `since_ms` (UTC) or later."""

    async def find_run(self, run_id: str) -> SliceTask | None:
        """Return a run, however old."""

    async def unfinished_tasks(self) -> list[SliceTask]:
        """Return all runs that are not in a final state, oldest first."""

    async def next_index(self, run_id: str) -> dict[tuple[str, int], int]:
        """Return the next free slice index of each (user id, stream type) of a run."""

    async def spool_names(self, run_id: str) -> set[str]:
        """Return the names, in the spool, of all slices that a run has in the records."""

    async def add_slice(self, record: SliceRecord) -> None:
        """Insert a slice, and its upload into the outbox, in one transaction.

        Inserting the same (run, stream, index) again changes nothing.
        """

    async def room_slices(
        self, app_id: str, room_id: str, *, limit: int
    ) -> list[tuple[SliceTask, SliceRecord]]:
        """Return the latest slices of a room, newest first."""

    async def forget_before(self, ended_before_ms: int) -> None:
        """Remove runs that ended before, with their slices, if all of them were delivered."""


class BanStore(Protocol):
    """Remembers bans over restarts."""

    async def save_ban(self, ban: Ban) -> None:
        """Insert the ban, or replace the one of its scope."""

    async def lift_ban(self, scope: BanScope) -> None:
        """Remove the ban of `scope`; there need not be one."""

    async def bans(self) -> list[Ban]:
        """Return all bans, the first to expire first."""

    async def forget_bans(self, now_ms: int) -> None:
        """Remove those that have expired at `now_ms` (UTC)."""


class PresenceStore(Protocol):
    """Remembers over a crash who was told to be in which room."""

    async def note(
        self, *, entered: Sequence[Presence] = (), left: Sequence[Presence] = ()
    ) -> None:
        """Remember what has come and forget what has gone, in one transaction."""

    async def present(self) -> list[Presence]:
        """Return what has come and not gone."""

    async def sign(self, at_ms: int) -> None:
        """Remember that the server lives at `at_ms` (UTC)."""

    async def last_sign_ms(self) -> int:
        """Return when it lived last; 0 if nobody knows."""


class CallbackSettingStore(Protocol):
    """Remembers who is told of which events."""

    async def save_setting(self, setting: CallbackSetting) -> None:
        """Insert or replace the setting of its application and business."""

    async def find_setting(self, app_id: str, business_id: str) -> CallbackSetting | None:
        """Return the setting of an application, or of one business in it."""

    async def settings(self, app_id: str) -> list[CallbackSetting]:
        """Return all settings of an application, in order of their business ids."""

    async def remove_setting(self, app_id: str, business_id: str) -> None:
        """Remove a setting; there need not be one."""


class CallbackSender(Protocol):
    """Tells an application's owner of an event."""

    async def send(self, event: CallbackEvent, receiver: CallbackReceiver) -> Outcome:
        """Post a callback, once; made if the receiver took it (HTTP 200 within 5 s)."""
