"""The shape of the configuration file: its tables, names, defaults and ranges.

Names are those of the file, and of the requests where it quotes them (TosConfig, CustomConfig).
What they mean is said in docs/configuration.md.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from airslice.domain.callback import SEGMENT_EVENT

Text = Annotated[str, Meta(min_length=1)]
EventType = Annotated[str, Meta(pattern="^[A-Za-z0-9_]{1,64}$")]
Count = Annotated[int, Meta(ge=1, le=1_000_000)]


class ServerTable(Struct, kw_only=True):
    """[server]"""

    http: Text = "127.0.0.1:8080"
    media: Text = "127.0.0.1:50000"
    advertise: list[Text] = []
    metrics: str = ""
    data_dir: Text = "./data"
    master_key: Text
    admin_password: str = ""
    max_streams: Count = 1_000
    max_publishers_per_room: Count = 100
    max_tasks: Count = 1_000
    max_live_jobs: Count = 100
    journal: bool = True
    spool_quota_gb: Annotated[float, Meta(ge=0.1, le=1_000_000)] = 20


class SlicingTable(Struct, kw_only=True):
    """[slicing]"""

    silence_dbfs: Annotated[float, Meta(ge=-90, le=-1)] = -50
    redundant_duration_unit: Literal["s", "ms"] = "s"
    reorder_window_ms: Annotated[int, Meta(ge=0, le=2_000)] = 200


class AccountTable(Struct, kw_only=True):
    """[[accounts]]"""

    id: Text
    access_key: Text
    secret_key: Text


class TosConfig(Struct, kw_only=True, rename="pascal"):
    """As in StartSegment, field StorageConfig.TosConfig."""

    account_id: Text
    region: Annotated[int, Meta(ge=0)] = 0
    bucket: Text


class CustomConfig(Struct, kw_only=True, rename="pascal"):
    """As in StartSegment, field StorageConfig.CustomConfig."""

    vendor: Annotated[int, Meta(ge=0, le=4)] = 0
    region: Annotated[int, Meta(ge=0)] = 0
    bucket: Text
    access_key: Text
    secret_key: Text


class StorageConfig(Struct, kw_only=True, rename="pascal"):
    """As in StartSegment, field StorageConfig; slices go to types 0 and 2 only."""

    type: Literal[0, 2] = 0
    tos_config: TosConfig | UnsetType = UNSET
    custom_config: CustomConfig | UnsetType = UNSET


class AutoSliceTable(Struct, kw_only=True):
    """[apps.auto_slice]"""

    enabled: bool = False
    duration: Annotated[int, Meta(ge=1, le=600)] = 20
    storage: StorageConfig | UnsetType = UNSET


class AppTable(Struct, kw_only=True):
    """[[apps]]"""

    app_id: Text
    app_key: Text
    account: Text
    callback_url: str = ""
    callback_secret: str = ""
    callback_events: list[EventType] = field(default_factory=lambda: [SEGMENT_EVENT])
    slice_format: Literal["wav", "ogg", "flac", "mp3", "aac"] = "wav"
    sample_rate: Literal[8_000, 16_000, 24_000, 48_000] = 16_000
    auto_slice: AutoSliceTable = field(default_factory=AutoSliceTable)


class ProjectUserTable(Struct, kw_only=True):
    """[[projects.users]]"""

    name: Text
    password: Text


class ProjectTable(Struct, kw_only=True):
    """[[projects]]"""

    project_id: Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{1,64}$")]
    account: Text
    app_id: Text
    name: str = ""
    users: list[ProjectUserTable] = []


class MatchTable(Struct, kw_only=True):
    """The match of a storage endpoint; what is not given matches everything."""

    vendor: Literal["tos", "s3", "oss", "obs", "cos", "kodo"] | UnsetType = UNSET
    region: int | Text | UnsetType = UNSET
    bucket: Text | UnsetType = UNSET


class EndpointTable(Struct, kw_only=True):
    """[[storage.endpoints]]"""

    match: MatchTable = field(default_factory=MatchTable)
    endpoint: Text
    signing_region: str = ""
    access_key: str = ""
    secret_key: str = ""


class StorageTable(Struct, kw_only=True):
    """[storage]"""

    default: Literal["local", "vendor"] = "local"
    probe: bool = True
    endpoints: list[EndpointTable] = []


class PresenterTable(Struct, kw_only=True):
    """[presenter]"""

    engine: Literal["espeak", "piper", "http"] = "espeak"
    voices: dict[str, Text] = {}
    default_voice: str = ""
    processes: Annotated[int, Meta(ge=1, le=16)] = 1
    piper_model: str = ""
    http_url: str = ""
    http_key: str = ""
    http_api: Literal["plain", "openai"] = "plain"
    http_model: str = ""


class SecurityTable(Struct, kw_only=True):
    """[security]"""

    private_networks: list[Text] = []


class Document(Struct, kw_only=True):
    """The whole file."""

    server: ServerTable
    slicing: SlicingTable = field(default_factory=SlicingTable)
    accounts: list[AccountTable] = []
    apps: list[AppTable] = []
    projects: list[ProjectTable] = []
    storage: StorageTable = field(default_factory=StorageTable)
    presenter: PresenterTable = field(default_factory=PresenterTable)
    security: SecurityTable = field(default_factory=SecurityTable)
