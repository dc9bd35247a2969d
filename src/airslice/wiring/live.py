"""Smart live: its stores, its presenters and Huawei's wire in front of them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from functools import partial

from aiohttp.resolver import ThreadedResolver

from airslice.application.broadcast import BroadcastTools
from airslice.application.courier import Courier
from airslice.application.interaction_rules import InteractionRules
from airslice.application.live_commands import LiveCommands
from airslice.application.live_event_post import LiveAnnouncements
from airslice.application.live_jobs import LiveJobs, LiveStores
from airslice.application.live_notices import LiveNotices
from airslice.application.live_platforms import LivePlatforms
from airslice.application.live_ports import SpeechEngine, SpeechFailed
from airslice.application.live_rooms import LiveRooms
from airslice.application.live_user_config import LiveUserConfigs
from airslice.application.outbox import Outbox
from airslice.application.pacing import Pacer
from airslice.application.ports import Clock
from airslice.application.publishing import Publishing
from airslice.application.report_keys import ReportKeys
from airslice.application.speech_ahead import Studio, silent_frame
from airslice.application.wall_clock import WallClock
from airslice.config import ConfigError, Presenter, Settings
from airslice.delivery.destination import PermittedResolver, validate_url
from airslice.delivery.live_event_sender import validate_live_url
from airslice.delivery.platform_products import HttpPlatformProducts
from airslice.domain.apps import RtcApp
from airslice.domain.destination import AddressRule
from airslice.domain.sentences import Utterance
from airslice.encoding.audio_decoder import decode_audio
from airslice.encoding.opus_encoder import AvOpusEncoders
from airslice.facades.huawei import HuaweiFacade, UseCases, room_document
from airslice.persistence.database import SqliteDatabase
from airslice.persistence.sqlite_live_commands import SqliteLiveCommandStore
from airslice.persistence.sqlite_live_jobs import SqliteLiveJobStore
from airslice.persistence.sqlite_live_resources import (
    SqliteLivePlatformStore,
    SqliteLiveUserConfigStore,
    SqliteRuleGroupStore,
)
from airslice.persistence.sqlite_live_rooms import SqliteLiveRoomStore
from airslice.presenter.choice import ProcessVoices, open_espeak, open_http, open_piper
from airslice.presenter.http_engine import SpeechServer
from airslice.presenter.recordings import FetchedRecordings

_log = logging.getLogger(__name__)

MAX_JOBS = 100
"""Live jobs at a time: what two cores carry, at 1 to 2 % of one for each."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LiveSurroundings:
    """What smart live shares with the rest of the server."""

    settings: Settings
    apps: Mapping[str, RtcApp]
    database: SqliteDatabase
    job_store: SqliteLiveJobStore
    outbox: Outbox
    courier: Courier
    address_rule: AddressRule
    publishing: Publishing
    pacer: Pacer
    notices: LiveNotices
    clock: Clock
    wall_clock: WallClock


@dataclass(frozen=True, kw_only=True, slots=True)
class SmartLive:
    """Smart live as the rest of the server sees it."""

    jobs: LiveJobs
    facade: HuaweiFacade


@contextlib.asynccontextmanager
async def smart_live(around: LiveSurroundings) -> AsyncIterator[SmartLive]:
    """Bring back the jobs that ran at the last end, and take requests; fall silent at the end.

    Raises:
        ConfigError: the configured presenter cannot speak.
    """
    async with AsyncExitStack() as stack:
        rooms = SqliteLiveRoomStore(around.database)
        configs = SqliteLiveUserConfigStore(around.database)
        tools = await _broadcast_tools(around, stack)
        jobs = LiveJobs(
            apps=around.apps,
            stores=LiveStores(jobs=around.job_store, rooms=rooms, config_of=configs.find_config),
            tools=tools,
            check_callback_url=partial(validate_live_url, rule=around.address_rule),
            max_jobs=MAX_JOBS,
        )
        stack.push_async_callback(jobs.suspend)
        products = HttpPlatformProducts(around.clock, around.address_rule)
        stack.push_async_callback(products.close)
        settings = around.settings
        await jobs.recover(project.project_id for project in settings.projects)
        facade = HuaweiFacade(
            accounts=settings.accounts,
            projects=settings.projects,
            use_cases=_use_cases(around, jobs, rooms, configs, products),
            master_key=settings.server.master_key,
            clock=around.clock,
        )
        yield SmartLive(jobs=jobs, facade=facade)


def _use_cases(
    around: LiveSurroundings,
    jobs: LiveJobs,
    rooms: SqliteLiveRoomStore,
    configs: SqliteLiveUserConfigStore,
    products: HttpPlatformProducts,
) -> UseCases:
    wall_clock = around.wall_clock
    return UseCases(
        rooms=LiveRooms(rooms=rooms, jobs=around.job_store, configs=configs, wall_clock=wall_clock),
        jobs=jobs,
        commands=LiveCommands(
            commands=SqliteLiveCommandStore(around.database),
            jobs=around.job_store,
            rooms=rooms,
            exits=jobs,
            show_room=room_document,
            report_keys=ReportKeys(around.settings.server.master_key, wall_clock),
            wall_clock=wall_clock,
        ),
        rules=InteractionRules(groups=SqliteRuleGroupStore(around.database), wall_clock=wall_clock),
        platforms=LivePlatforms(
            platforms=SqliteLivePlatformStore(around.database),
            products=products,
            check_url=partial(validate_live_url, rule=around.address_rule),
            wall_clock=wall_clock,
        ),
        user_configs=LiveUserConfigs(configs=configs),
    )


async def _broadcast_tools(around: LiveSurroundings, stack: AsyncExitStack) -> BroadcastTools:
    settings, rule = around.settings, around.address_rule
    engine = await _opened_engine(settings, stack)
    recordings = FetchedRecordings(
        check_url=partial(validate_url, rule=rule),
        resolver=PermittedResolver(ThreadedResolver(), rule),
        decode=decode_audio,
        assets=settings.server.data_dir / "assets",
    )
    stack.push_async_callback(recordings.close)
    encoders = AvOpusEncoders()
    return BroadcastTools(
        studio=Studio(
            engine=engine, recordings=recordings, clock=around.clock, sleep=asyncio.sleep
        ),
        encoders=encoders,
        silence=silent_frame(encoders),
        stage=around.publishing,
        pacer=around.pacer,
        notices=around.notices,
        events=LiveAnnouncements(around.outbox, around.courier),
        wall_clock=around.wall_clock,
        sleep=asyncio.sleep,
    )


class Mute:
    """A SpeechEngine that cannot speak; it says why."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    async def speak(self, utterance: Utterance) -> bytes:
        """Refuse."""
        del utterance
        raise SpeechFailed(self._reason)


async def _opened_engine(settings: Settings, stack: AsyncExitStack) -> SpeechEngine:
    if not settings.projects:  # nobody starts a job, so no process needs to wait for one
        return Mute("no project is configured")
    presenter = settings.presenter
    try:
        return await stack.enter_async_context(_engine(presenter))
    except SpeechFailed as error:
        if presenter.engine != "espeak" or presenter.voices or presenter.default_voice:
            raise ConfigError([f"presenter: {error}"]) from error
        # Nobody has asked for it: who only slices need not install it.
        _log.warning("live jobs cannot speak: %s", error)
        return Mute(str(error))


def _engine(presenter: Presenter) -> AbstractAsyncContextManager[SpeechEngine]:
    if presenter.engine == "http":
        server = SpeechServer(
            url=presenter.http_url,
            key=presenter.http_key,
            api=presenter.http_api,
            model=presenter.http_model,
            voices=presenter.voices,
            default_voice=presenter.default_voice,
        )
        return open_http(server, decode_audio)
    choice = ProcessVoices(
        voices=presenter.voices,
        default_voice=presenter.default_voice,
        processes=presenter.processes,
    )
    return (open_piper if presenter.engine == "piper" else open_espeak)(choice, decode_audio)
