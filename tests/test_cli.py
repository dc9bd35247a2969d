from __future__ import annotations

import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from airslice.cli import main
from airslice.config import Settings, load
from airslice.domain.room_token import verify

PROJECT = Path(__file__).parents[1]

SECOND_APP = """
[[apps]]
app_id = "second"
app_key = "second-key"
account = "{account}"
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder without anything in it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def settings(capsys: pytest.CaptureFixture[str]) -> Settings:
    """Those of a fresh configuration in the working folder."""
    assert main(["init"]) == 0
    capsys.readouterr()
    return load(Path("airslice.toml"), {})


def minted(capsys: pytest.CaptureFixture[str], *options: str) -> str:
    assert main(["token", *options]) == 0
    return capsys.readouterr().out.strip()


def test_init_writes_a_private_file_and_tells_what_is_next(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init"]) == 0

    assert [entry.name for entry in folder.iterdir()] == ["airslice.toml"]
    assert stat.S_IMODE((folder / "airslice.toml").stat().st_mode) == 0o600
    output = capsys.readouterr().out
    assert "airslice serve\n" in output
    assert "airslice token --room" in output


def test_init_into_another_place_names_it_in_the_next_steps(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "etc").mkdir()

    assert main(["init", "etc"]) == 0

    assert (folder / "etc/airslice.toml").exists()
    assert "airslice serve --config etc/airslice.toml" in capsys.readouterr().out


def test_init_replaces_a_file_only_when_forced(
    folder: Path, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init"]) == 2
    assert "--force" in capsys.readouterr().err
    assert load(folder / "airslice.toml", {}) == settings

    assert main(["init", "--force"]) == 0
    assert load(folder / "airslice.toml", {}) != settings


def test_init_where_nothing_can_be_written_fails_in_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["init", "missing/airslice.toml"]) == 1

    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_token_lets_its_user_publish_for_an_hour(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    app = settings.apps[0]

    token = minted(capsys, "--room", "lobby", "--user", "alice")

    now_s = time.time()
    grant = verify(
        token, app_id=app.app_id, app_key=app.app_key, room_id="lobby", now_s=now_s + 3_590
    )
    assert grant.user_id == "alice"
    assert grant.may_publish_audio
    assert grant.may_subscribe
    with pytest.raises(Exception, match="expired"):
        verify(token, app_id=app.app_id, app_key=app.app_key, room_id="lobby", now_s=now_s + 3_610)


def test_a_token_can_be_for_listening_alone(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    app = settings.apps[0]

    token = minted(capsys, "--room", "r", "--user", "u", "--subscribe-only", "--expires", "7d")

    grant = verify(
        token, app_id=app.app_id, app_key=app.app_key, room_id="r", now_s=time.time() + 6 * 86_400
    )
    assert grant.may_subscribe
    assert not grant.may_publish_audio


def test_where_there_are_several_apps_a_token_needs_one_named(
    folder: Path, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    with (folder / "airslice.toml").open("a") as file:
        file.write(SECOND_APP.format(account=settings.accounts[0].id))

    assert main(["token", "--room", "r", "--user", "u"]) == 2
    assert "second" in capsys.readouterr().err
    assert main(["token", "--room", "r", "--user", "u", "--app", "third"]) == 2
    assert settings.apps[0].app_id in capsys.readouterr().err

    token = minted(capsys, "--room", "r", "--user", "u", "--app", "second")
    verify(token, app_id="second", app_key="second-key", room_id="r", now_s=time.time())


@pytest.mark.parametrize(
    "wrong",
    [
        ["--room", "a b", "--user", "u"],
        ["--room", "r", "--user", ""],
        ["--room", "r"],
        ["--room", "r", "--user", "u", "--expires", "1w"],
        ["--room", "r", "--user", "u", "--expires", "0s"],
        ["--room", "r", "--user", "u", "--expires", "99999999d"],
    ],
)
def test_a_token_asked_for_wrongly_is_explained(
    settings: Settings, wrong: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exited:
        main(["token", *wrong])

    assert exited.value.code == 2
    assert "airslice token: error:" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["serve", "check-config"])
def test_a_missing_configuration_leads_to_init(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command]) == 2

    error = capsys.readouterr().err
    assert (
        error
        == "airslice: airslice.toml: no such file; make one with: airslice init airslice.toml\n"
    )


def test_check_config_tells_each_problem_on_a_line(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "bad.toml").write_text("[server]\nhtpp = 1\n[slicing]\nreorder_window_ms = -1\n")

    assert main(["check-config", "--config", "bad.toml"]) == 2

    assert capsys.readouterr().err.splitlines() == [
        "airslice: server.master_key: is missing",
        "airslice: server.htpp: no such setting; did you mean http?",
        "airslice: slicing.reorder_window_ms: expected `int` >= 0",
    ]


def test_check_config_shows_what_a_right_one_means_without_its_secrets(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check-config"]) == 0

    output = capsys.readouterr().out
    assert settings.apps[0].app_id in output
    assert settings.apps[0].app_key not in output
    assert settings.accounts[0].secret_key not in output


def test_the_module_is_the_command() -> None:
    command = [sys.executable, "-m", "airslice", "--version"]

    ran = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)

    assert ran.stdout.startswith("airslice 0.")


@pytest.mark.parametrize(
    "arguments",
    [("list",), ("list", "--dead"), ("show", "1"), ("retry", "1"), ("retry", "--dead")],
)
def test_deliveries_without_a_server_says_so(
    folder: Path,
    settings: Settings,
    unused_tcp_port: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
) -> None:
    monkeypatch.setenv("AIRSLICE_SERVER__HTTP", f"127.0.0.1:{unused_tcp_port}")

    assert main(["deliveries", *arguments]) == 2

    assert f"no server runs at 127.0.0.1:{unused_tcp_port}" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [(), ("1", "--dead")])
def test_retry_takes_one_delivery_or_all_that_are_dead(
    folder: Path,
    settings: Settings,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
) -> None:
    assert main(["deliveries", "retry", *arguments]) == 2

    assert "--dead" in capsys.readouterr().err
