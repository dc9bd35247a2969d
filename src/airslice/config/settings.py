"""The settings as the rest of airslice takes them: frozen, typed and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

from airslice.domain.apps import Account, RtcApp
from airslice.domain.projects import Project
from airslice.domain.storage_endpoints import StorageOverride


class Address(NamedTuple):
    """Where a socket listens, or is reached."""

    host: str
    """Name or IP address, without brackets."""
    port: int

    def __str__(self) -> str:
        """As written in a URL."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Server:
    """Where the server listens, where it keeps its data, and how much it takes."""

    http: Address
    media: Address
    """UDP; the host is an IP address."""
    advertise: tuple[str, ...]
    """IP addresses that clients are told; empty: those of `media`."""
    metrics: Address | None
    """A listener of its own for /metrics; None: it is served on `http`."""
    data_dir: Path
    master_key: bytes = field(repr=False)
    """32 bytes, from which the keys for stored secrets, URLs and sessions are derived."""
    admin_password: str | None = field(repr=False)
    """None: console and admin API answer to this machine only."""
    max_streams: int
    """Published streams at a time, in all rooms."""
    max_publishers_per_room: int
    max_tasks: int
    """Slice tasks that are active at a time."""
    max_live_jobs: int
    """Live jobs that have not ended."""
    journal: bool
    """Whether received packets are kept on the disk until their slices are safe."""
    spool_quota_bytes: int
    """What slices that wait for their storage may take on the disk."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Slicing:
    """How audio is cut where no request decides it."""

    silence_dbfs: float
    """A 20 ms frame at or below this level is silent; below 0."""
    redundant_duration_unit: Literal["s", "ms"]
    """Unit of RedundantDuration in requests."""
    reorder_window_ms: int
    """How long a late packet is waited for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Storage:
    """Where buckets really are."""

    default: Literal["local", "vendor"]
    probe: bool
    """Whether a bucket is tried before a task is started that needs it."""
    endpoints: tuple[StorageOverride, ...]
    """The first that matches wins; where none does, `default` says."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Presenter:
    """What speaks for virtual presenters."""

    engine: Literal["espeak", "piper", "http"]
    voices: Mapping[str, str]
    """The engine's names by the asset ids of requests; for Piper, paths of model files."""
    default_voice: str
    """For other asset ids; empty: by the script of the text. For Piper, a model file's path."""
    processes: int
    """Of espeak-ng or Piper."""
    http_url: str
    http_key: str = field(repr=False)
    http_api: Literal["plain", "openai"]
    http_model: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Security:
    """What URLs that users give may point to."""

    private_networks: tuple[str, ...]
    """Private address ranges that are allowed all the same, in CIDR notation."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """Everything that can be configured."""

    server: Server
    slicing: Slicing
    accounts: tuple[Account, ...]
    apps: tuple[RtcApp, ...]
    projects: tuple[Project, ...]
    storage: Storage
    presenter: Presenter
    security: Security
