"""The server as its user runs it: a process of its own, with a configuration file."""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from airslice.config import fresh_config, load
from airslice.domain.apps import RtcApp
from airslice.domain.room_token import Privilege, RoomClaims, mint
from tests.support.server.ports import free_port
from tests.support.waiting import PATIENCE_S

KINDS = {
    "wav": ("wav", 16_000),
    "wav8": ("wav", 8_000),
    "wav24": ("wav", 24_000),
    "wav48": ("wav", 48_000),
    "ogg": ("ogg", 48_000),
    "flac": ("flac", 16_000),
    "mp3": ("mp3", 16_000),
    "aac": ("aac", 16_000),
}
"""The configured applications: slice format and sample rate in hertz."""

FOREIGN = "foreign"
"""The application that is another account's."""

AUTO = "auto"
"""The application that slices every user by itself, two seconds a slice."""


REGION = "cn-north-4"
"""By which SDKs look up the project."""


class RunningServer:
    """Starts, stops and kills `airslice serve`; data and addresses stay over restarts."""

    def __init__(
        self, folder: Path, callback_url: str, environment: Mapping[str, str] | None = None
    ) -> None:
        """Configure a server in `folder`, an empty one; `environment` overrides the file."""
        self._config = folder / "airslice.toml"
        self._log = folder / "server.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._config.write_text(_config_text(folder, callback_url))
        self._environment = {
            "AIRSLICE_SECURITY__PRIVATE_NETWORKS": '["127.0.0.0/8"]',
            **(environment or {}),
        }
        self.settings = load(self._config, self._environment)
        names = [*KINDS, AUTO, FOREIGN]
        self.apps: dict[str, RtcApp] = dict(zip(names, self.settings.apps, strict=True))
        [self.project] = self.settings.projects  # that of the first application, "wav"
        self.host = str(self.settings.server.http)
        self.base_url = f"http://{self.host}"

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The running process."""
        assert self._process is not None
        return self._process

    @property
    def log(self) -> str:
        """Everything that the server has logged, over all its starts."""
        return self._log.read_text(errors="replace")

    @property
    def media(self) -> tuple[str, int]:
        """Where media is received."""
        return self.settings.server.media

    def launch(self, *, environment: Mapping[str, str] | None = None) -> None:
        """Start the process and do not wait for it; `environment` is of this start alone."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "airslice", "serve", "--config", str(self._config)],
                env={**os.environ, **self._environment, **(environment or {})},
                stdout=log,
                stderr=log,
            )

    def start(self) -> None:
        """Start, and wait until it is ready."""
        self.launch()
        deadline_s = time.monotonic() + PATIENCE_S
        while not self._is_ready():
            assert self.process.poll() is None, self.log
            assert time.monotonic() < deadline_s, "the server does not become ready"
            time.sleep(0.05)

    def stop(self) -> int:
        """Send SIGTERM; return the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self._reap()

    def kill(self) -> None:
        """Send SIGKILL."""
        self.process.kill()
        self._reap()

    def close(self) -> None:
        """Stop if it runs; its log must be free of secrets and of crashes."""
        if self._process is not None:
            assert self.stop() == 0
        self.check_log()

    def check_log(self) -> None:
        """The log holds no secret and no stack trace."""
        log = self.log
        assert "Traceback" not in log, log
        assert not self.secrets_in(log)

    def secrets_in(self, text: str) -> list[str]:
        """Return which of the configured secrets `text` contains."""
        settings = self.settings
        known = {
            "master_key": re.findall(r'master_key = "(.+?)"', self._config.read_text())[0],
            "admin_password": str(settings.server.admin_password),
            **{f"secret_key of {account.id}": account.secret_key for account in settings.accounts},
            **{f"password of {user.name}": user.password for user in self.project.users},
            **{f"app_key of {name}": app.app_key for name, app in self.apps.items()},
            **{
                f"callback_secret of {name}": app.callback_secret for name, app in self.apps.items()
            },
        }
        return [name for name, value in known.items() if value in text]

    def endpoint(self, kind: str, room: str) -> str:
        """URL at which a room's publishers arrive."""
        return f"{self.base_url}/whip/{self.apps[kind].app_id}/{room}"

    def token(
        self, kind: str, room: str, user: str, *, expires_in_s: int = 600, app_key: str = ""
    ) -> str:
        """A token with which `user` may publish; `app_key`: signed with another key."""
        app = self.apps[kind]
        now_s = int(time.time())
        return mint(
            RoomClaims(
                room_id=room,
                user_id=user,
                privileges={Privilege.PUBLISH_STREAM: now_s + expires_in_s},
                issued_at_s=now_s,
                expires_at_s=now_s + expires_in_s,
            ),
            app_id=app.app_id,
            app_key=app_key or app.app_key,
            nonce=secrets.randbits(32),
        )

    def object_path(self, bucket: str, key: str) -> Path:
        """Where the local store keeps an object."""
        return self.settings.server.data_dir / "objects" / bucket / key

    def metric(self, name: str) -> float:
        """One value of /metrics, without the prefix of its name."""
        with urllib.request.urlopen(f"{self.base_url}/metrics", timeout=PATIENCE_S) as response:
            text: str = response.read().decode()
        return float(re.findall(rf"^airslice_{name}(?:_total)? (\S+)$", text, re.MULTILINE)[0])

    def open_files(self) -> int:
        """File descriptors of the process."""
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    def memory_kb(self) -> int:
        """Resident memory of the process."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0])

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.base_url}/readyz", timeout=PATIENCE_S):
                return True
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def _reap(self) -> int:
        process, self._process = self.process, None
        try:
            return process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError("the server does not stop") from None


def _config_text(folder: Path, callback_url: str) -> str:
    http, media = free_port(), free_port(socket.SOCK_DGRAM)
    text = (
        fresh_config()
        .replace("127.0.0.1:8080", f"127.0.0.1:{http}")
        .replace("127.0.0.1:50000", f"127.0.0.1:{media}")
        .replace('"./data"', json.dumps(str(folder / "data")))
        .replace(
            '# callback_url = "http://127.0.0.1:9000/callback"', f'callback_url = "{callback_url}"'
        )
    )
    user = f'{{ name = "operator", password = "{secrets.token_urlsafe(12)}" }}'
    text = re.sub(
        r"^# name = .+\n# users = .+$",
        f'name = "{REGION}"\nusers = [{user}]',
        text,
        flags=re.MULTILINE,
    )
    account = re.findall(r'^account = "(\d+)"', text, re.MULTILINE)[0]
    for slice_format, rate in [*KINDS.values()][1:]:
        text += _app_text(account, callback_url, slice_format, rate)
    storage = f'{{ Type = 0, TosConfig = {{ AccountId = "{account}", Bucket = "auto" }} }}'
    text += _app_text(account, callback_url, "wav", 16_000)
    text += f"[apps.auto_slice]\nenabled = true\nduration = 2\nstorage = {storage}\n"
    text += f"""
[[accounts]]
id = "1{account}"
access_key = "AK{secrets.token_hex(16)}"
secret_key = "SK{secrets.token_hex(24)}"
"""
    return text + _app_text(f"1{account}", callback_url, "wav", 16_000)


def _app_text(account: str, callback_url: str, slice_format: str, rate: int) -> str:
    return f"""
[[apps]]
app_id = "{secrets.token_hex(12)}"
app_key = "{secrets.token_hex(16)}"
account = "{account}"
callback_url = "{callback_url}"
callback_secret = "{secrets.token_hex(16)}"
slice_format = "{slice_format}"
sample_rate = {rate}
"""
