"""Live jobs on in-memory adapters, with a clock that is turned by hand and speech that is numbers.

Each sentence sounds like a number of its own, for as long as its text says, so that what was heard
can be told from the packets alone.
"""

from __future__ import annotations

import array
import asyncio
import itertools
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from airslice.application.broadcast.broadcast import BroadcastTools
from airslice.application.broadcast.jobs import LiveJobs
from airslice.application.broadcast.orders import LiveOrders
from airslice.application.broadcast.player_notices import PlayerNotices
from airslice.application.broadcast.speech_ahead import FRAME_BYTES, Studio, silent_frame
from airslice.application.pacing import Pacer
from airslice.application.ports.live import SpeechFailed
from airslice.application.ports.media import SPEECH_RATE_HZ
from airslice.application.rooms.publishing import LocalPublisher
from airslice.application.wall_clock import WallClock
from airslice.domain.errors import AirsliceError
from airslice.domain.live_job import (
    FINAL_STATES,
    JobOrder,
    JobState,
    LiveJob,
    RtcUserKind,
    rtc_place,
)
from airslice.domain.live_room import LiveRoom, RoomDraft
from airslice.domain.live_user_config import LiveUserConfig
from airslice.domain.owner_event import ParagraphBegan
from airslice.domain.players import PlayerNotice, PlayState
from airslice.domain.playing import Line
from airslice.domain.projects import Project
from airslice.domain.room import RoomKey
from airslice.domain.room_event import EndReason
from airslice.domain.script import (
    Paragraph,
    PlayPolicy,
    Program,
    RandomPlay,
    Scene,
    Voice,
)
from airslice.domain.sentences import Utterance
from airslice.facades.huawei.owner_words import OWNER_WORDS
from airslice.slicing.packets import RtpPacket, SenderReport
from tests.support.clock import HandClock
from tests.support.memory.live_jobs import MemoryLiveJobStore
from tests.support.memory.live_resources import MemoryLivePlatformStore
from tests.support.memory.live_rooms import MemoryLiveRoomStore
from tests.support.stages.stage import APP, FRAME_NS, TOC_CELT_20_MS
from tests.support.waiting import PATIENCE_S

PROJECT = Project(project_id="project", account_id=APP.account_id, app_id=APP.app_id)
VOICE = Voice(asset_id="voice")
IN_ORDER = PlayPolicy(random=RandomPlay.NONE)


class InlineExecutor(ThreadPoolExecutor):
    """Runs what is handed to threads at once, so that a test sees the same each time."""

    def submit(self, call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(call(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


@dataclass
class NumberEngine:
    """Speaks a text ``<number> for <ms>`` as that number for so long (port `SpeechEngine`)."""

    spoken: list[str] = field(default_factory=list)
    failures: int = 0
    """How many of the next calls fail; -1: all."""
    delay: Callable[[], Coroutine[Any, Any, None]] | None = None

    async def speak(self, utterance: Utterance) -> bytes:
        if self.delay is not None:
            await self.delay()
        if self.failures:
            self.failures -= 1
            raise SpeechFailed("the engine is out of order")
        self.spoken.append(utterance.text)
        number, _, length_ms = utterance.text.rstrip(".").split()
        samples = int(length_ms) * SPEECH_RATE_HZ // 1_000
        return array.array("h", [int(number)]).tobytes() * samples


@dataclass
class NumberRecordings:
    """Recordings whose addresses are such texts (port `Recordings`)."""

    error: SpeechFailed | None = None

    async def fetch(self, url: str) -> bytes:
        if self.error is not None:
            raise self.error
        return await NumberEngine().speak(Utterance(url, VOICE))

    async def asset(self, project_id: str, asset_id: str) -> bytes:
        if project_id != PROJECT.project_id:
            raise SpeechFailed("there is no such asset")
        return await self.fetch(asset_id)


class NumberEncoders:
    """Encoders whose packets hold the first sample of a frame (port `OpusEncoders`)."""

    def open(self) -> NumberEncoders:
        return self

    def encode(self, pcm: bytes) -> bytes:
        assert len(pcm) == FRAME_BYTES
        return bytes((TOC_CELT_20_MS,)) + array.array("h", pcm[:2])[0].to_bytes(2, "big")


@dataclass(frozen=True)
class Heard:
    """One packet, as a listener gets it."""

    number: int
    """What is said; 0 is silence."""
    packet: RtpPacket
    ssrc: int
    at_ns: int


class Mouth:
    """A presenter in the room (`LocalPublisher`)."""

    def __init__(self, ear: Ear, on_ended: Callable[[EndReason], None]) -> None:
        self._ear = ear
        self._on_ended = on_ended
        self._is_open = True

    def source(self, ssrc: int) -> Callable[[RtpPacket], object]:
        def take(packet: RtpPacket) -> None:
            if self._is_open:
                number = int.from_bytes(packet.payload[1:3], "big")
                self._ear.heard.append(Heard(number, packet, ssrc, self._ear.clock.now_ns))

        return take

    def sender_report(self, ssrc: int, report: SenderReport) -> None:
        self._ear.reports.append((ssrc, report))

    def close(self, reason: EndReason) -> None:
        if self._is_open:
            self._is_open = False
            self._ear.left.append(reason)
            self._on_ended(reason)


class Ear:
    """Hears all presenters, whatever their room (`broadcast.Stage`)."""

    def __init__(self, clock: HandClock) -> None:
        self.clock = clock
        self.heard: list[Heard] = []
        self.reports: list[tuple[int, SenderReport]] = []
        self.left: list[EndReason] = []
        self.refusal: AirsliceError | None = None
        self.mouths: list[Mouth] = []

    def present(
        self, room: RoomKey, user_id: str, on_ended: Callable[[EndReason], None]
    ) -> LocalPublisher:
        if self.refusal is not None:
            raise self.refusal
        self.mouths.append(Mouth(self, on_ended))
        return self.mouths[-1]

    @property
    def sentences(self) -> list[tuple[int, int]]:
        """What was said, in order: numbers, and for how many frames."""
        runs = itertools.groupby(self.heard, key=lambda heard: heard.number)
        return [(number, len(list(frames))) for number, frames in runs if number]


class MortalJobStore(MemoryLiveJobStore):
    """A store of a server that can die: then nothing comes back from it any more."""

    def __init__(self) -> None:
        super().__init__()
        self.is_dead = False
        self.saves = 0
        self.dies_before_save = 0
        self.dies_after_save = 0

    async def save_job(self, job: LiveJob) -> None:
        self.saves += 1
        if self.saves == self.dies_before_save:
            self.is_dead = True
        if not self.is_dead:
            await super().save_job(job)
        if self.saves == self.dies_after_save:
            self.is_dead = True
        if self.is_dead:
            await asyncio.Event().wait()


@dataclass
class EventLog:
    """Takes what the owner is told (port `OwnerEvents`)."""

    announced: list[tuple[str, ParagraphBegan]] = field(default_factory=list)
    """With the ids of the jobs."""

    async def announce(self, job: LiveJob, event: ParagraphBegan) -> None:
        self.announced.append((job.job_id, event))


class KeptNotices(PlayerNotices):
    """Keeps what players are told, and after how many frames."""

    def __init__(self, stage: LiveStage) -> None:
        super().__init__()
        self._stage = stage

    def notify(self, room: RoomKey, notice: PlayerNotice) -> None:
        super().notify(room, notice)
        self._stage.told.append((notice, len(self._stage.ear.heard)))


class LiveStage:
    """Live jobs, all of which are heard by one ear."""

    def __init__(self) -> None:
        asyncio.get_running_loop().set_default_executor(InlineExecutor(1))
        self.clock = HandClock()
        self.jobs_store = MortalJobStore()
        self.rooms = MemoryLiveRoomStore(self.jobs_store)
        self.platforms = MemoryLivePlatformStore()
        self.config: LiveUserConfig | None = None
        self.ear = Ear(self.clock)
        self.engine = NumberEngine()
        self.recordings = NumberRecordings()
        self.events = EventLog()
        self.told: list[tuple[PlayerNotice, int]] = []
        self.stage: Any = self.ear
        self.max_jobs = 100
        self.apps = {APP.app_id: APP}
        self.check_callback_url: Callable[[str], object] = str
        self._numbers = itertools.count(1)
        self.boot()

    def boot(self) -> None:
        """Start the server's parts anew, over the same stores."""
        self.jobs_store.is_dead = False
        wall_clock = WallClock(self.clock)
        self.pacer = Pacer(wall_clock)
        self.notices = KeptNotices(self)
        self.tools = BroadcastTools(
            studio=Studio(
                engine=self.engine,
                recordings=self.recordings,
                clock=self.clock,
                sleep=self.clock.sleep,
            ),
            encoders=NumberEncoders(),
            silence=silent_frame(NumberEncoders()),
            stage=self.stage,
            pacer=self.pacer,
            notices=self.notices,
            owner_events=self.events,
            wall_clock=wall_clock,
            sleep=self.clock.sleep,
        )
        self.jobs = LiveJobs(
            apps=self.apps,
            jobs=self.jobs_store,
            rooms=self.rooms,
            orders=LiveOrders(
                config_of=self._config_of,
                platform_of=self.platforms.find_platform,
                check_callback_url=self.check_callback_url,
                words=OWNER_WORDS,
                wall_clock=wall_clock,
            ),
            tools=self.tools,
            max_jobs=self.max_jobs,
        )

    @property
    def progress(self) -> list[tuple[Line, int]]:
        """The sentences that players were told of, and how many frames were heard before each."""
        return [(notice, frame) for notice, frame in self.told if isinstance(notice, Line)]

    @property
    def states(self) -> list[PlayState]:
        """The states that players were told of."""
        return [notice for notice, _ in self.told if isinstance(notice, PlayState)]

    async def _config_of(self, project_id: str) -> LiveUserConfig | None:
        return self.config

    async def die(self) -> None:
        """Lose what is only in memory, as when the process is killed."""
        self.jobs_store.is_dead = True
        tasks = [task for task in asyncio.all_tasks() if _is_of_the_server(task)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def room(self, *scenes: Scene, policy: PlayPolicy = IN_ORDER, **draft: Any) -> LiveRoom:
        """Make a room."""
        room = LiveRoom(
            room_id=f"room-{next(self._numbers)}",
            project_id=PROJECT.project_id,
            draft=RoomDraft(name="a room", scenes=scenes, policy=policy, **draft),
            created_at_ms=0,
            updated_at_ms=0,
            script_version="0",
        )
        await self.rooms.save_room(room)
        return room

    async def start(self, *scenes: Scene, policy: PlayPolicy = IN_ORDER, **draft: Any) -> LiveJob:
        """Make a room and start its job."""
        room = await self.room(*scenes, policy=policy, **draft)
        job = await self.jobs.start(PROJECT, room.room_id, JobOrder())
        await self.settle()
        return job

    async def resume(
        self, *scenes: Scene, policy: PlayPolicy = IN_ORDER, on_air_ms: int
    ) -> LiveJob:
        """Go on with a job that has been on air for so long, from the beginning of its script."""
        number = next(self._numbers)
        job = LiveJob(
            job_id=f"job-{number}",
            project_id=PROJECT.project_id,
            room_id=f"room-{number}",
            room_name="a room",
            program=Program(scenes=scenes, policy=policy),
            place=rtc_place(PROJECT.app_id, f"job-{number}", has_capture=False),
            created_at_ms=0,
            updated_at_ms=0,
            state=JobState.PROCESSING,
            on_air_ms=on_air_ms,
        )
        await self.jobs_store.save_job(job)
        await self.jobs.recover()
        await self.settle()
        return job

    async def control(self, job: LiveJob, command: str, timing: str = "NOW") -> PlayState:
        """Send a command as the job's player."""
        room = RoomKey(job.place.app_id, job.place.room_id)
        player = job.place.user_id(RtcUserKind.PLAYER)
        return await self.jobs.control(room, player, command, timing)

    async def job(self, job: LiveJob) -> LiveJob:
        """Return a job as it is recorded now."""
        found = await self.jobs_store.find_job(job.project_id, job.job_id)
        assert found is not None
        return found

    async def run(self, seconds: float, *, hops: int = 8) -> None:
        """Let time pass."""
        for _ in range(round(seconds * 50)):
            self.clock.now_ns += FRAME_NS
            self.pacer.beat()
            await self.settle(hops)

    async def run_to_end(self, job: LiveJob, *, at_most_s: float = 600) -> LiveJob:
        """Let time pass until a job has ended."""
        for _ in range(round(at_most_s)):
            if (await self.job(job)).state in FINAL_STATES:
                break
            await self.run(1)
        return await self.job(job)

    async def settle(self, hops: int = 40) -> None:
        """Let everything happen that needs no time."""
        for _ in range(hops):
            await asyncio.sleep(0)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something that needs the real time of a poll."""
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                await asyncio.sleep(0.001)


def _is_of_the_server(task: asyncio.Task[Any]) -> bool:
    code = getattr(task.get_coro(), "cr_code", None)
    return code is not None and "airslice/application" in code.co_filename


def numbered(*lengths_ms: int, start: int = 1) -> str:
    """A text of as many sentences, from a number on."""
    return "\n".join(
        f"{number} for {length_ms}." for number, length_ms in enumerate(lengths_ms, start)
    )


def a_scene(*texts: str, name: str = "scene", script_id: str = "script") -> Scene:
    """A scene with a paragraph for each text."""
    paragraphs = tuple(
        Paragraph(number=number, title=f"title {number}", text=text)
        for number, text in enumerate(texts, 1)
    )
    return Scene(script_id=script_id, name=name, paragraphs=paragraphs, voice=VOICE)


def scenes_of(*sizes: tuple[int, ...], length_ms: int = 500) -> Iterator[Scene]:
    """Scenes whose paragraphs have so many sentences each; sentences are numbered throughout."""
    number = 1
    for place, paragraphs in enumerate(sizes):
        texts = []
        for size in paragraphs:
            texts.append(numbered(*[length_ms] * size, start=number))
            number += size
        yield a_scene(*texts, name=f"scene {place}", script_id=f"script {place}")
