from __future__ import annotations

from collections.abc import Callable

import pytest

from airslice.config import Address, Settings
from airslice.domain.apps import SliceFormat
from tests.support.values.minimal_config import MINIMAL

Load = Callable[..., Settings]
Refused = Callable[..., list[str]]


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
    problems: Refused, variable: str, text: str, expected: str
) -> None:
    assert problems(MINIMAL, {variable: text}) == [expected]


def test_all_problems_of_shape_are_told_at_once(problems: Refused) -> None:
    found = problems(
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
