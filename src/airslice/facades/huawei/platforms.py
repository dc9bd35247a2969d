"""Live platforms: wire structs ↔ the domain's values."""

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
from airslice.facades.huawei.fields import Id, Name, Text256, WindowQuery, Wire

AUTHORIZED = "AUTHORIZED"
"""Platforms are their owners' own: nobody else need allow anything."""


class CustomPlatformAuthConfig(Wire, frozen=True, kw_only=True):
    """The key that signs calls to a platform."""

    key: Name


class UpdateCustomPlatformAuthConfig(Wire, frozen=True, kw_only=True):
    """What signs calls of a platform; without a key, the former one is kept."""

    key: Text256 | None = None


class StandardPlatformApiConfig(Wire, frozen=True, kw_only=True):
    """Where a platform takes one kind of call."""

    api_type: PlatformApi
    url: Annotated[str, Meta(min_length=1, max_length=2_048, pattern="^https?://")]

    @classmethod
    def of(cls, callback: PlatformCallback) -> StandardPlatformApiConfig:
        """Show an address."""
        return cls(api_type=callback.api, url=callback.url)


Callbacks = Annotated[list[StandardPlatformApiConfig], Meta(max_length=10)]


class CreateLivePlatformReq(Wire, frozen=True, kw_only=True):
    """A platform."""

    name: Name
    auth_config: CustomPlatformAuthConfig
    callback_config: Callbacks

    def draft(self) -> PlatformDraft:
        """Return what is given."""
        return _draft(self.name, self.auth_config.key, self.callback_config)


class UpdateLivePlatformReq(Wire, frozen=True, kw_only=True):
    """A platform as it shall be."""

    name: Name
    auth_config: UpdateCustomPlatformAuthConfig | None = None
    callback_config: Callbacks

    def draft(self) -> PlatformDraft:
        """Return what is given."""
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
        """Show a platform."""
        return cls(
            platform_id=platform.platform_id,
            access_type=platform.access_type,
            name=platform.name,
            authorization_info=PlatformAuthorizationInfo(authorize_state=AUTHORIZED),
            auth_config=CustomPlatformAuthConfig(key=platform.key),
            callback_config=[StandardPlatformApiConfig.of(c) for c in platform.callbacks],
        )


class LivePlatformsQuery(WindowQuery, frozen=True, kw_only=True):
    """Which platforms are wanted."""

    access_type: AccessType | None = None


class LivePlatforms(Wire, frozen=True, kw_only=True):
    """Some platforms."""

    live_platforms: list[LivePlatformInfo]


class AccessTypesQuery(WindowQuery, frozen=True, kw_only=True):
    """Which access types are wanted."""

    used: bool = False


class AccessTypes(Wire, frozen=True, kw_only=True):
    """Some access types."""

    access_types: list[AccessType]


class LivePlatformProductsQuery(WindowQuery, frozen=True, kw_only=True):
    """Whose products are wanted."""

    platform_id: Id
    live_id: Annotated[str, Meta(max_length=256, pattern="^[A-Za-z0-9_-]*$")]


class PlatformProductInfo(Wire, frozen=True, kw_only=True):
    """Something that a platform sells."""

    product_id: str | None = None
    product_title: str | None = None

    @classmethod
    def of(cls, product: Product) -> PlatformProductInfo:
        """Show a product."""
        return cls(product_id=product.product_id, product_title=product.title)


class LivePlatformProducts(Wire, frozen=True, kw_only=True):
    """Some products; how many there are is said with the first of them."""

    count: int | None = None
    products: list[PlatformProductInfo]


def _draft(name: str, key: str | None, callbacks: list[StandardPlatformApiConfig]) -> PlatformDraft:
    return PlatformDraft(
        name=name,
        key=key,
        callbacks=tuple(PlatformCallback(api=c.api_type, url=c.url) for c in callbacks),
    )
