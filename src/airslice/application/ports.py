"""What the use cases need from the outside, one small Protocol per need."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from airslice.domain.apps import RtcApp, SliceFormat
from airslice.domain.slice_record import SliceRecord, SliceState
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

    def ended(self) -> None:
        """The publisher has left, was replaced or is gone. Called once; nothing follows."""


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


class Spool(Protocol):
    """Where slices wait until they are stored."""

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


class ObjectStore(Protocol):
    """Takes finished slices."""

    async def put(
        self, target: StorageTarget, key: str, source: Path, *, content_type: str, sha256: str
    ) -> None:
        """Store the file `source` as `key`; return when the store has confirmed it.

        Raises:
            StoreFailed: it is not stored, or nobody can tell.
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
        """Insert a slice; inserting the same (run, stream, index) again changes nothing."""

    async def set_slice_state(self, record: SliceRecord, state: SliceState) -> None:
        """Move a slice to `state`."""

    async def undelivered_slices(self) -> list[tuple[SliceTask, SliceRecord]]:
        """Return the slices that are spooled or stored but not announced, oldest first."""

    async def room_slices(
        self, app_id: str, room_id: str, *, limit: int
    ) -> list[tuple[SliceTask, SliceRecord]]:
        """Return the latest slices of a room, newest first."""

    async def forget_before(self, ended_before_ms: int) -> None:
        """Remove runs that ended before, with their slices, if all of them were delivered."""


class CallbackSender(Protocol):
    """Tells an application's owner about a slice."""

    async def send(self, app: RtcApp, task: SliceTask, record: SliceRecord) -> bool:
        """Post one callback, once; return whether the receiver took it (HTTP 200 within 5 s)."""
