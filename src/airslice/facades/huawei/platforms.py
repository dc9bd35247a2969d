"""Live platforms: wire structs, and what the operations on them call."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from airslice.domain.live_platform import (
    AccessType,
    LivePlatform,
    PlatformApi,
    PlatformCallback,
    PlatformDraft,
    Product,
)
from airslice.facades.huawei.calls import Call
from airslice.facades.huawei.fields import Id, Name, NoBody, NoQuery, Text256, WindowQuery, Wire

AUTHORIZED = "AUTHORIZED"
"""State of every platform: it is its owner's own, and nobody else need allow anything."""


class CustomPlatformAuthConfig(Wire, frozen=True, kw_only=True):
    """The key that signs calls to a platform."""

    key: Name


class UpdateCustomPlatformAuthConfig(Wire, frozen=True, kw_only=True):
    """The key that signs calls to a platform from now on; without one, the former stays."""

    key: Text256 | None = None


class StandardPlatformApiConfig(Wire, frozen=True, kw_only=True):
    """Where a platform takes one kind of call."""

    api_type: PlatformApi
    url: Annotated[str, Meta(min_length=1, max_length=2_048, pattern="^https?://")]

    @classmethod
    def of(cls, callback: PlatformCallback) -> StandardPlatformApiConfig:
        """Return what shows the address of one kind of call."""
        return cls(api_type=callback.api, url=callback.url)


Callbacks = Annotated[list[StandardPlatformApiConfig], Meta(max_length=10)]


class CreateLivePlatformReq(Wire, frozen=True, kw_only=True):
    """A platform that is to be made known."""

    name: Name
    auth_config: CustomPlatformAuthConfig
    callback_config: Callbacks

    def draft(self) -> PlatformDraft:
        """Return the contents of the platform."""
        return _draft(self.name, self.auth_config.key, self.callback_config)


class UpdateLivePlatformReq(Wire, frozen=True, kw_only=True):
    """A platform as it is to be from now on."""

    name: Name
    auth_config: UpdateCustomPlatformAuthConfig | None = None
    callback_config: Callbacks

    def draft(self) -> PlatformDraft:
        """Return the new contents of the platform; its key is None if the former stays."""
        key = self.auth_config.key if self.auth_config else None
        return _draft(self.name, key or None, self.callback_config)


class PlatformId(Wire, frozen=True, kw_only=True):
    """Which platform was made or changed."""

    platform_id: str


class PlatformAuthorizationInfo(Wire, frozen=True, kw_only=True):
    """Whether a platform may be used."""

    authorize_state: str | None = None
    authorized_time: str | None = None
    expire_time: str | None = None
    account: str | None = None


class LivePlatformInfo(Wire, frozen=True, kw_only=True):
    """A platform as it stands."""

    platform_id: str | None = None
    access_type: AccessType | None = None
    name: str | None = None
    authorization_info: PlatformAuthorizationInfo | None = None
    auth_config: CustomPlatformAuthConfig | None = None
    callback_config: list[StandardPlatformApiConfig] | None = None

    @classmethod
    def of(cls, platform: LivePlatform) -> LivePlatformInfo:
        """Return what shows a platform to its owner."""
        return cls(
            platform_id=platform.platform_id,
            access_type=platform.access_type,
            name=platform.name,
            authorization_info=PlatformAuthorizationInfo(authorize_state=AUTHORIZED),
            auth_config=CustomPlatformAuthConfig(key=platform.key),
            callback_config=[StandardPlatformApiConfig.of(c) for c in platform.callbacks],
        )


class LivePlatformsQuery(WindowQuery, frozen=True, kw_only=True):
    """Which platforms are asked for."""

    access_type: AccessType | None = None


class LivePlatforms(Wire, frozen=True, kw_only=True):
    """A part of a project's platforms."""

    live_platforms: list[LivePlatformInfo]


class AccessTypesQuery(WindowQuery, frozen=True, kw_only=True):
    """Which access types are asked for."""

    used: bool = False


class AccessTypes(Wire, frozen=True, kw_only=True):
    """A part of the access types."""

    access_types: list[AccessType]


class LivePlatformProductsQuery(WindowQuery, frozen=True, kw_only=True):
    """Which platform and broadcast products are asked of."""

    platform_id: Id
    live_id: Annotated[str, Meta(max_length=256, pattern="^[A-Za-z0-9_-]*$")]


class PlatformProductInfo(Wire, frozen=True, kw_only=True):
    """A product that a platform sells."""

    product_id: str | None = None
    product_title: str | None = None

    @classmethod
    def of(cls, product: Product) -> PlatformProductInfo:
        """Return what shows a product."""
        return cls(product_id=product.product_id, product_title=product.title)


class LivePlatformProducts(Wire, frozen=True, kw_only=True):
    """A part of a broadcast's products; the first part says how many there are in all."""

    count: int | None = None
    products: list[PlatformProductInfo]


def _draft(name: str, key: str | None, callbacks: list[StandardPlatformApiConfig]) -> PlatformDraft:
    return PlatformDraft(
        name=name,
        key=key,
        callbacks=tuple(PlatformCallback(api=c.api_type, url=c.url) for c in callbacks),
    )


async def create_platform(call: Call[NoQuery, CreateLivePlatformReq]) -> PlatformId:
    """Make a live platform known."""
    platform = await call.use_cases.platforms.create(call.project_id, call.body.draft())
    return PlatformId(platform_id=platform.platform_id)


async def list_platforms(call: Call[LivePlatformsQuery, NoBody]) -> LivePlatforms:
    """List live platforms."""
    found = await call.use_cases.platforms.list(
        call.project_id,
        access_type=call.query.access_type,
        offset=call.query.offset,
        limit=call.query.limit,
    )
    return LivePlatforms(live_platforms=[LivePlatformInfo.of(item) for item in found.items])


async def show_platform(call: Call[NoQuery, NoBody]) -> LivePlatformInfo:
    """Show a live platform."""
    platform = await call.use_cases.platforms.show(call.project_id, call.ids["platform_id"])
    return LivePlatformInfo.of(platform)


async def update_platform(call: Call[NoQuery, UpdateLivePlatformReq]) -> PlatformId:
    """Change a live platform."""
    platform = await call.use_cases.platforms.update(
        call.project_id, call.ids["platform_id"], call.body.draft()
    )
    return PlatformId(platform_id=platform.platform_id)


async def delete_platform(call: Call[NoQuery, NoBody]) -> NoBody:
    """Forget a live platform."""
    await call.use_cases.platforms.remove(call.project_id, call.ids["platform_id"])
    return NoBody()


async def show_access_types(call: Call[AccessTypesQuery, NoBody]) -> AccessTypes:
    """List the interfaces that live platforms can have."""
    query = call.query
    found = await call.use_cases.platforms.access_types(call.project_id, used_only=query.used)
    return AccessTypes(access_types=list(found[query.offset : query.offset + query.limit]))


async def list_products(call: Call[LivePlatformProductsQuery, NoBody]) -> LivePlatformProducts:
    """Ask a live platform what it sells in a broadcast."""
    query = call.query
    found = await call.use_cases.platforms.products(
        call.project_id, query.platform_id, query.live_id, offset=query.offset, limit=query.limit
    )
    return LivePlatformProducts(
        count=None if query.offset else found.count,
        products=[PlatformProductInfo.of(product) for product in found.items],
    )
