"""Where slices are written, kept and stored: slice files, the spool, object stores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple, Protocol

from airslice.domain.file_kind import FileKind
from airslice.domain.storage_target import StorageTarget
from airslice.slicing.audio import OpusAudio, PcmAudio


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

    def open(self, path: Path, kind: FileKind) -> SliceWriter:
        """Return a writer of a new file of this kind at `path`; what is there is replaced."""


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

    def open(self, kind: FileKind, *, name: str | None = None) -> SpoolFile:
        """Begin a file.

        Args:
            kind: What it will hold.
            name: The file's name if a crash interrupted it and it is written anew. None: the
                spool gives it a new one.
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
