"""Which operations this wire has, and what each one takes, calls and gives.

Source: https://support.huaweicloud.com/api-metastudio/, a page for each, and
huaweicloudsdkmetastudio 3.1.219 `v1/metastudio_client.py`. Limits per second are those of
cn-north-4 (https://support.huaweicloud.com/api-metastudio/metastudio_02_0024.html); operations
that it does not list have none.
"""

from __future__ import annotations

from urllib.parse import unquote

from airslice.facades.http.refusals import Refusal
from airslice.facades.huawei import (
    audience_events,
    commands,
    errors,
    live_jobs,
    live_room_lists,
    live_rooms,
    platforms,
    rules,
    user_config,
)
from airslice.facades.huawei.calls import Operation

ROOMS = "/smart-live-rooms"
ROOM = f"{ROOMS}/{{room_id}}"
JOBS = f"{ROOM}/smart-live-jobs"
JOB = f"{JOBS}/{{job_id}}"
GROUPS = "/smart-live-interaction-rule-groups"
GROUP = f"{GROUPS}/{{group_id}}"
RULES = f"{GROUP}/rules"
PLATFORMS = "/live-platforms/platforms"
PLATFORM = f"{PLATFORMS}/{{platform_id}}"
USER_CONFIG = "/smart-live-configs/user-config"

REPORT = "LiveEventReport"
"""The operation that takes a key of its own in place of a signature."""


OPERATIONS = (
    Operation("CreateSmartLiveRoom", "POST", ROOMS, live_rooms.create_room, per_second=5),
    Operation("ListSmartLiveRooms", "GET", ROOMS, live_room_lists.list_rooms, per_second=20),
    Operation("ShowSmartLiveRoom", "GET", ROOM, live_rooms.show_room, per_second=20),
    Operation("UpdateSmartLiveRoom", "PUT", ROOM, live_rooms.update_room, per_second=5),
    Operation("DeleteSmartLiveRoom", "DELETE", ROOM, live_rooms.delete_room, per_second=4),
    Operation("ConfirmSmarLiveRoom", "POST", f"{ROOM}/confirm", live_rooms.confirm_room),
    Operation("ShowLiveWarningInfo", "GET", f"{ROOM}/live-warning-info", live_rooms.show_warnings),
    Operation("StartSmartLive", "POST", JOBS, live_jobs.start_job, status=202, per_second=4),
    Operation("ListSmartLive", "GET", JOBS, live_jobs.list_jobs_of_room, per_second=20),
    Operation("ListSmartLiveJobs", "GET", "/smart-live-jobs", live_jobs.list_jobs, per_second=20),
    Operation("ShowSmartLive", "GET", JOB, live_jobs.show_job),
    Operation("ExecuteSmartLiveCommand", "POST", f"{JOB}/command", commands.execute_command),
    Operation(
        "ListInsertCommands", "GET", f"{JOB}/command/insert-commands", commands.list_insert_commands
    ),
    Operation(
        "BatchConfirmLiveCommands",
        "POST",
        f"{JOB}/batch-commands-confirm",
        commands.confirm_commands,
    ),
    Operation(REPORT, "POST", f"{JOB}/live-event-report", audience_events.report_events),
    Operation("StopSmartLive", "POST", f"{JOB}/stop", live_jobs.stop_job),
    Operation(
        "ListSmartLiveRuleCommands",
        "GET",
        "/smart-live-command/rule-commands",
        commands.list_rule_commands,
    ),
    Operation(
        "ListSmartLiveScriptCommands",
        "GET",
        "/smart-live-command/script-commands",
        commands.list_script_commands,
    ),
    Operation("CreateInteractionRuleGroup", "POST", GROUPS, rules.create_group),
    Operation("ListInteractionRuleGroups", "GET", GROUPS, rules.list_groups),
    Operation(
        "ListInteractionRuleGroupsSummary", "GET", f"{GROUPS}-summary", rules.summarize_groups
    ),
    Operation("CreateInteractionRule", "POST", RULES, rules.create_rule),
    Operation("UpdateInteractionRule", "PUT", f"{RULES}/{{rule_id}}", rules.update_rule),
    Operation("DeleteInteractionRule", "DELETE", f"{RULES}/{{rule_id}}", rules.delete_rule),
    Operation("ShowInteractionRuleGroup", "GET", GROUP, rules.show_group),
    Operation("UpdateInteractionRuleGroup", "PUT", GROUP, rules.update_group),
    Operation("DeleteInteractionRuleGroup", "DELETE", GROUP, rules.delete_group),
    Operation("CreateLivePlatform", "POST", PLATFORMS, platforms.create_platform, per_second=1),
    Operation("ListLivePlatforms", "GET", PLATFORMS, platforms.list_platforms, per_second=20),
    Operation("ShowLivePlatform", "GET", PLATFORM, platforms.show_platform),
    Operation("UpdateLivePlatform", "PUT", PLATFORM, platforms.update_platform, per_second=1),
    Operation("DeleteLivePlatform", "DELETE", PLATFORM, platforms.delete_platform, per_second=1),
    Operation(
        "ShowLivePlatformAccessType",
        "GET",
        "/live-platforms/access-types",
        platforms.show_access_types,
    ),
    Operation(
        "ListLivePlatformProducts", "GET", "/live-platforms/products", platforms.list_products
    ),
    Operation("ShowSmartLiveUserConfig", "GET", USER_CONFIG, user_config.show_user_config),
    Operation("UpdateSmartLiveUserConfig", "PUT", USER_CONFIG, user_config.update_user_config),
)
"""All operations of this wire."""

_STEPS = tuple((op, f"/v1/{{project_id}}{op.path}".split("/")) for op in OPERATIONS)


def find_operation(method: str, path: bytes) -> tuple[Operation, dict[str, str]]:
    """Return the operation that a request is for, and the ids in its path.

    Args:
        method: In capitals.
        path: As received, percent-encoded: an encoded slash is part of an id.

    Raises:
        Refusal: there is none.
    """
    try:
        steps = [unquote(step, errors="strict") for step in path.decode("ascii").split("/")]
    except UnicodeDecodeError:
        raise Refusal(errors.NO_SUCH_API) from None
    has_path = False
    for operation, wanted in _STEPS:
        if len(wanted) != len(steps):
            continue
        pairs = [*zip(wanted, steps, strict=True)]
        if all(bool(step) if want[:1] == "{" else step == want for want, step in pairs):
            if operation.method == method:
                return operation, {want[1:-1]: step for want, step in pairs if want[:1] == "{"}
            has_path = True
    raise Refusal(errors.NO_SUCH_METHOD if has_path else errors.NO_SUCH_API)
