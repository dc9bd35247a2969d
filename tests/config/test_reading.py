from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec
import pytest

from airslice.config import Address, Settings, texts
from airslice.config.reading import Reader, Variable, settings_of, variables
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


@dataclass(frozen=True, kw_only=True)
class Lamp:
    """A table to be read."""

    watts: int
    colour: Literal["red", "green"] = "red"
    room: str | None = None
    watched: tuple[Annotated[str, texts.ip], ...] = ()

    def problems(self) -> list[tuple[str, str]]:
        return [("watts", "is too hot")] if self.watts > 100 else []


class Pascal(msgspec.Struct, rename="pascal", frozen=True, kw_only=True):
    """A struct to be read."""

    lamp_name: Annotated[str, msgspec.Meta(max_length=3)] | None = None


def test_a_table_has_its_settings_by_the_names_of_the_file() -> None:
    assert list(settings_of(Lamp)) == ["watts", "colour", "room", "watched"]
    assert [setting.is_required for setting in settings_of(Lamp).values()] == [True] + [False] * 3
    assert settings_of(Pascal)["LampName"].attribute == "lamp_name"


def test_dataclasses_and_structs_are_read_alike() -> None:
    reader = Reader()

    lamp = reader.table(Lamp, {"watts": 5, "room": "", "watched": ["::1"]}, Variable(), "lamp")
    struct = reader.table(Pascal, {"LampName": "abc"}, Variable(), "")

    assert lamp == Lamp(watts=5, room=None, watched=("::1",))
    assert struct == Pascal(lamp_name="abc")
    assert reader.problems == []


def test_a_tables_own_rules_come_last_and_leave_it_whole() -> None:
    reader = Reader()

    lamp = reader.table(Lamp, {"watts": 101, "watched": ["x"]}, Variable(), "lamp")

    assert lamp == Lamp(watts=101, watched=("x",))
    assert reader.problems == [
        "lamp.watched[0]: expected an IP address",
        "lamp.watts: is too hot",
    ]


def test_a_table_with_a_value_of_another_type_is_not_read() -> None:
    reader = Reader()

    assert reader.table(Lamp, {"colour": "blue", "size": 1}, Variable(), "lamp") is None
    assert reader.table(Pascal, {"LampName": "abcd"}, Variable(), "") is None
    assert reader.problems == [
        "lamp.watts: is missing",
        "lamp.colour: expected one of red, green",
        "lamp.size: no such setting; there are watts, colour, room, watched",
        "LampName: expected `str` of length <= 3",
    ]


def test_variables_make_a_tree() -> None:
    tree = variables(
        {"AIRSLICE_A__B": "1", "AIRSLICE_A": "{}", "AIRSLICE_C": "no section", "A__B": "no prefix"},
        sections=["a"],
    )

    assert tree == Variable(
        below={"A": Variable("AIRSLICE_A", "{}", {"B": Variable("AIRSLICE_A__B", "1")})}
    )


def test_a_variable_changes_an_element_of_what_another_gives_as_a_whole(load_text: Load) -> None:
    environment = {
        "AIRSLICE_SECURITY__PRIVATE_NETWORKS": '["10.0.0.0/8", "::1/128"]',
        "AIRSLICE_SECURITY__PRIVATE_NETWORKS__1": "127.0.0.0/8",
        "AIRSLICE_SECURITY__PRIVATE_NETWORKS__2": "fd00::/8",
    }

    networks = load_text(MINIMAL, environment).security.private_networks

    assert networks == ("10.0.0.0/8", "127.0.0.0/8", "fd00::/8")
