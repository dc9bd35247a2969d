"""Commands to a broadcast: wire structs, and what the operations on them call."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, convert

from airslice.application.ports.live import Page
from airslice.domain.errors import InvalidInput
from airslice.domain.live_command import CommandName, CommandSource, LiveCommand
from airslice.domain.live_room import LiveRoom
from airslice.domain.script import Scene
from airslice.facades.http.refusals import Refusal
from airslice.facades.huawei import errors
from airslice.facades.huawei.bodies import from_json
from airslice.facades.huawei.calls import Call
from airslice.facades.huawei.fields import (
    Id,
    Ids,
    NoBody,
    NoQuery,
    RequiredUrl,
    Text256,
    WindowQuery,
    Wire,
    extras_of,
    rfc3339,
)
from airslice.facades.huawei.live_rooms import OutputUrls, SmartLiveRoom, StreamKeys
from airslice.facades.huawei.rules import LiveRoomInteractionRuleInfo, PlayType, ReviewConfig
from airslice.facades.huawei.scripts import LiveExitConfig, LiveVideoScriptInfo

PlayRole = Literal["STREAMER", "CO_STREAMER"]


class ControlSmartLiveReq(Wire, frozen=True, kw_only=True):
    """A command."""

    command: Text256
    """One of `CommandName`; another one is refused by a code of its own."""
    params: dict[str, Any] | None = None
    """An object of the shape that `PARAMS` has for the command."""
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
    """Which insertions are taken back; without ids, all that have not been played."""

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
        """Return what shows an insertion."""
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
    """A command that replaces rules and waits for a person's word."""

    room_id: str | None = None
    job_id: str | None = None
    command_id: str | None = None
    command_time: str | None = None
    interaction_rules: list[LiveRoomInteractionRuleInfo] | None = None

    @classmethod
    def of(cls, command: LiveCommand) -> RuleCommand:
        """Return what shows a command that replaces rules."""
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
        """Return what shows a scene."""
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
        """Return what shows the scenes that are played."""
        return cls(scene_scripts=[LivePlayingScriptInfo.of(scene) for scene in scenes])


class ScriptCommand(Wire, frozen=True, kw_only=True):
    """A command that replaces the script and waits for a person's word."""

    room_id: str | None = None
    job_id: str | None = None
    command_id: str | None = None
    command_time: str | None = None
    scene_scripts: list[LivePlayingScriptInfo] | None = None

    @classmethod
    def of(cls, command: LiveCommand) -> ScriptCommand:
        """Return what shows a command that replaces the script."""
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


async def execute_command(
    call: Call[NoQuery, ControlSmartLiveReq],
) -> ExecuteSmartLiveCommandResponse:
    """Command a broadcast."""
    asked = call.body
    if asked.command not in CommandName.__members__:
        raise Refusal(errors.INVALID_COMMAND, asked.command)
    name = CommandName(asked.command)
    try:
        params = from_json(asked.params or {}, PARAMS[name])
    except InvalidInput as error:
        raise InvalidInput(f"params.{error.field}", error.problem) from None
    command_id, result = str(uuid.uuid4()), None
    match params:
        case CleanUpInsertCommand():
            await call.use_cases.commands.take_back(*call.job, frozenset(params.command_ids or ()))
        case LiveExitConfig():
            await call.use_cases.commands.reset_exit(*call.job, params.live_exit())
        case NoParams():
            result = _told(name, await call.use_cases.commands.as_played(*call.job))
        case _:
            kept = extras_of(params, *params.__struct_fields__)
            command_id = await call.use_cases.commands.execute(*call.job, name, kept)
    return ExecuteSmartLiveCommandResponse(command_id=command_id, command=name, result=result)


def _told(name: CommandName, room: LiveRoom) -> str:
    """Answer a command that asks: JSON text."""
    shown: Wire = SmartLiveRoom.of(room)
    if name is CommandName.GET_CURRENT_PLAYING_SCRIPTS:
        shown = LivePlayingScripts.of(room.draft.scenes)
    return msgspec.json.encode(shown).decode()


async def list_insert_commands(call: Call[WindowQuery, NoBody]) -> InsertCommands:
    """List insertions that wait for their turn."""
    found = await call.use_cases.commands.insert_commands(
        *call.job, offset=call.query.offset, limit=call.query.limit
    )
    shown = [InsertCommandItem.of(command) for command in found.items]
    return InsertCommands(count=found.count, insert_commands=shown)


async def list_rule_commands(call: Call[CommandsQuery, NoBody]) -> RuleCommands:
    """List rules that wait for a person's word."""
    found = await _unjudged(call, CommandName.REWRITE_INTERACTION_RULES)
    shown = [RuleCommand.of(command) for command in found.items]
    return RuleCommands(count=found.count, rule_commands=shown)


async def list_script_commands(call: Call[CommandsQuery, NoBody]) -> ScriptCommands:
    """List scripts that wait for a person's word."""
    found = await _unjudged(call, CommandName.REWRITE_PLAY_SCRIPT)
    shown = [ScriptCommand.of(command) for command in found.items]
    return ScriptCommands(count=found.count, scripts_commands=shown)


async def _unjudged(call: Call[CommandsQuery, NoBody], name: CommandName) -> Page[LiveCommand]:
    query = call.query
    return await call.use_cases.commands.unjudged(
        call.project_id, query.job_id, name, offset=query.offset, limit=query.limit
    )


async def confirm_commands(call: Call[NoQuery, BatchConfirmLiveCommandsReq]) -> NoBody:
    """Say that commands may be carried out, or may not."""
    asked = call.body
    await call.use_cases.commands.confirm(
        *call.job,
        name=CommandName(asked.command),
        command_ids=frozenset(asked.command_ids or ()),
        confirmed=asked.action == "confirm",
    )
    return NoBody()
