"""Live platforms: owners' own systems, which know products and want to hear of events."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace

from airslice.application.ports.live import LivePlatformStore, Page, PlatformProducts
from airslice.application.wall_clock import WallClock
from airslice.domain.errors import InvalidInput, LivePlatformNotFound, QuotaExceeded
from airslice.domain.fields import LiveField
from airslice.domain.live_platform import (
    AccessType,
    LivePlatform,
    PlatformApi,
    PlatformCallback,
    PlatformDraft,
    Product,
)

MAX_PLATFORMS = 100
"""How many platforms a project can have."""


class LivePlatforms:
    """The live platforms of all projects.

    Whatever names a platform raises LivePlatformNotFound if the project has no such platform.
    """

    def __init__(
        self,
        *,
        platforms: LivePlatformStore,
        products: PlatformProducts,
        check_url: Callable[[str], object],
        wall_clock: WallClock,
    ) -> None:
        """Begin with what `platforms` remembers; `wall_clock` dates changes.

        `check_url` raises ValueError, saying why, for a URL that must not be called.
        """
        self._platforms = platforms
        self._products = products
        self._check_url = check_url
        self._wall_clock = wall_clock
        self._changing = asyncio.Lock()

    async def create(self, project_id: str, draft: PlatformDraft) -> LivePlatform:
        """Make a platform.

        Raises:
            InvalidInput: a URL must not be called, or the key is missing.
            QuotaExceeded: the project has `MAX_PLATFORMS`.
        """
        if draft.key is None:
            raise InvalidInput(LiveField.PLATFORM_KEY, "is missing")
        callbacks = self._checked(draft.callbacks)
        if len(await self._platforms.platforms(project_id)) >= MAX_PLATFORMS:
            raise QuotaExceeded(f"a project has at most {MAX_PLATFORMS} live platforms")
        now_ms = self._wall_clock.utc_ms()
        platform = LivePlatform(
            platform_id=str(uuid.uuid4()),
            project_id=project_id,
            name=draft.name,
            key=draft.key,
            callbacks=callbacks,
            created_at_ms=now_ms,
            updated_at_ms=now_ms,
        )
        await self._platforms.save_platform(platform)
        return platform

    async def show(self, project_id: str, platform_id: str) -> LivePlatform:
        """Return a platform."""
        platform = await self._platforms.find_platform(project_id, platform_id)
        if platform is None:
            raise LivePlatformNotFound(f"there is no live platform {platform_id}")
        return platform

    async def list(
        self,
        project_id: str,
        *,
        access_type: AccessType | None = None,
        offset: int = 0,
        limit: int = 10,
    ) -> Page[LivePlatform]:
        """Return platforms, the earliest created first."""
        found = [
            platform
            for platform in await self._platforms.platforms(project_id)
            if access_type in (None, platform.access_type)
        ]
        return Page(len(found), tuple(found[offset : offset + limit]))

    async def update(self, project_id: str, platform_id: str, draft: PlatformDraft) -> LivePlatform:
        """Replace a platform; without a key in `draft`, but for its key.

        Raises:
            InvalidInput: a URL must not be called.
        """
        callbacks = self._checked(draft.callbacks)
        async with self._changing:
            former = await self.show(project_id, platform_id)
            changed = replace(
                former,
                name=draft.name,
                key=former.key if draft.key is None else draft.key,
                callbacks=callbacks,
                updated_at_ms=self._wall_clock.utc_ms(),
            )
            await self._platforms.save_platform(changed)
        return changed

    async def remove(self, project_id: str, platform_id: str) -> None:
        """Remove a platform."""
        async with self._changing:
            await self.show(project_id, platform_id)
            await self._platforms.remove_platform(project_id, platform_id)

    async def access_types(self, project_id: str, *, used_only: bool) -> tuple[AccessType, ...]:
        """Return whose interfaces platforms can speak; `used_only`: those of the project's do."""
        if not used_only:
            return tuple(AccessType)
        used = {platform.access_type for platform in await self._platforms.platforms(project_id)}
        return tuple(access_type for access_type in AccessType if access_type in used)

    async def products(
        self, project_id: str, platform_id: str, live_id: str, *, offset: int, limit: int
    ) -> Page[Product]:
        """Ask a platform what it sells in one of its broadcasts.

        Raises:
            InvalidInput: the platform has no address for this question.
            LivePlatformFailed: it does not answer, or in a form that cannot be read.
        """
        platform = await self.show(project_id, platform_id)
        url = platform.url(PlatformApi.PRODUCT_QUERY)
        if url is None:
            problem = f"the platform has no callback for {PlatformApi.PRODUCT_QUERY}"
            raise InvalidInput(LiveField.PLATFORM, problem)
        return await self._products.products(
            url, platform.key, live_id=live_id, offset=offset, limit=limit
        )

    def _checked(self, callbacks: Sequence[PlatformCallback]) -> tuple[PlatformCallback, ...]:
        """Return the callbacks that are kept: of each API the last."""
        for callback in callbacks:
            try:
                self._check_url(callback.url)
            except ValueError as error:
                raise InvalidInput(LiveField.PLATFORM_ADDRESS, str(error)) from None
        return tuple({callback.api: callback for callback in callbacks}.values())
