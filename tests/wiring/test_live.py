"""Smart live in a whole server in this process: how it starts, blocks and is governed."""

from __future__ import annotations

import base64
import logging
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from airslice.application.ports.live import SpeechEngine, SpeechFailed
from airslice.config import ConfigError, Presenter, Settings, load
from airslice.wiring import live, running
from tests.support.clients.huawei_tenant import Tenant
from tests.support.waiting import PATIENCE_S

CONFIG = f"""
[server]
http = "127.0.0.1:0"
media = "127.0.0.1:0"
master_key = "{base64.b64encode(bytes(32)).decode()}"

[[accounts]]
id = "2100000000"
access_key = "AK"
secret_key = "SK"

[[apps]]
app_id = "123456781234567812345678"
app_key = "app key"
account = "2100000000"

[[projects]]
project_id = "p"
account = "2100000000"
app_id = "123456781234567812345678"
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    config = tmp_path / "airslice.toml"
    config.write_text(CONFIG)
    return load(config, {"AIRSLICE_SERVER__DATA_DIR": str(tmp_path / "data")})


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Presenter]:
    """Presenters that were opened; none of them can speak."""
    opened = []

    class CannotSpeak(AbstractAsyncContextManager[SpeechEngine]):
        def __init__(self, presenter: Presenter) -> None:
            opened.append(presenter)

        async def __aenter__(self) -> SpeechEngine:
            raise SpeechFailed("it is not installed")

        async def __aexit__(self, *_: object) -> None:
            """Do nothing."""

    monkeypatch.setattr(live, "speech_engine", CannotSpeak)
    return opened


@pytest.mark.parametrize("change", [{"engine": "piper"}, {"default_voice": "cmn"}])
async def test_a_presenter_that_was_asked_for_must_speak(
    settings: Settings, opened: list[Presenter], change: dict[str, str]
) -> None:
    presenter = replace(settings.presenter, **change)  # type: ignore[arg-type]

    with pytest.raises(ConfigError, match="presenter: it is not installed"):
        async with running(replace(settings, presenter=presenter)):
            pass

    assert opened == [presenter]


async def test_who_only_slices_need_not_have_one(
    settings: Settings, opened: list[Presenter], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        async with running(settings) as server, httpx.AsyncClient(timeout=PATIENCE_S) as http:
            answer = await http.get(f"http://{server.http}/readyz")

    assert answer.status_code == 200
    assert "live jobs cannot speak: it is not installed" in caplog.text


async def test_without_a_project_none_is_opened(
    settings: Settings, opened: list[Presenter]
) -> None:
    async with running(replace(settings, projects=())):
        pass

    assert opened == []


async def test_huaweis_paths_are_huaweis_and_the_others_are_not(
    settings: Settings, opened: list[Presenter]
) -> None:
    async with running(settings) as server, httpx.AsyncClient(timeout=PATIENCE_S) as http:
        here = f"http://{server.http}"
        smart_live = await http.get(f"{here}/v1/p/smart-live-rooms")
        projects = await http.get(f"{here}/v3/projects")
        elsewhere = await http.get(f"{here}/v2/p")
        document = await http.get(f"{here}/api/openapi/huawei.json")

    assert smart_live.json()["error_code"] == projects.json()["error_code"] == "APIGW.0301"
    assert "X-Request-Id" not in elsewhere.headers
    assert len(document.json()["paths"]) < 36


async def test_live_jobs_are_bounded_by_the_configuration(
    settings: Settings, opened: list[Presenter]
) -> None:
    settings = replace(settings, server=replace(settings.server, max_live_jobs=1))
    silent = {"room_name": "r", "play_policy": {"play_mode": "NO_PRESET"}}

    async with (
        running(settings) as server,
        httpx.AsyncClient(base_url=f"http://{server.http}", timeout=PATIENCE_S) as http,
    ):
        tenant = Tenant(http, "p", ("AK", "SK"))
        room = await tenant.made("/smart-live-rooms", silent)
        jobs = f"/smart-live-rooms/{room['room_id']}/smart-live-jobs"
        first = await tenant.made(jobs, {})
        refused = await tenant.ask("POST", jobs, {})
        await tenant.ask("POST", f"{jobs}/{first['job_id']}/stop")
        again = await tenant.ask("POST", jobs, {})

    assert refused.json()["error_code"] == "MSS.20010065"
    assert again.status_code == 202
