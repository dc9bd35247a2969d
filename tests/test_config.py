from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from airslice.config import Address, ConfigError, Presenter, Settings, fresh_config, load
from airslice.config.document import Document
from airslice.domain.apps import AutoSlice, SliceFormat
from airslice.domain.projects import Project, ProjectUser
from airslice.domain.storage_endpoints import StorageOverride
from airslice.domain.storage_target import StorageTarget, StorageVendor

PROJECT = Path(__file__).parents[1]

KEY = base64.b64encode(bytes(range(32))).decode()

MINIMAL = f"""
[server]
master_key = "{KEY}"

[[accounts]]
id = "2100000000"
access_key = "AK"
secret_key = "the-secret-key"

[[apps]]
app_id = "123456781234567812345678"
app_key = "the-app-key"
account = "2100000000"
"""

Load = Callable[..., Settings]


@pytest.fixture
def load_text(tmp_path: Path) -> Load:
    def load_text(text: str, environment: Mapping[str, str] | None = None) -> Settings:
        path = tmp_path / "airslice.toml"
        path.write_text(text, encoding="utf-8")
        return load(path, environment or {})

    return load_text


def problems(load_text: Load, text: str, environment: Mapping[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_text(text, environment)
    return caught.value.problems


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
            vendor=StorageVendor.S3,
            region=2,
            bucket="b",
            endpoint="http://127.0.0.1:9100",
            access_key="a",
            secret_key="s",
        ),
        StorageOverride(vendor=None, region=None, bucket=None, endpoint="https://s3.example"),
    )
    assert settings.security.private_networks == ("127.0.0.0/8", "fd00::/8")


@pytest.mark.parametrize(
    ("number", "vendor"),
    [
        (0, StorageVendor.S3),
        (1, StorageVendor.OSS),
        (2, StorageVendor.OBS),
        (3, StorageVendor.COS),
        (4, StorageVendor.KODO),
    ],
)
def test_auto_slices_can_go_to_a_vendor_of_the_custom_kind(
    load_text: Load, number: int, vendor: StorageVendor
) -> None:
    settings = load_text(
        MINIMAL
        + f"""
[apps.auto_slice]
enabled = true
[apps.auto_slice.storage]
Type = 2
CustomConfig = {{ Vendor = {number}, Region = 5, Bucket = "b", AccessKey = "a", SecretKey = "s" }}
"""
    )

    auto_slice = settings.apps[0].auto_slice
    assert auto_slice is not None
    assert auto_slice.duration_s == 20
    assert auto_slice.storage == StorageTarget(
        vendor=vendor, region=5, bucket="b", access_key="a", secret_key="s"
    )


# --- environment ---


@pytest.mark.parametrize(
    ("variable", "text", "read", "expected"),
    [
        ("SERVER__HTTP", "[::1]:99", lambda s: s.server.http, Address("::1", 99)),
        ("SERVER__MAX_TASKS", "7", lambda s: s.server.max_tasks, 7),
        ("SERVER__MAX_LIVE_JOBS", "7", lambda s: s.server.max_live_jobs, 7),
        ("server__max_tasks", "7", lambda s: s.server.max_tasks, 7),
        ("SERVER__SPOOL_QUOTA_GB", "0.5", lambda s: s.server.spool_quota_bytes, 500_000_000),
        (
            "APPS__0__CALLBACK_EVENTS",
            '["RoomCreate", "RoomCreate"]',
            lambda s: s.apps[0].callback_events,
            ("RoomCreate",),
        ),
        ("SLICING__SILENCE_DBFS", "-40.5", lambda s: s.slicing.silence_dbfs, -40.5),
        (
            "SLICING__REDUNDANT_DURATION_UNIT",
            "ms",
            lambda s: s.slicing.redundant_duration_unit,
            "ms",
        ),
        ("SERVER__ADMIN_PASSWORD", "123", lambda s: s.server.admin_password, "123"),
        ("APPS__0__SAMPLE_RATE", "8000", lambda s: s.apps[0].sample_rate_hz, 8_000),
        ("APPS__0__SLICE_FORMAT", "flac", lambda s: s.apps[0].slice_format, SliceFormat.FLAC),
        (
            "SECURITY__PRIVATE_NETWORKS",
            '["10.0.0.0/8", "127.0.0.0/8"]',
            lambda s: s.security.private_networks,
            ("10.0.0.0/8", "127.0.0.0/8"),
        ),
        (
            "SECURITY__PRIVATE_NETWORKS__0",
            "10.0.0.0/8",
            lambda s: s.security.private_networks,
            ("10.0.0.0/8",),
        ),
        (
            "STORAGE__ENDPOINTS__0__ENDPOINT",
            "http://s3",
            lambda s: [e.endpoint for e in s.storage.endpoints],
            ["http://s3"],
        ),
        ("STORAGE__PROBE", "false", lambda s: s.storage.probe, False),
        ("PROJECTS", "[]", lambda s: s.projects, ()),
        ("PRESENTER__VOICES", '{"v": "yue"}', lambda s: s.presenter.voices, {"v": "yue"}),
    ],
)
def test_the_environment_overrides_every_kind_of_value(
    load_text: Load,
    variable: str,
    text: str,
    read: Callable[[Settings], object],
    expected: object,
) -> None:
    settings = load_text(MINIMAL, {f"AIRSLICE_{variable}": text})

    assert read(settings) == expected


def test_the_environment_reaches_into_tables_that_quote_a_request(load_text: Load) -> None:
    settings = load_text(
        MINIMAL,
        {
            "AIRSLICE_APPS__0__AUTO_SLICE__ENABLED": "true",
            "AIRSLICE_APPS__0__AUTO_SLICE__STORAGE__TOSCONFIG__ACCOUNTID": "1",
            "AIRSLICE_APPS__0__AUTO_SLICE__STORAGE__TOSCONFIG__BUCKET": "b",
        },
    )

    auto_slice = settings.apps[0].auto_slice
    assert auto_slice is not None
    assert auto_slice.storage.bucket == "b"


def test_a_secret_can_be_kept_out_of_the_file(load_text: Load) -> None:
    text = MINIMAL.replace(f'master_key = "{KEY}"', "")

    settings = load_text(text, {"AIRSLICE_SERVER__MASTER_KEY": KEY})

    assert settings.server.master_key == bytes(range(32))


def test_variables_that_others_make_are_ignored(load_text: Load) -> None:
    # Kubernetes makes these for a service called airslice.
    others = {"AIRSLICE_PORT": "tcp://10.0.0.1:8080", "AIRSLICE_SERVICE_HOST": "x", "PATH": "/bin"}

    assert load_text(MINIMAL, others) == load_text(MINIMAL)


@pytest.mark.parametrize(
    ("variable", "text", "expected"),
    [
        (
            "AIRSLICE_SERVER__MAX_TASKS",
            "many",
            "server.max_tasks (AIRSLICE_SERVER__MAX_TASKS): expected `int`, got `str`",
        ),
        (
            "AIRSLICE_SECURITY__PRIVATE_NETWORKS",
            "10.0.0.0/8",
            "security.private_networks (AIRSLICE_SECURITY__PRIVATE_NETWORKS): expected JSON",
        ),
        ("AIRSLICE_SERVR__HTTP", "x", "AIRSLICE_SERVR__HTTP: no such setting as servr"),
        (
            "AIRSLICE_APPS__3__APP_KEY",
            "x",
            "AIRSLICE_APPS__3__APP_KEY: 3 is no number of an element; apps has 1, counted from 0",
        ),
        (
            "AIRSLICE_SERVER__HTTP__PORT",
            "1",
            "AIRSLICE_SERVER__HTTP__PORT: server.http has nothing below it",
        ),
    ],
)
def test_a_wrong_variable_is_named(
    load_text: Load, variable: str, text: str, expected: str
) -> None:
    assert problems(load_text, MINIMAL, {variable: text}) == [expected]


# --- what is wrong ---


def test_all_problems_of_shape_are_told_at_once(load_text: Load) -> None:
    found = problems(
        load_text,
        """
[server]
htpp = "127.0.0.1:8080"
max_tasks = 0

[[apps]]
app_id = ""
app_key = 5
slice_format = "opus"
sample_rate = "16000"

[[apps.auto_slice]]

[sever]
""",
    )

    assert found == [
        "server.master_key: is missing",
        "server.max_tasks: expected `int` >= 1",
        "server.htpp: no such setting; did you mean http?",
        "apps[0].app_id: is empty",
        "apps[0].app_key: expected `str`, got `int`",
        "apps[0].account: is missing",
        "apps[0].slice_format: expected one of wav, ogg, flac, mp3, aac",
        "apps[0].sample_rate: expected one of 8000, 16000, 24000, 48000",
        "apps[0].auto_slice: expected a table",
        "sever: no such setting; did you mean server?",
    ]


def test_all_contradictions_are_told_at_once(load_text: Load) -> None:
    found = problems(
        load_text,
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
        "accounts[1].id",
        "accounts[1].access_key",
        "apps[1].app_id",
        "server.http",
        "server.media",
        "server.advertise[1]",
        "server.master_key",
        "apps[0].app_id",
        "apps[0].account",
        "apps[0].callback_url",
        "apps[0].auto_slice.storage",
        "apps[1].app_id",
        "apps[1].auto_slice.storage.TosConfig.Bucket",
        "projects[0].account",
        "projects[0].app_id",
        "projects[0].users[1].name",
        "storage.endpoints[0].endpoint",
        "storage.endpoints[0]",
        "security.private_networks[0]",
    ]


@pytest.mark.parametrize(
    "address",
    ["", ":", "8080", "host", "host:", ":80", "h:65536", "h:-1", "::1:80", "h:8²", "[x]:1"],
)
def test_an_address_needs_host_and_port(load_text: Load, address: str) -> None:
    [problem] = problems(load_text, MINIMAL, {"AIRSLICE_SERVER__HTTP": address})

    assert "server.http" in problem


@pytest.mark.parametrize(
    ("storage", "expected"),
    [
        ("Type = 0", "storage.TosConfig: is missing, and Type is 0"),
        ("Type = 2", "storage.CustomConfig: is missing, and Type is 2"),
        ("Type = 1", "storage.Type: expected one of 0, 2"),
    ],
)
def test_auto_slice_storage_has_the_config_of_its_type(
    load_text: Load, storage: str, expected: str
) -> None:
    text = f"{MINIMAL}\n[apps.auto_slice]\nenabled = true\nstorage = {{ {storage} }}\n"

    assert problems(load_text, text) == [f"apps[0].auto_slice.{expected}"]


def test_a_missing_file_tells_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no such file; make one with: airslice init .*x\.toml"):
        load(tmp_path / "x.toml", {})


@pytest.mark.parametrize("content", [b"[server", b"\xff\xfe"])
def test_a_file_that_is_no_toml_is_told_by_its_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "airslice.toml"
    path.write_bytes(content)

    with pytest.raises(ConfigError, match=r"airslice\.toml: "):
        load(path, {})


# --- secrets and the template ---


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ('engine = "piper"', "presenter.piper_model: is missing, and engine is piper"),
        ('engine = "http"', "presenter.http_url: expected an http or https URL"),
        (
            'engine = "http"\nhttp_url = "http://a/b"\nhttp_api = "openai"',
            "presenter.http_model: is missing, and http_api is openai",
        ),
        ('engine = "sapi"', "presenter.engine: expected one of espeak, piper, http"),
        ("processes = 17", "presenter.processes: expected `int` <= 16"),
        ('voices = { "a" = "" }', "presenter.voices: is empty"),
        ('voices = ["cmn"]', "presenter.voices: expected `object`, got `array`"),
    ],
)
def test_a_speech_engine_needs_its_settings(load_text: Load, table: str, problem: str) -> None:
    assert problems(load_text, f"{MINIMAL}\n[presenter]\n{table}\n") == [problem]


def test_pipers_default_voice_is_its_model(load_text: Load) -> None:
    table = '[presenter]\nengine = "piper"\npiper_model = "zh.onnx"\n'

    assert load_text(f"{MINIMAL}\n{table}").presenter.default_voice == "zh.onnx"


def test_no_secret_is_in_a_repr_or_a_problem(load_text: Load) -> None:
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
        load_text,
        text,
        environment | {"AIRSLICE_SERVER__MASTER_KEY": secret, "AIRSLICE_APPS": "[]x"},
    )

    assert secret not in shown
    assert repr(bytes(range(32))) not in shown
    assert secret not in "".join(told)


def test_a_fresh_configuration_is_right_and_like_no_other(load_text: Load) -> None:
    settings, other = load_text(fresh_config()), load_text(fresh_config())

    assert settings.server.master_key != other.server.master_key
    assert settings.server.admin_password != other.server.admin_password
    assert settings.accounts[0].secret_key != other.accounts[0].secret_key
    assert settings.apps[0].app_key != other.apps[0].app_key
    assert len(settings.apps[0].app_id) == 24


def test_a_fresh_configuration_says_the_defaults(load_text: Load) -> None:
    fresh, minimal = load_text(fresh_config()), load_text(MINIMAL)

    assert fresh.slicing == minimal.slicing
    assert fresh.storage == minimal.storage
    assert fresh.presenter == minimal.presenter
    assert fresh.security == minimal.security
    assert (fresh.server.http, fresh.server.media) == (minimal.server.http, minimal.server.media)
    assert fresh.apps[0].auto_slice is None


def test_the_documentation_names_every_setting() -> None:
    text = (PROJECT / "docs/configuration.md").read_text(encoding="utf-8")

    missing = [name for name in names_of(Document) if f"`{name}`" not in text]

    assert missing == []


def names_of(shape: type[msgspec.Struct]) -> list[str]:
    """Return the names of all settings in a table and in those below it."""
    names = []
    for field in msgspec.structs.fields(shape):
        names.append(field.encode_name)
        for member in (field.type, *get_args(field.type)):
            if isinstance(member, type) and issubclass(member, msgspec.Struct):
                names += names_of(member)
    return names
