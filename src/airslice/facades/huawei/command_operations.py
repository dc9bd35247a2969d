"""The operations on what a broadcast is told: call a use case, show what it returns."""

from __future__ import annotations

from airslice.domain.errors import InvalidInput
from airslice.domain.live_command import CommandName
from airslice.facades.huawei import errors
from airslice.facades.huawei.bodies import from_json
from airslice.facades.huawei.calls import Call, UseCases
from airslice.facades.huawei.commands import (
    PARAMS,
    BatchConfirmLiveCommandsReq,
    CommandsQuery,
    ControlSmartLiveReq,
    ExecuteSmartLiveCommandResponse,
    InsertCommandItem,
    InsertCommands,
    LiveEventReportResponse,
    ReportLiveEventReq,
    ReportQuery,
    RuleCommand,
    RuleCommands,
    ScriptCommand,
    ScriptCommands,
)
from airslice.facades.huawei.errors import Refusal
from airslice.facades.huawei.fields import NoBody, NoQuery, WindowQuery, extras_of


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
    command_id, result = await use_cases.commands.execute(
        call.project_id,
        call.ids["room_id"],
        call.ids["job_id"],
        name,
        extras_of(params, *params.__struct_fields__),
    )
    return ExecuteSmartLiveCommandResponse(
        command_id=command_id, command=name, result=result or None
    )


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
    query = call.query
    found = await use_cases.commands.rule_commands(
        call.project_id, query.job_id, offset=query.offset, limit=query.limit
    )
    shown = [RuleCommand.of(command) for command in found.items]
    return RuleCommands(count=found.count, rule_commands=shown)


async def list_script_commands(
    use_cases: UseCases, call: Call[CommandsQuery, NoBody]
) -> ScriptCommands:
    """List scripts that wait for a person's word."""
    query = call.query
    found = await use_cases.commands.script_commands(
        call.project_id, query.job_id, offset=query.offset, limit=query.limit
    )
    shown = [ScriptCommand.of(command) for command in found.items]
    return ScriptCommands(count=found.count, scripts_commands=shown)


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
    events = tuple(event.event() for event in call.body.events or ())
    await use_cases.commands.report_events(call.project_id, room_id, job_id, events)
    if not call.query.refresh_url:
        return LiveEventReportResponse()
    job = await use_cases.jobs.show(call.project_id, room_id, job_id)
    return LiveEventReportResponse(live_event_report_url=call.facts.report_url(job))
