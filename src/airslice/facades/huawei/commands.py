"""Commands to a broadcast, and what its audience does: wire structs ↔ the domain's values."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Literal

from msgspec import Meta, convert

from airslice.domain.errors import InvalidInput
from airslice.domain.live_command import AudienceEvent, CommandName, CommandSource, LiveCommand
from airslice.domain.script import Scene
from airslice.facades.huawei.fields import (
    Id,
    Ids,
    Name,
    RequiredUrl,
    Text256,
    WindowQuery,
    Wire,
    rfc3339,
)
from airslice.facades.huawei.rooms import OutputUrls, StreamKeys
from airslice.facades.huawei.rules import (
    LiveRoomInteractionRuleInfo,
    PlayType,
    ReviewConfig,
)
from airslice.facades.huawei.scripts import LiveExitConfig, LiveVideoScriptInfo

PlayRole = Literal["STREAMER", "CO_STREAMER"]

MAX_EVENTS = 1_000
MAX_EVENT_MS = 4_102_415_999_000


class ControlSmartLiveReq(Wire, frozen=True, kw_only=True):
    """A command."""

    command: Text256
    """One of `CommandName`; others are refused by a code of their own."""
    params: dict[str, Any] | None = None
    """See `PARAMS`."""
    review_config: ReviewConfig | None = None


class SpokenText(Wire, frozen=True, kw_only=True):
    """Plain text or SSML."""

    text: Annotated[str, Meta(min_length=1, max_length=131_072)]


class PlayTextInfo(Wire, frozen=True, kw_only=True):
    """A text to be spoken in between."""

    text_config: SpokenText
    play_type: PlayType | None = None
    play_role: PlayRole | None = None
    rule_index: Id | None = None


class PlayAudioInfo(Wire, frozen=True, kw_only=True):
    """A recording to be played in between."""

    audio_url: RequiredUrl
    play_type: PlayType | None = None
    play_role: PlayRole | None = None
    rule_index: Id | None = None


class RewrittenScript(Wire, frozen=True, kw_only=True):
    """A script in place of what has not been played yet."""

    scene_scripts: Annotated[list[LiveVideoScriptInfo], Meta(max_length=1_000)]


class RewrittenRules(Wire, frozen=True, kw_only=True):
    """Rules in place of the room's."""

    interaction_rules: Annotated[list[LiveRoomInteractionRuleInfo], Meta(max_length=1_000)]


class RefreshOutputUrlConfig(Wire, frozen=True, kw_only=True):
    """Where the picture would be pushed from now on."""

    output_urls: OutputUrls
    stream_keys: StreamKeys | None = None


class CleanUpInsertCommand(Wire, frozen=True, kw_only=True):
    """Which insertions are taken back; none named: all that have not been played."""

    command_ids: Ids | None = None


class NoParams(Wire, frozen=True, kw_only=True):
    """Parameters of commands that need none."""


PARAMS: dict[CommandName, type[Wire]] = {
    CommandName.INSERT_PLAY_SCRIPT: PlayTextInfo,
    CommandName.INSERT_PLAY_AUDIO: PlayAudioInfo,
    CommandName.REWRITE_PLAY_SCRIPT: RewrittenScript,
    CommandName.REWRITE_INTERACTION_RULES: RewrittenRules,
    CommandName.REFRESH_OUTPUT_URL: RefreshOutputUrlConfig,
    CommandName.CLEAN_UP_INSERT_COMMAND: CleanUpInsertCommand,
    CommandName.RESET_EXIT_CONFIG: LiveExitConfig,
    CommandName.GET_CURRENT_PLAYING_SCRIPTS: NoParams,
    CommandName.GET_LIVE_JOB_CONFIG_INFO: NoParams,
}


class ExecuteSmartLiveCommandResponse(Wire, frozen=True, kw_only=True):
    """A command that was taken."""

    command_id: str
    command: CommandName
    result: str | None = None


class InsertCommandItem(Wire, frozen=True, kw_only=True):
    """An insertion that waits for its turn."""

    command_id: str | None = None
    command: CommandName | None = None
    params: dict[str, Any] | None = None
    source: CommandSource | None = None

    @classmethod
    def of(cls, command: LiveCommand) -> InsertCommandItem:
        """Show a command."""
        return cls(
            command_id=command.command_id,
            command=command.name,
            params=dict(command.params),
            source=command.source,
        )


class InsertCommands(Wire, frozen=True, kw_only=True):
    """Some insertions, and how many there are."""

    count: int
    insert_commands: list[InsertCommandItem]


class CommandsQuery(WindowQuery, frozen=True, kw_only=True):
    """Which commands are wanted."""

    job_id: Text256 | None = None


class RuleCommand(Wire, frozen=True, kw_only=True):
    """Rules that wait for a person's word."""

    room_id: str | None = None
    job_id: str | None = None
    command_id: str | None = None
    command_time: str | None = None
    interaction_rules: list[LiveRoomInteractionRuleInfo] | None = None

    @classmethod
    def of(cls, command: LiveCommand) -> RuleCommand:
        """Show a command."""
        return cls(
            room_id=command.room_id,
            job_id=command.job_id,
            command_id=command.command_id,
            command_time=rfc3339(command.created_at_ms),
            interaction_rules=command.params.get("interaction_rules"),
        )


class RuleCommands(Wire, frozen=True, kw_only=True):
    """Some commands, and how many there are."""

    count: int
    rule_commands: list[RuleCommand]


class LivePlayingShootScriptItem(Wire, frozen=True, kw_only=True):
    """A paragraph."""

    sequence_no: int | None = None
    title: str | None = None
    text: str | None = None


class LivePlayingScriptInfo(Wire, frozen=True, kw_only=True):
    """A scene."""

    script_name: str | None = None
    model_asset_id: str | None = None
    shoot_scripts: list[LivePlayingShootScriptItem] | None = None

    @classmethod
    def of(cls, scene: Scene) -> LivePlayingScriptInfo:
        """Show a scene."""
        return cls(
            script_name=scene.name,
            model_asset_id=scene.model_asset_id or None,
            shoot_scripts=[
                LivePlayingShootScriptItem(
                    sequence_no=paragraph.number,
                    title=paragraph.title or None,
                    text=paragraph.text or None,
                )
                for paragraph in scene.paragraphs
            ],
        )


class LivePlayingScripts(Wire, frozen=True, kw_only=True):
    """What is played."""

    scene_scripts: list[LivePlayingScriptInfo]

    @classmethod
    def of(cls, scenes: Iterable[Scene]) -> LivePlayingScripts:
        """Show scenes."""
        return cls(scene_scripts=[LivePlayingScriptInfo.of(scene) for scene in scenes])


class ScriptCommand(Wire, frozen=True, kw_only=True):
    """A script that waits for a person's word."""

    room_id: str | None = None
    job_id: str | None = None
    command_id: str | None = None
    command_time: str | None = None
    scene_scripts: list[LivePlayingScriptInfo] | None = None

    @classmethod
    def of(cls, command: LiveCommand) -> ScriptCommand:
        """Show a command."""
        given = convert(command.params, RewrittenScript).scene_scripts
        return cls(
            room_id=command.room_id,
            job_id=command.job_id,
            command_id=command.command_id,
            command_time=rfc3339(command.created_at_ms),
            scene_scripts=[LivePlayingScriptInfo.of(scene.scene()) for scene in given],
        )


class ScriptCommands(Wire, frozen=True, kw_only=True):
    """Some commands, and how many there are."""

    count: int
    scripts_commands: list[ScriptCommand]


class BatchConfirmLiveCommandsReq(Wire, frozen=True, kw_only=True):
    """What a person says of commands."""

    command: Literal["REWRITE_PLAY_SCRIPT", "REWRITE_INTERACTION_RULES"]
    action: Literal["confirm", "reject"]
    command_ids: Ids | None = None


FACTS: Mapping[int, Mapping[str, type]] = {
    1: {"user": dict, "content": str},  # somebody comments
    2: {"user": dict},  # … enters
    3: {"user": dict},  # … likes it
    4: {"user": dict, "gift": dict},  # … gives something
    6: {"numberOfViewers": int},
}
"""What the content of an event has, by its type, and of which JSON type that is."""


class LiveEvent(Wire, frozen=True, kw_only=True):
    """Something that the audience did."""

    timestamp: Annotated[int, Meta(ge=0, le=MAX_EVENT_MS)]
    type: Annotated[int, Meta(ge=0, le=100)] | None = None
    content: Annotated[str, Meta(max_length=8_192)] | None = None

    def event(self, field: str) -> AudienceEvent:
        """Return what is given; types without a meaning may say anything.

        Args:
            field: Where the content stands in the request.

        Raises:
            InvalidInput: the content does not say what the event's type is about.
        """
        event_type, text = self.type or 0, self.content or ""
        if text or event_type in FACTS:
            content = _json_object(text, field)
            for name, kind in FACTS.get(event_type, {}).items():
                if type(content.get(name)) is not kind:
                    raise InvalidInput(field, f"must have a {name} for type {event_type}")
        return AudienceEvent(timestamp_ms=self.timestamp, type=event_type, content=text)


def _json_object(text: str, field: str) -> dict[str, object]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidInput(field, "must be JSON text") from None
    if not isinstance(content, dict):
        raise InvalidInput(field, "must be a JSON object")
    return content


class ReportLiveEventReq(Wire, frozen=True, kw_only=True):
    """What the audience did."""

    total: Annotated[int, Meta(ge=1, le=MAX_EVENTS)]
    events: Annotated[list[LiveEvent], Meta(max_length=MAX_EVENTS)] | None = None
    review_config: ReviewConfig | None = None

    def audience_events(self) -> Iterator[AudienceEvent]:
        """Return what is given; each event is read when it is asked for.

        Raises:
            InvalidInput: `total` is not their number or, later, an event does not say what its
                type is about.
        """
        events = self.events or ()
        if self.total != len(events):
            raise InvalidInput("total", f"must be the number of events, {len(events)}")
        return (event.event(f"events[{number}].content") for number, event in enumerate(events))


class ReportQuery(Wire, frozen=True, kw_only=True):
    """How a report proves itself, and whether a new address is wanted."""

    auth_key: Name | None = None
    expires_time: Annotated[str, Meta(pattern="^[0-9]{1,15}$")] | None = None
    """Milliseconds since the Unix epoch."""
    refresh_url: bool = False


class LiveEventReportResponse(Wire, frozen=True, kw_only=True):
    """A new address, where one was wanted."""

    live_event_report_url: str | None = None
