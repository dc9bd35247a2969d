"""The operations on what a broadcast is told: call a use case, show what it returns."""

from __future__ import annotations

import uuid

import msgspec

from airslice.application.ports.live import Page
from airslice.domain.errors import InvalidInput
from airslice.domain.live_command import CommandName, LiveCommand
from airslice.domain.live_room import LiveRoom
from airslice.facades.huawei import errors
from airslice.facades.huawei.bodies import from_json
from airslice.facades.huawei.calls import Call, UseCases
from airslice.facades.huawei.commands import (
    PARAMS,
    BatchConfirmLiveCommandsReq,
    CleanUpInsertCommand,
    CommandsQuery,
    ControlSmartLiveReq,
    ExecuteSmartLiveCommandResponse,
    InsertCommandItem,
    InsertCommands,
    LiveEventReportResponse,
    LivePlayingScripts,
    NoParams,
    ReportLiveEventReq,
    ReportQuery,
    RuleCommand,
    RuleCommands,
    ScriptCommand,
    ScriptCommands,
)
from airslice.facades.huawei.errors import Refusal
from airslice.facades.huawei.fields import NoBody, NoQuery, WindowQuery, Wire, extras_of
from airslice.facades.huawei.rooms import SmartLiveRoom
from airslice.facades.huawei.scripts import LiveExitConfig


async def execute_command(
    use_cases: UseCases, call: Call[NoQuery, ControlSmartLiveReq]
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
    job = call.project_id, call.ids["room_id"], call.ids["job_id"]
    command_id, result = str(uuid.uuid4()), None
    match params:
        case CleanUpInsertCommand():
            await use_cases.commands.take_back(*job, frozenset(params.command_ids or ()))
        case LiveExitConfig():
            await use_cases.commands.reset_exit(*job, params.live_exit())
        case NoParams():
            result = _told(name, await use_cases.commands.as_played(*job))
        case _:
            kept = extras_of(params, *params.__struct_fields__)
            command_id = await use_cases.commands.execute(*job, name, kept)
    return ExecuteSmartLiveCommandResponse(command_id=command_id, command=name, result=result)


def _told(name: CommandName, room: LiveRoom) -> str:
    """Answer a command that asks: JSON text."""
    shown: Wire = SmartLiveRoom.of(room)
    if name is CommandName.GET_CURRENT_PLAYING_SCRIPTS:
        shown = LivePlayingScripts.of(room.draft.scenes)
    return msgspec.json.encode(shown).decode()


async def list_insert_commands(
    use_cases: UseCases, call: Call[WindowQuery, NoBody]
) -> InsertCommands:
    """List insertions that wait for their turn."""
    found = await use_cases.commands.insert_commands(
        call.project_id,
        call.ids["room_id"],
        call.ids["job_id"],
        offset=call.query.offset,
        limit=call.query.limit,
    )
    shown = [InsertCommandItem.of(command) for command in found.items]
    return InsertCommands(count=found.count, insert_commands=shown)


async def list_rule_commands(
    use_cases: UseCases, call: Call[CommandsQuery, NoBody]
) -> RuleCommands:
    """List rules that wait for a person's word."""
    found = await _unjudged(use_cases, call, CommandName.REWRITE_INTERACTION_RULES)
    shown = [RuleCommand.of(command) for command in found.items]
    return RuleCommands(count=found.count, rule_commands=shown)


async def list_script_commands(
    use_cases: UseCases, call: Call[CommandsQuery, NoBody]
) -> ScriptCommands:
    """List scripts that wait for a person's word."""
    found = await _unjudged(use_cases, call, CommandName.REWRITE_PLAY_SCRIPT)
    shown = [ScriptCommand.of(command) for command in found.items]
    return ScriptCommands(count=found.count, scripts_commands=shown)


async def _unjudged(
    use_cases: UseCases, call: Call[CommandsQuery, NoBody], name: CommandName
) -> Page[LiveCommand]:
    query = call.query
    return await use_cases.commands.unjudged(
        call.project_id, query.job_id, name, offset=query.offset, limit=query.limit
    )


async def confirm_commands(
    use_cases: UseCases, call: Call[NoQuery, BatchConfirmLiveCommandsReq]
) -> NoBody:
    """Say that commands may be carried out, or may not."""
    asked = call.body
    await use_cases.commands.confirm(
        call.project_id,
        call.ids["room_id"],
        call.ids["job_id"],
        name=CommandName(asked.command),
        command_ids=frozenset(asked.command_ids or ()),
        confirmed=asked.action == "confirm",
    )
    return NoBody()


async def report_events(
    use_cases: UseCases, call: Call[ReportQuery, ReportLiveEventReq]
) -> LiveEventReportResponse:
    """Report what the audience did."""
    room_id, job_id = call.ids["room_id"], call.ids["job_id"]
    events = call.body.audience_events()
    await use_cases.commands.report_events(call.project_id, room_id, job_id, events)
    if not call.query.refresh_url:
        return LiveEventReportResponse()
    job = await use_cases.jobs.show(call.project_id, room_id, job_id)
    return LiveEventReportResponse(live_event_report_url=call.facts.report_url(job))
