"""From file and environment to settings: read the shape, then check what belongs together."""

from __future__ import annotations

import base64
import binascii
import os
import tomllib
from collections.abc import Iterable, Mapping
from ipaddress import ip_address, ip_network
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import UNSET, UnsetType

from airslice.config.document import (
    AppTable,
    AutoSliceTable,
    Document,
    EndpointTable,
    PresenterTable,
    ProjectTable,
    ServerTable,
    StorageConfig,
)
from airslice.config.problems import ConfigError, Problems
from airslice.config.reading import Reader, overrides
from airslice.config.settings import (
    Address,
    Presenter,
    Security,
    Server,
    Settings,
    Slicing,
    Storage,
)
from airslice.domain.apps import Account, AutoSlice, RtcApp, SliceFormat
from airslice.domain.projects import Project, ProjectUser
from airslice.domain.room import is_valid_id
from airslice.domain.storage_endpoints import StorageOverride
from airslice.domain.storage_target import BUCKET_PATTERN, StorageTarget, StorageVendor

MASTER_KEY_BYTES = 32

# StartSegment, field StorageConfig.CustomConfig.Vendor.
CUSTOM_VENDORS = (
    StorageVendor.S3,
    StorageVendor.OSS,
    StorageVendor.OBS,
    StorageVendor.COS,
    StorageVendor.KODO,
)


def load(path: Path, environment: Mapping[str, str] | None = None) -> Settings:
    """Read and check the configuration file at `path` and the environment over it.

    Args:
        path: TOML file.
        environment: Instead of the process's own.

    Raises:
        ConfigError: With every problem that was found.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError([f"{path}: no such file; make one with: airslice init {path}"]) from None
    except (OSError, ValueError, RecursionError) as error:  # ValueError: no UTF-8, or no TOML
        raise ConfigError([f"{path}: {error}"]) from error
    variables = os.environ if environment is None else environment
    problems = Problems()
    tree = overrides(variables, Document.__struct_fields__)
    document = Reader(problems).table(Document, raw, tree, "")
    if document is None or problems:
        raise problems.error()
    settings = _Checker(problems).settings(document)
    if problems:
        raise problems.error()
    return settings


class _Checker:
    """Turns the document into settings, noting what does not hold.

    A value that is wrong is noted and replaced by a harmless one, so that checking goes on.
    """

    def __init__(self, problems: Problems) -> None:
        self._problems = problems

    def settings(self, document: Document) -> Settings:
        """Check the whole document."""
        accounts = {table.id for table in document.accounts}
        apps = {table.app_id for table in document.apps}
        self._unique("accounts", "id", [table.id for table in document.accounts])
        self._unique("accounts", "access_key", [table.access_key for table in document.accounts])
        self._unique("apps", "app_id", [table.app_id for table in document.apps])
        self._unique("projects", "project_id", [table.project_id for table in document.projects])
        slicing = document.slicing
        return Settings(
            server=self._server(document.server),
            slicing=Slicing(
                silence_dbfs=slicing.silence_dbfs,
                redundant_duration_unit=slicing.redundant_duration_unit,
                reorder_window_ms=slicing.reorder_window_ms,
            ),
            accounts=tuple(
                Account(id=table.id, access_key=table.access_key, secret_key=table.secret_key)
                for table in document.accounts
            ),
            apps=tuple(
                self._app(table, accounts, f"apps[{index}]")
                for index, table in enumerate(document.apps)
            ),
            projects=tuple(
                self._project(table, accounts, apps, f"projects[{index}]")
                for index, table in enumerate(document.projects)
            ),
            storage=Storage(
                default=document.storage.default,
                probe=document.storage.probe,
                endpoints=tuple(
                    self._override(table, f"storage.endpoints[{index}]")
                    for index, table in enumerate(document.storage.endpoints)
                ),
            ),
            presenter=self._presenter(document.presenter),
            security=Security(
                private_networks=tuple(self._networks(document.security.private_networks))
            ),
        )

    def _server(self, table: ServerTable) -> Server:
        return Server(
            http=self._address(table.http, "server.http"),
            media=self._address(table.media, "server.media", ip_only=True),
            advertise=tuple(self._ip_addresses(table.advertise)),
            metrics=self._address(table.metrics, "server.metrics") if table.metrics else None,
            data_dir=Path(table.data_dir),
            master_key=self._master_key(table.master_key),
            admin_password=table.admin_password or None,
            max_streams=table.max_streams,
            max_publishers_per_room=table.max_publishers_per_room,
            max_tasks=table.max_tasks,
            max_live_jobs=table.max_live_jobs,
            journal=table.journal,
            spool_quota_bytes=round(table.spool_quota_gb * 10**9),
        )

    def _app(self, table: AppTable, accounts: set[str], name: str) -> RtcApp:
        if not is_valid_id(table.app_id):
            self._problems.add(f"{name}.app_id", "expected 1 to 128 of a-z A-Z 0-9 _ @ - .")
        self._known(table.account, accounts, f"{name}.account", "accounts")
        if table.callback_url:
            self._http_url(table.callback_url, f"{name}.callback_url")
        return RtcApp(
            app_id=table.app_id,
            app_key=table.app_key,
            account_id=table.account,
            callback_url=table.callback_url or None,
            callback_secret=table.callback_secret,
            callback_events=tuple(dict.fromkeys(table.callback_events)),
            slice_format=SliceFormat(table.slice_format),
            sample_rate_hz=table.sample_rate,
            auto_slice=self._auto_slice(table.auto_slice, f"{name}.auto_slice"),
        )

    def _auto_slice(self, table: AutoSliceTable, name: str) -> AutoSlice | None:
        storage = None
        if table.storage is not UNSET:
            storage = self._storage_target(table.storage, f"{name}.storage")
        elif table.enabled:
            self._problems.add(f"{name}.storage", "is missing: where do the slices go?")
        if not table.enabled or storage is None:
            return None
        return AutoSlice(duration_s=table.duration, storage=storage)

    def _storage_target(self, config: StorageConfig, name: str) -> StorageTarget | None:
        if config.type == 0:
            tos = config.tos_config
            if isinstance(tos, UnsetType):
                self._problems.add(f"{name}.TosConfig", "is missing, and Type is 0")
                return None
            self._bucket(tos.bucket, f"{name}.TosConfig.Bucket")
            return StorageTarget(
                vendor=StorageVendor.TOS,
                region=tos.region,
                bucket=tos.bucket,
                account_id=tos.account_id,
            )
        custom = config.custom_config
        if isinstance(custom, UnsetType):
            self._problems.add(f"{name}.CustomConfig", "is missing, and Type is 2")
            return None
        self._bucket(custom.bucket, f"{name}.CustomConfig.Bucket")
        return StorageTarget(
            vendor=CUSTOM_VENDORS[custom.vendor],
            region=custom.region,
            bucket=custom.bucket,
            access_key=custom.access_key,
            secret_key=custom.secret_key,
        )

    def _project(
        self, table: ProjectTable, accounts: set[str], apps: set[str], name: str
    ) -> Project:
        self._known(table.account, accounts, f"{name}.account", "accounts")
        self._known(table.app_id, apps, f"{name}.app_id", "apps")
        self._unique(f"{name}.users", "name", [user.name for user in table.users])
        return Project(
            project_id=table.project_id,
            account_id=table.account,
            app_id=table.app_id,
            name=table.name,
            users=tuple(
                ProjectUser(name=user.name, password=user.password) for user in table.users
            ),
        )

    def _override(self, table: EndpointTable, name: str) -> StorageOverride:
        self._http_url(table.endpoint, f"{name}.endpoint")
        if bool(table.access_key) != bool(table.secret_key):
            self._problems.add(name, "access_key and secret_key belong together; one is missing")
        match = table.match
        if not isinstance(match.bucket, UnsetType):
            self._bucket(match.bucket, f"{name}.match.bucket")
        return StorageOverride(
            vendor=None if match.vendor is UNSET else StorageVendor(match.vendor),
            region=None if isinstance(match.region, UnsetType) else match.region,
            bucket=None if isinstance(match.bucket, UnsetType) else match.bucket,
            endpoint=table.endpoint,
            signing_region=table.signing_region,
            access_key=table.access_key,
            secret_key=table.secret_key,
        )

    def _presenter(self, table: PresenterTable) -> Presenter:
        if table.engine == "http":
            self._http_url(table.http_url, "presenter.http_url")
            if table.http_api == "openai" and not table.http_model:
                self._problems.add("presenter.http_model", "is missing, and http_api is openai")
        is_piper = table.engine == "piper"
        if is_piper and not table.piper_model:
            self._problems.add("presenter.piper_model", "is missing, and engine is piper")
        return Presenter(
            engine=table.engine,
            voices=table.voices,
            default_voice=table.piper_model if is_piper else table.default_voice,
            processes=table.processes,
            http_url=table.http_url,
            http_key=table.http_key,
            http_api=table.http_api,
            http_model=table.http_model,
        )

    def _address(self, text: str, name: str, *, ip_only: bool = False) -> Address:
        try:
            address = _parse_address(text)
            if ip_only:
                ip_address(address.host)
        except ValueError:
            host = "IP address" if ip_only else "host"
            self._problems.add(name, f"expected {host}:port, such as 127.0.0.1:8080 or [::1]:8080")
            return Address("127.0.0.1", 0)
        return address

    def _ip_addresses(self, texts: Iterable[str]) -> list[str]:
        addresses = []
        for index, text in enumerate(texts):
            try:
                addresses.append(str(ip_address(text)))
            except ValueError:
                self._problems.add(f"server.advertise[{index}]", "expected an IP address")
        return addresses

    def _master_key(self, text: str) -> bytes:
        try:
            key = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if len(key) != MASTER_KEY_BYTES:
            self._problems.add(
                "server.master_key",
                f"expected {MASTER_KEY_BYTES} bytes in base64; make some with:"
                f" openssl rand -base64 {MASTER_KEY_BYTES}",
            )
        return key

    def _networks(self, texts: Iterable[str]) -> list[str]:
        networks = []
        for index, text in enumerate(texts):
            try:
                networks.append(str(ip_network(text)))
            except ValueError as error:
                self._problems.add(f"security.private_networks[{index}]", str(error))
        return networks

    def _unique(self, table: str, key: str, values: list[str]) -> None:
        for index, value in enumerate(values):
            first = values.index(value)
            if first != index:
                self._problems.add(f"{table}[{index}].{key}", f"is that of {table}[{first}] too")

    def _known(self, value: str, known: set[str], name: str, table: str) -> None:
        if value not in known:
            self._problems.add(name, f"{value!r} is none of the {table}")

    def _bucket(self, bucket: str, name: str) -> None:
        if not BUCKET_PATTERN.fullmatch(bucket):
            self._problems.add(name, "is no bucket name: letters, digits, dot, hyphen, underscore")

    def _http_url(self, url: str, name: str) -> None:
        try:
            parts = urlsplit(url)
            valid = parts.scheme in ("http", "https") and bool(parts.hostname)
            valid = valid and parts.port != 0
        except ValueError:
            valid = False
        if not valid:
            self._problems.add(name, "expected an http or https URL")


def _parse_address(text: str) -> Address:
    """Split `host:port` or `[IPv6]:port`."""
    host, colon, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = str(ip_address(host[1:-1]))
    elif ":" in host:
        raise ValueError("an IPv6 address needs brackets")
    if not colon or not host or not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise ValueError("no port")
    return Address(host, int(port))
