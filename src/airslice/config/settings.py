"""The settings as the rest of airslice takes them: frozen, typed and checked.

Sections of the file that are taken as they are written have their names, defaults and bounds here;
the others are in `tables`. docs/configuration.md tells operators what they mean.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from airslice.config import texts
from airslice.config.texts import Address
from airslice.domain.apps import Account, RtcApp
from airslice.domain.destination import is_http_url
from airslice.domain.projects import Project
from airslice.domain.storage_endpoints import StorageOverride

Count = Annotated[int, Meta(ge=1, le=1_000_000)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Server:
    """Where the server listens, where it keeps its data, and how much it takes."""

    http: Annotated[Address, texts.address] = field(default=Address("127.0.0.1", 8080))
    media: Annotated[Address, texts.media_address] = field(default=Address("127.0.0.1", 50_000))
    """UDP; the host is an IP address."""
    advertise: tuple[Annotated[str, texts.ip], ...] = ()
    """IP addresses that clients are told; where there are none, that of `media` is told."""
    metrics: Annotated[Address, texts.address] | None = None
    """Where /metrics is served; None: on `http`."""
    data_dir: Annotated[Path, Path] = Path("data")
    master_key: Annotated[bytes, texts.master_key] = field(repr=False)
    """32 bytes, from which the keys for stored secrets, URLs and sessions are derived."""
    admin_password: str | None = field(default=None, repr=False)
    """None: console and admin API answer to this machine only."""
    max_streams: Count = 1_000
    """Published streams at a time, in all rooms."""
    max_publishers_per_room: Count = 100
    max_tasks: Count = 1_000
    """Slice tasks that are active at a time."""
    max_live_jobs: Count = 100
    """Live jobs that have not ended."""
    journal: bool = True
    """Whether received packets are kept on the disk until their slices are safe."""
    spool_quota_gb: Annotated[float, Meta(ge=0.1, le=1_000_000)] = 20
    """What slices that wait for their storage may take on the disk, in units of 10**9 bytes."""

    @property
    def spool_quota_bytes(self) -> int:
        """What slices that wait for their storage may take on the disk."""
        return round(self.spool_quota_gb * 10**9)


@dataclass(frozen=True, kw_only=True, slots=True)
class Slicing:
    """How audio is cut where no request decides it."""

    silence_dbfs: Annotated[float, Meta(ge=-90, le=-1)] = -50
    """A 20 ms frame at or below this level is silent."""
    redundant_duration_unit: Literal["s", "ms"] = "s"
    """Unit of RedundantDuration in requests."""
    reorder_window_ms: Annotated[int, Meta(ge=0, le=2_000)] = 200
    """How long a late packet is waited for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Storage:
    """Where buckets really are."""

    default: Literal["local", "vendor"] = "local"
    probe: bool = True
    """Whether a bucket is tried before a task is started that needs it."""
    endpoints: tuple[StorageOverride, ...] = ()
    """The first that matches wins; where none does, `default` says."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Presenter:
    """What speaks for virtual presenters."""

    engine: Literal["espeak", "piper", "http"] = "espeak"
    voices: Mapping[str, Annotated[str, Meta(min_length=1)]] = field(default_factory=dict)
    """The engine's names by the asset ids of requests; for Piper, paths of model files."""
    default_voice: str = ""
    """What speaks for other asset ids; where it is empty, the script of the text decides."""
    processes: Annotated[int, Meta(ge=1, le=16)] = 1
    """How many processes espeak-ng or Piper run in."""
    piper_model: str = ""
    """Path of the model file that Piper speaks with for other asset ids."""
    http_url: str = ""
    http_key: str = field(default="", repr=False)
    http_api: Literal["plain", "openai"] = "plain"
    http_model: str = ""

    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield each setting that the chosen engine needs and does not have, and what is wrong."""
        if self.engine == "http":
            if not is_http_url(self.http_url):
                yield "http_url", texts.HTTP_URL_RULE
            if self.http_api == "openai" and not self.http_model:
                yield "http_model", "is missing, and http_api is openai"
        if self.engine == "piper" and not self.piper_model:
            yield "piper_model", "is missing, and engine is piper"


@dataclass(frozen=True, kw_only=True, slots=True)
class Security:
    """What URLs that users give may point to."""

    private_networks: tuple[Annotated[str, texts.network], ...] = ()
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
