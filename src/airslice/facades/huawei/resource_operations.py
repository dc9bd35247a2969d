"""The operations on rule libraries, live platforms and a project's configuration."""

from __future__ import annotations

from airslice.facades.huawei.calls import Call, UseCases
from airslice.facades.huawei.fields import NoBody, NoQuery
from airslice.facades.huawei.platforms import (
    AccessTypes,
    AccessTypesQuery,
    CreateLivePlatformReq,
    LivePlatformInfo,
    LivePlatformProducts,
    LivePlatformProductsQuery,
    LivePlatforms,
    LivePlatformsQuery,
    PlatformId,
    PlatformProductInfo,
    UpdateLivePlatformReq,
)
from airslice.facades.huawei.rules import (
    KEPT_BY_UPDATES,
    CreateInteractionRuleReq,
    InteractionRuleDetailInfo,
    InteractionRuleGroup,
    InteractionRuleGroupDetail,
    InteractionRuleGroupId,
    InteractionRuleGroups,
    InteractionRuleGroupsQuery,
    InteractionRuleGroupSummaries,
    InteractionRuleGroupSummary,
)
from airslice.facades.huawei.user_config import SmartLiveUserConfig, UpdateSmartLiveUserConfigReq

Nothing = Call[NoQuery, NoBody]


async def create_group(
    use_cases: UseCases, call: Call[NoQuery, InteractionRuleGroup]
) -> InteractionRuleGroupId:
    """Make a library of interaction rules."""
    drafts = call.body.drafts() or ()
    group = await use_cases.rules.create_group(call.project_id, call.body.group_name, drafts)
    return InteractionRuleGroupId(group_id=group.group_id)


async def list_groups(
    use_cases: UseCases, call: Call[InteractionRuleGroupsQuery, NoBody]
) -> InteractionRuleGroups:
    """List libraries of interaction rules."""
    found = await use_cases.rules.list_groups(call.project_id, call.query.query())
    shown = [InteractionRuleGroupDetail.of_group(group, with_rules=False) for group in found.items]
    return InteractionRuleGroups(count=found.count, interaction_rule_groups=shown)


async def summarize_groups(
    use_cases: UseCases, call: Call[InteractionRuleGroupsQuery, NoBody]
) -> InteractionRuleGroupSummaries:
    """List libraries of interaction rules by their names."""
    found = await use_cases.rules.list_groups(call.project_id, call.query.query())
    shown = [InteractionRuleGroupSummary.of(group) for group in found.items]
    return InteractionRuleGroupSummaries(count=found.count, interaction_rule_groups=shown)


async def show_group(use_cases: UseCases, call: Nothing) -> InteractionRuleGroupDetail:
    """Show a library of interaction rules."""
    group = await use_cases.rules.show_group(call.project_id, call.ids["group_id"])
    return InteractionRuleGroupDetail.of_group(group, with_rules=True)


async def update_group(
    use_cases: UseCases, call: Call[NoQuery, InteractionRuleGroup]
) -> InteractionRuleGroupDetail:
    """Change a library of interaction rules."""
    group = await use_cases.rules.update_group(
        call.project_id, call.ids["group_id"], call.body.group_name, call.body.drafts()
    )
    return InteractionRuleGroupDetail.of_group(group, with_rules=True)


async def delete_group(use_cases: UseCases, call: Nothing) -> NoBody:
    """Delete a library of interaction rules."""
    await use_cases.rules.remove_group(call.project_id, call.ids["group_id"])
    return NoBody()


async def create_rule(
    use_cases: UseCases, call: Call[NoQuery, CreateInteractionRuleReq]
) -> InteractionRuleDetailInfo:
    """Add a rule to a library."""
    document = call.body.document()
    return InteractionRuleDetailInfo.of(
        await use_cases.rules.create_rule(call.project_id, call.ids["group_id"], document)
    )


async def update_rule(
    use_cases: UseCases, call: Call[NoQuery, CreateInteractionRuleReq]
) -> InteractionRuleDetailInfo:
    """Replace a rule of a library."""
    group_id, rule_id = call.ids["group_id"], call.ids["rule_id"]
    return InteractionRuleDetailInfo.of(
        await use_cases.rules.update_rule(
            call.project_id, group_id, rule_id, call.body.document(), kept=KEPT_BY_UPDATES
        )
    )


async def delete_rule(use_cases: UseCases, call: Nothing) -> NoBody:
    """Delete a rule of a library."""
    await use_cases.rules.remove_rule(call.project_id, call.ids["group_id"], call.ids["rule_id"])
    return NoBody()


async def create_platform(
    use_cases: UseCases, call: Call[NoQuery, CreateLivePlatformReq]
) -> PlatformId:
    """Make a live platform known."""
    platform = await use_cases.platforms.create(call.project_id, call.body.draft())
    return PlatformId(platform_id=platform.platform_id)


async def list_platforms(
    use_cases: UseCases, call: Call[LivePlatformsQuery, NoBody]
) -> LivePlatforms:
    """List live platforms."""
    found = await use_cases.platforms.list(
        call.project_id,
        access_type=call.query.access_type,
        offset=call.query.offset,
        limit=call.query.limit,
    )
    return LivePlatforms(live_platforms=[LivePlatformInfo.of(item) for item in found.items])


async def show_platform(use_cases: UseCases, call: Nothing) -> LivePlatformInfo:
    """Show a live platform."""
    platform = await use_cases.platforms.show(call.project_id, call.ids["platform_id"])
    return LivePlatformInfo.of(platform)


async def update_platform(
    use_cases: UseCases, call: Call[NoQuery, UpdateLivePlatformReq]
) -> PlatformId:
    """Change a live platform."""
    platform = await use_cases.platforms.update(
        call.project_id, call.ids["platform_id"], call.body.draft()
    )
    return PlatformId(platform_id=platform.platform_id)


async def delete_platform(use_cases: UseCases, call: Nothing) -> NoBody:
    """Forget a live platform."""
    await use_cases.platforms.remove(call.project_id, call.ids["platform_id"])
    return NoBody()


async def show_access_types(
    use_cases: UseCases, call: Call[AccessTypesQuery, NoBody]
) -> AccessTypes:
    """List the interfaces that live platforms can have."""
    query = call.query
    found = await use_cases.platforms.access_types(call.project_id, used_only=query.used)
    return AccessTypes(access_types=list(found[query.offset : query.offset + query.limit]))


async def list_products(
    use_cases: UseCases, call: Call[LivePlatformProductsQuery, NoBody]
) -> LivePlatformProducts:
    """Ask a live platform what it sells in a broadcast."""
    query = call.query
    found = await use_cases.platforms.products(
        call.project_id,
        query.platform_id,
        query.live_id,
        offset=query.offset,
        limit=query.limit,
    )
    return LivePlatformProducts(
        count=None if query.offset else found.count,
        products=[PlatformProductInfo.of(product) for product in found.items],
    )


async def show_user_config(use_cases: UseCases, call: Nothing) -> SmartLiveUserConfig:
    """Show what a project has set for all its broadcasts."""
    return SmartLiveUserConfig.of(await use_cases.user_configs.show(call.project_id))


async def update_user_config(
    use_cases: UseCases, call: Call[NoQuery, UpdateSmartLiveUserConfigReq]
) -> NoBody:
    """Change what a project has set for all its broadcasts."""
    asked = call.body
    live_exit, callback = asked.live_exit_config, asked.live_event_callback_config
    notify = asked.live_notify_config
    await use_cases.user_configs.update(
        call.project_id,
        live_exit=live_exit.live_exit() if live_exit else None,
        callback=callback.callback() if callback else None,
        notify=notify.change() if notify else None,
    )
    return NoBody()
