"""Smart live: its stores, its presenters and Huawei's wire in front of them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from functools import partial

from aiohttp.resolver import ThreadedResolver

from airslice.application.broadcast.broadcast import BroadcastTools
from airslice.application.broadcast.jobs import LiveJobs
from airslice.application.broadcast.orders import LiveOrders
from airslice.application.broadcast.owner_events import OwnerAnnouncements
from airslice.application.broadcast.player_notices import PlayerNotices
from airslice.application.broadcast.speech_ahead import Studio, silent_frame
from airslice.application.catalogue.interaction_rules import InteractionRules
from airslice.application.catalogue.live_commands import LiveCommands
from airslice.application.catalogue.live_platforms import LivePlatforms
from airslice.application.catalogue.live_rooms import LiveRooms
from airslice.application.catalogue.live_user_config import LiveUserConfigs
from airslice.application.catalogue.report_keys import ReportKeys
from airslice.application.ports.live import SpeechEngine, SpeechFailed
from airslice.config import ConfigError, Presenter, Settings
from airslice.delivery.destination import PermittedResolver, validate_url
from airslice.delivery.huawei.address import validate_live_url
from airslice.delivery.huawei.owner_event import owner_event
from airslice.delivery.huawei.platform_products import HttpPlatformProducts
from airslice.encoding.audio_decoder import decode_audio
from airslice.encoding.opus_encoder import AvOpusEncoders
from airslice.facades.huawei.calls import UseCases
from airslice.facades.huawei.facade import HuaweiFacade
from airslice.facades.huawei.owner_words import OWNER_WORDS
from airslice.persistence.sqlite.database import SqliteDatabase
from airslice.persistence.sqlite.live_commands import SqliteLiveCommandStore
from airslice.persistence.sqlite.live_resources import (
    SqliteLivePlatformStore,
    SqliteLiveUserConfigStore,
    SqliteRuleGroupStore,
)
from airslice.persistence.sqlite.live_rooms import SqliteLiveRoomStore
from airslice.presenter.choice import ProcessVoices, open_espeak, open_http, open_piper
from airslice.presenter.http_engine import SpeechServer
from airslice.presenter.mute import MuteEngine
from airslice.presenter.recordings import FetchedRecordings
from airslice.wiring.backend import Backend

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class LiveServices:
    """Smart live as the rest of the server sees it."""

    jobs: LiveJobs
    notices: PlayerNotices
    facade: HuaweiFacade


class _Stores:
    """What smart live keeps, but for the jobs."""

    def __init__(self, database: SqliteDatabase) -> None:
        self.rooms = SqliteLiveRoomStore(database)
        self.commands = SqliteLiveCommandStore(database)
        self.groups = SqliteRuleGroupStore(database)
        self.platforms = SqliteLivePlatformStore(database)
        self.configs = SqliteLiveUserConfigStore(database)


@contextlib.asynccontextmanager
async def open_live(backend: Backend) -> AsyncIterator[LiveServices]:
    """Bring back the jobs that ran at the last end, and take requests; fall silent at the end.

    Raises:
        ConfigError: the configured presenter cannot speak.
    """
    environment, rule = backend.environment, backend.delivery.address_rule
    settings = environment.settings
    async with AsyncExitStack() as stack:
        stores = _Stores(backend.storage.tasks.database)
        tools = await _broadcast_tools(backend, stack)
        jobs = LiveJobs(
            apps=environment.apps,
            jobs=backend.storage.live_jobs,
            rooms=stores.rooms,
            orders=LiveOrders(
                config_of=stores.configs.find_config,
                platform_of=stores.platforms.find_platform,
                check_callback_url=partial(validate_live_url, rule=rule),
                words=OWNER_WORDS,
                wall_clock=environment.wall_clock,
            ),
            tools=tools,
            max_jobs=settings.server.max_live_jobs,
        )
        stack.push_async_callback(jobs.suspend)
        products = HttpPlatformProducts(environment.clock, rule)
        stack.push_async_callback(products.close)
        await jobs.recover(project.project_id for project in settings.projects)
        facade = HuaweiFacade(
            accounts=settings.accounts,
            projects=settings.projects,
            use_cases=_use_cases(backend, stores, jobs, products),
            master_key=settings.server.master_key,
            clock=environment.clock,
        )
        yield LiveServices(jobs=jobs, notices=tools.notices, facade=facade)


def _use_cases(
    backend: Backend, stores: _Stores, jobs: LiveJobs, products: HttpPlatformProducts
) -> UseCases:
    wall_clock, job_store = backend.environment.wall_clock, backend.storage.live_jobs
    return UseCases(
        rooms=LiveRooms(
            rooms=stores.rooms,
            jobs=job_store,
            configs=stores.configs,
            words=OWNER_WORDS,
            wall_clock=wall_clock,
        ),
        jobs=jobs,
        commands=LiveCommands(
            commands=stores.commands,
            jobs=job_store,
            rooms=stores.rooms,
            exits=jobs,
            words=OWNER_WORDS,
            wall_clock=wall_clock,
        ),
        report_keys=ReportKeys(backend.environment.settings.server.master_key, wall_clock),
        rules=InteractionRules(groups=stores.groups, wall_clock=wall_clock),
        platforms=LivePlatforms(
            platforms=stores.platforms,
            products=products,
            check_url=partial(validate_live_url, rule=backend.delivery.address_rule),
            wall_clock=wall_clock,
        ),
        user_configs=LiveUserConfigs(configs=stores.configs),
    )


async def _broadcast_tools(backend: Backend, stack: AsyncExitStack) -> BroadcastTools:
    environment, rule = backend.environment, backend.delivery.address_rule
    engine = await _opened_engine(environment.settings, stack)
    recordings = FetchedRecordings(
        check_url=partial(validate_url, rule=rule),
        resolver=PermittedResolver(ThreadedResolver(), rule),
        decode=decode_audio,
        assets=environment.settings.server.data_dir / "assets",
    )
    stack.push_async_callback(recordings.close)
    encoders = AvOpusEncoders()
    return BroadcastTools(
        studio=Studio(
            engine=engine, recordings=recordings, clock=environment.clock, sleep=asyncio.sleep
        ),
        encoders=encoders,
        silence=silent_frame(encoders),
        stage=backend.rooms.publishing,
        pacer=backend.rooms.pacer,
        notices=PlayerNotices(),
        owner_events=OwnerAnnouncements(
            backend.delivery.outbox, backend.delivery.courier, owner_event
        ),
        wall_clock=environment.wall_clock,
        sleep=asyncio.sleep,
    )


async def _opened_engine(settings: Settings, stack: AsyncExitStack) -> SpeechEngine:
    if not settings.projects:  # nobody starts a job, so no process needs to wait for one
        return MuteEngine("no project is configured")
    presenter = settings.presenter
    try:
        return await stack.enter_async_context(speech_engine(presenter))
    except SpeechFailed as error:
        if presenter.engine != "espeak" or presenter.voices or presenter.default_voice:
            raise ConfigError([f"presenter: {error}"]) from error
        # Nobody has asked for it: who only slices need not install it.
        _log.warning("live jobs cannot speak: %s", error)
        return MuteEngine(str(error))


def speech_engine(presenter: Presenter) -> AbstractAsyncContextManager[SpeechEngine]:
    """Return the speech engine that the configuration chooses; entering it raises SpeechFailed."""
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
