"""Groups of rules, live platforms and projects' settings in memory, for tests and trials."""

from __future__ import annotations

from dataclasses import replace

from airslice.application.ports.live import GroupQuery, Page
from airslice.domain.interaction_rules import RuleGroup
from airslice.domain.live_platform import LivePlatform
from airslice.domain.live_user_config import LiveUserConfig
from tests.support.memory.live_jobs import is_within


class MemoryRuleGroupStore:
    """A RuleGroupStore that forgets everything with the process."""

    def __init__(self) -> None:
        self._groups: dict[tuple[str, str], RuleGroup] = {}

    async def save_group(self, group: RuleGroup) -> None:
        """Insert or replace a group, with all its rules."""
        self._groups[group.project_id, group.group_id] = group

    async def find_group(self, project_id: str, group_id: str) -> RuleGroup | None:
        """Return a group of a project."""
        return self._groups.get((project_id, group_id))

    async def remove_group(self, project_id: str, group_id: str) -> None:
        """Remove a group; there need not be one."""
        self._groups.pop((project_id, group_id), None)

    async def groups(self, project_id: str, query: GroupQuery) -> Page[RuleGroup]:
        """Return groups of a project, without their rules."""
        found = [
            replace(group, rules=())
            for group in self._groups.values()
            if group.project_id == project_id
            and query.name.casefold() in group.name.casefold()
            and is_within(query.window, group.created_at_ms)
        ]
        found.sort(key=lambda group: group.created_at_ms)
        first = query.window.offset
        return Page(len(found), tuple(found[first : first + query.window.limit]))


class MemoryLivePlatformStore:
    """A LivePlatformStore that forgets everything with the process."""

    def __init__(self) -> None:
        self._platforms: dict[tuple[str, str], LivePlatform] = {}

    async def save_platform(self, platform: LivePlatform) -> None:
        """Insert or replace a platform."""
        self._platforms[platform.project_id, platform.platform_id] = platform

    async def find_platform(self, project_id: str, platform_id: str) -> LivePlatform | None:
        """Return a platform of a project."""
        return self._platforms.get((project_id, platform_id))

    async def remove_platform(self, project_id: str, platform_id: str) -> None:
        """Remove a platform; there need not be one."""
        self._platforms.pop((project_id, platform_id), None)

    async def platforms(self, project_id: str) -> list[LivePlatform]:
        """Return all platforms of a project, the earliest created first."""
        found = [p for p in self._platforms.values() if p.project_id == project_id]
        return sorted(found, key=lambda platform: platform.created_at_ms)


class MemoryLiveUserConfigStore:
    """A LiveUserConfigStore that forgets everything with the process."""

    def __init__(self) -> None:
        self._configs: dict[str, LiveUserConfig] = {}

    async def save_config(self, config: LiveUserConfig) -> None:
        """Insert or replace the setting of a project."""
        self._configs[config.project_id] = config

    async def find_config(self, project_id: str) -> LiveUserConfig | None:
        """Return the setting of a project."""
        return self._configs.get(project_id)
