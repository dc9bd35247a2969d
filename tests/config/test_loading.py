from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from airslice.config import Address, ConfigError, Presenter, Settings, load
from airslice.domain.apps import AutoSlice, SliceFormat
from airslice.domain.projects import Project, ProjectUser
from airslice.domain.storage_endpoints import StorageMatch, StorageOverride
from airslice.domain.storage_target import StorageTarget, StorageVendor
from tests.support.values.minimal_config import KEY, MINIMAL

Load = Callable[..., Settings]
Refused = Callable[..., list[str]]


def test_what_is_left_out_has_its_documented_default(load_text: Load) -> None:
    settings = load_text(MINIMAL)

    server = settings.server
    assert server.http == Address("127.0.0.1", 8080)
    assert server.media == Address("127.0.0.1", 50_000)
    assert server.advertise == ()
    assert server.data_dir == Path("data")
    assert server.master_key == bytes(range(32))
    assert server.admin_password is None
    assert server.metrics is None
    assert settings.slicing.silence_dbfs == -50
    assert settings.slicing.redundant_duration_unit == "s"
    assert settings.slicing.reorder_window_ms == 200
    assert settings.apps[0].slice_format is SliceFormat.WAV
    assert settings.apps[0].sample_rate_hz == 16_000
    assert settings.apps[0].callback_url is None
    assert settings.apps[0].auto_slice is None
    assert settings.projects == ()
    assert settings.storage.default == "local"
    assert settings.storage.probe
    assert settings.presenter == Presenter(
        engine="espeak",
        voices={},
        default_voice="",
        processes=1,
        http_url="",
        http_key="",
        http_api="plain",
        http_model="",
    )
    assert settings.security.private_networks == ()


def test_every_fixed_name_is_read(load_text: Load) -> None:
    settings = load_text(f"""
[server]
http = "127.0.0.1:8081"
media = "0.0.0.0:50001"
advertise = ["203.0.113.7", "2001:DB8::1"]
data_dir = "/srv/airslice"
master_key = "{KEY}"
admin_password = "open sesame"

[[accounts]]
id = "2100000000"
access_key = "AK"
secret_key = "SK"

[[apps]]
app_id = "123456781234567812345678"
app_key = "key"
account = "2100000000"
callback_url = "http://127.0.0.1:9000/callback"
callback_secret = "hush"
slice_format = "ogg"
sample_rate = 48000

[apps.auto_slice]
enabled = true
duration = 30
storage = {{ Type = 0, TosConfig = {{ AccountId = "1", Region = 3, Bucket = "moderation" }} }}

[[projects]]
project_id = "0123456789abcdef0123456789abcdef"
account = "2100000000"
app_id = "123456781234567812345678"
name = "cn-north-4"
users = [{{ name = "operator", password = "hush" }}]

[storage]
default = "vendor"
probe = false
[[storage.endpoints]]
match = {{ vendor = "s3", region = 2, bucket = "b" }}
endpoint = "http://127.0.0.1:9100"
access_key = "a"
secret_key = "s"
[[storage.endpoints]]
endpoint = "https://s3.example"

[presenter]
engine = "http"
voices = {{ "0f3a" = "xiaoyan", "with.dot" = "b" }}
default_voice = "nobody"
processes = 2
piper_model = "unused"
http_url = "http://10.0.0.7:9200/v1/audio/speech"
http_key = "hush"
http_api = "openai"
http_model = "tts-1"

[security]
private_networks = ["127.0.0.0/8", "fd00::/8"]
""")

    assert settings.presenter == Presenter(
        engine="http",
        voices={"0f3a": "xiaoyan", "with.dot": "b"},
        default_voice="nobody",
        processes=2,
        piper_model="unused",
        http_url="http://10.0.0.7:9200/v1/audio/speech",
        http_key="hush",
        http_api="openai",
        http_model="tts-1",
    )
    assert settings.server.http == Address("127.0.0.1", 8081)
    assert settings.server.media == Address("0.0.0.0", 50_001)
    assert settings.server.advertise == ("203.0.113.7", "2001:db8::1")
    assert settings.server.data_dir == Path("/srv/airslice")
    assert settings.server.admin_password == "open sesame"
    [app] = settings.apps
    assert app.callback_url == "http://127.0.0.1:9000/callback"
    assert app.callback_secret == "hush"
    assert app.slice_format is SliceFormat.OGG
    assert app.sample_rate_hz == 48_000
    assert app.auto_slice == AutoSlice(
        duration_s=30,
        storage=StorageTarget(
            vendor=StorageVendor.TOS, region=3, bucket="moderation", account_id="1"
        ),
    )
    assert settings.projects == (
        Project(
            project_id="0123456789abcdef0123456789abcdef",
            account_id="2100000000",
            app_id=app.app_id,
            name="cn-north-4",
            users=(ProjectUser(name="operator", password="hush"),),
        ),
    )
    assert "hush" not in repr(settings.projects)
    assert settings.storage.default == "vendor"
    assert not settings.storage.probe
    assert settings.storage.endpoints == (
        StorageOverride(
            match=StorageMatch(vendor=StorageVendor.S3, region=2, bucket="b"),
            endpoint="http://127.0.0.1:9100",
            access_key="a",
            secret_key="s",
        ),
        StorageOverride(endpoint="https://s3.example"),
    )
    assert settings.security.private_networks == ("127.0.0.0/8", "fd00::/8")


def test_a_secret_can_be_kept_out_of_the_file(load_text: Load) -> None:
    text = MINIMAL.replace(f'master_key = "{KEY}"', "")

    settings = load_text(text, {"AIRSLICE_SERVER__MASTER_KEY": KEY})

    assert settings.server.master_key == bytes(range(32))


def test_variables_that_others_make_are_ignored(load_text: Load) -> None:
    # Kubernetes makes these for a service called airslice.
    others = {"AIRSLICE_PORT": "tcp://10.0.0.1:8080", "AIRSLICE_SERVICE_HOST": "x", "PATH": "/bin"}

    assert load_text(MINIMAL, others) == load_text(MINIMAL)


def test_all_contradictions_are_told_at_once(problems: Refused) -> None:
    found = problems(
        """
[server]
http = "8080"
media = "localhost:50000"
advertise = ["203.0.113.7", "example.com"]
master_key = "c2hvcnQ="

[[accounts]]
id = "1"
access_key = "AK"
secret_key = "SK"
[[accounts]]
id = "1"
access_key = "AK"
secret_key = "SK"

[[apps]]
app_id = "a b"
app_key = "key"
account = "2"
callback_url = "ftp://x"
[apps.auto_slice]
enabled = true
[[apps]]
app_id = "a b"
app_key = "key"
account = "1"
[apps.auto_slice.storage]
TosConfig = { AccountId = "1", Bucket = "../x" }

[[projects]]
project_id = "p"
account = "3"
app_id = "b"
users = [{ name = "u", password = "1" }, { name = "u", password = "2" }]

[[storage.endpoints]]
endpoint = "127.0.0.1:9100"
access_key = "a"

[security]
private_networks = ["10.0.0.1/8"]
""",
    )

    assert [problem.partition(": ")[0] for problem in found] == [
        "server.master_key",
        "server.http",
        "server.media",
        "server.advertise[1]",
        "apps[0].app_id",
        "apps[0].callback_url",
        "apps[0].auto_slice.storage",
        "apps[1].app_id",
        "apps[1].auto_slice.storage.TosConfig.Bucket",
        "storage.endpoints[0].endpoint",
        "storage.endpoints[0].secret_key",
        "security.private_networks[0]",
        "accounts[1].id",
        "accounts[1].access_key",
        "apps[1].app_id",
        "apps[0].account",
        "projects[0].account",
        "projects[0].app_id",
        "projects[0].users[1].name",
    ]


def test_a_missing_file_tells_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no such file; make one with: airslice init .*x\.toml"):
        load(tmp_path / "x.toml", {})


@pytest.mark.parametrize("content", [b"[server", b"\xff\xfe"])
def test_a_file_that_is_no_toml_is_told_by_its_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "airslice.toml"
    path.write_bytes(content)

    with pytest.raises(ConfigError, match=r"airslice\.toml: "):
        load(path, {})


def test_no_secret_is_in_a_repr_or_a_problem(load_text: Load, problems: Refused) -> None:
    secret = "hunter2"
    text = MINIMAL.replace("the-secret-key", secret).replace("the-app-key", secret) + (
        f'callback_secret = "{secret}"\n[[storage.endpoints]]\nendpoint = "http://s3"\n'
        f'access_key = "{secret}"\nsecret_key = "{secret}"\n'
    )
    environment = {
        "AIRSLICE_SERVER__ADMIN_PASSWORD": secret,
        "AIRSLICE_PRESENTER__HTTP_KEY": secret,
    }

    shown = repr(load_text(text, environment))
    told = problems(
        text,
        environment | {"AIRSLICE_SERVER__MASTER_KEY": secret, "AIRSLICE_APPS": "[]x"},
    )

    assert secret not in shown
    assert repr(bytes(range(32))) not in shown
    assert secret not in "".join(told)


def test_an_error_says_a_problem_a_line() -> None:
    error = ConfigError(["server.http: is empty", "apps[0].app_id: is missing"])

    assert str(error) == "server.http: is empty\napps[0].app_id: is missing"
