"""Owners' own systems, which know products and want to hear of events."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial

import pytest

from airslice.application.catalogue import live_platforms
from airslice.application.catalogue.live_platforms import LivePlatforms
from airslice.application.ports.live import Page
from airslice.application.wall_clock import WallClock
from airslice.delivery.destination import validate_url
from airslice.domain.destination import AddressRule
from airslice.domain.errors import InvalidInput, LivePlatformNotFound, QuotaExceeded
from airslice.domain.live_platform import (
    AccessType,
    PlatformApi,
    PlatformCallback,
    PlatformDraft,
    Product,
)
from tests.support.memory.live_resources import MemoryLivePlatformStore
from tests.support.stages.stage import HandClock
from tests.support.values.live_values import PROJECT

QUERY = PlatformCallback(api=PlatformApi.PRODUCT_QUERY, url="https://shop.example.com/products")
EVENTS = PlatformCallback(api=PlatformApi.LIVE_EVENT_CALLBACK, url="https://shop.example.com/live")
DRAFT = PlatformDraft(name="shop", key="key", callbacks=(QUERY, EVENTS))


@dataclass
class Shop:
    """Answers every question, and remembers it (port `PlatformProducts`)."""

    asked: list[tuple[str, str, str, int, int]] = field(default_factory=list)

    async def products(
        self, url: str, key: str, *, live_id: str, offset: int, limit: int
    ) -> Page[Product]:
        self.asked.append((url, key, live_id, offset, limit))
        return Page(1, (Product("1", "tea"),))


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def platforms(shop: Shop, clock: HandClock) -> LivePlatforms:
    return LivePlatforms(
        platforms=MemoryLivePlatformStore(),
        products=shop,
        check_url=partial(validate_url, rule=AddressRule()),
        wall_clock=WallClock(clock),
    )


async def test_a_platform_is_made_and_shown(platforms: LivePlatforms) -> None:
    platform = await platforms.create(PROJECT, DRAFT)

    assert await platforms.show(PROJECT, platform.platform_id) == platform
    assert (platform.name, platform.key, platform.callbacks) == ("shop", "key", (QUERY, EVENTS))
    assert platform.access_type is AccessType.MSS_STANDARD


async def test_one_callback_is_kept_for_each_api(platforms: LivePlatforms) -> None:
    other = replace(QUERY, url="https://other.example.com/")

    platform = await platforms.create(PROJECT, replace(DRAFT, callbacks=(QUERY, EVENTS, other)))

    assert set(platform.callbacks) == {other, EVENTS}
    assert platform.url(PlatformApi.PRODUCT_QUERY) == other.url


async def test_an_update_replaces_all_but_a_key_that_is_not_given(
    platforms: LivePlatforms, clock: HandClock
) -> None:
    platform = await platforms.create(PROJECT, DRAFT)
    clock.now_ns += 1_000_000
    without_key = PlatformDraft(name="new", callbacks=(EVENTS,))

    changed = await platforms.update(PROJECT, platform.platform_id, without_key)

    assert changed == replace(
        platform, name="new", callbacks=(EVENTS,), updated_at_ms=platform.created_at_ms + 1
    )
    rekeyed = await platforms.update(
        PROJECT, platform.platform_id, replace(without_key, key="other")
    )
    assert rekeyed == replace(changed, key="other")
    assert await platforms.show(PROJECT, platform.platform_id) == rekeyed


async def test_platforms_are_listed_by_access_type_and_page(platforms: LivePlatforms) -> None:
    made = [await platforms.create(PROJECT, DRAFT) for _ in range(3)]

    standard = await platforms.list(PROJECT, access_type=AccessType.MSS_STANDARD)
    of_meituan = await platforms.list(PROJECT, access_type=AccessType.MEITUAN_OFFICIAL)

    assert await platforms.list(PROJECT, offset=1, limit=1) == Page(3, (made[1],))
    assert (standard, of_meituan) == (Page(3, tuple(made)), Page(0, ()))


async def test_access_types_are_all_or_those_in_use(platforms: LivePlatforms) -> None:
    assert await platforms.access_types(PROJECT, used_only=False) == tuple(AccessType)
    assert await platforms.access_types(PROJECT, used_only=True) == ()

    await platforms.create(PROJECT, DRAFT)

    assert await platforms.access_types(PROJECT, used_only=True) == (AccessType.MSS_STANDARD,)


async def test_a_platform_is_asked_for_products_where_it_wants_to_be(
    platforms: LivePlatforms, shop: Shop
) -> None:
    platform = await platforms.create(PROJECT, DRAFT)

    page = await platforms.products(PROJECT, platform.platform_id, "live", offset=2, limit=3)

    assert page == Page(1, (Product("1", "tea"),))
    assert shop.asked == [(QUERY.url, "key", "live", 2, 3)]


async def test_a_platform_without_an_address_for_it_is_not_asked(platforms: LivePlatforms) -> None:
    platform = await platforms.create(PROJECT, replace(DRAFT, callbacks=(EVENTS,)))

    with pytest.raises(InvalidInput, match="PRODUCT_QUERY"):
        await platforms.products(PROJECT, platform.platform_id, "live", offset=0, limit=1)


@pytest.mark.parametrize("url", ["https://127.0.0.1/", "ftp://shop.example.com/", "nonsense"])
async def test_addresses_that_must_not_be_called_are_refused(
    platforms: LivePlatforms, url: str
) -> None:
    bad = replace(DRAFT, callbacks=(EVENTS, replace(QUERY, url=url)))
    platform = await platforms.create(PROJECT, DRAFT)

    with pytest.raises(InvalidInput, match="platform_address"):
        await platforms.create(PROJECT, bad)
    with pytest.raises(InvalidInput, match="platform_address"):
        await platforms.update(PROJECT, platform.platform_id, bad)

    assert (await platforms.list(PROJECT)).items == (platform,)


async def test_a_platform_needs_a_key(platforms: LivePlatforms) -> None:
    with pytest.raises(InvalidInput, match="key"):
        await platforms.create(PROJECT, replace(DRAFT, key=None))


async def test_only_its_project_knows_a_platform(platforms: LivePlatforms) -> None:
    platform = await platforms.create(PROJECT, DRAFT)
    name = platform.platform_id

    for attempt in (
        platforms.show("other", name),
        platforms.update("other", name, DRAFT),
        platforms.remove("other", name),
        platforms.products("other", name, "live", offset=0, limit=1),
    ):
        with pytest.raises(LivePlatformNotFound):
            await attempt

    await platforms.remove(PROJECT, name)
    with pytest.raises(LivePlatformNotFound):
        await platforms.remove(PROJECT, name)


async def test_a_project_has_a_bounded_number_of_platforms(
    platforms: LivePlatforms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_platforms, "MAX_PLATFORMS", 1)
    await platforms.create(PROJECT, DRAFT)

    with pytest.raises(QuotaExceeded, match="at most 1"):
        await platforms.create(PROJECT, DRAFT)

    await platforms.create("other", DRAFT)


async def test_no_secret_is_in_a_repr(platforms: LivePlatforms) -> None:
    secret = PlatformCallback(api=PlatformApi.PRODUCT_QUERY, url="https://example.com/?k=SECRET")
    draft = PlatformDraft(name="shop", key="SECRET", callbacks=(secret,))

    assert "SECRET" not in repr(draft)
    assert "SECRET" not in repr(await platforms.create(PROJECT, draft))
