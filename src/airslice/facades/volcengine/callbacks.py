"""Wire structs of the callback settings, and what they mean to us.

Requests spell AppID, BusinessId and BusinessID as they like: every spelling is read everywhere.

Source: volc-sdk-golang `service/rtc/v20201201/model.go` (CreateCallbackBody and its neighbours).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import msgspec

from airslice.domain.callback import CallbackReceiver, CallbackSetting
from airslice.facades.http.refusals import Refusal
from airslice.facades.volcengine import errors
from airslice.facades.volcengine.envelope import DEFAULT_REGION
from airslice.facades.volcengine.fields import (
    REQUIRED,
    Id,
    RequiredId,
    RequiredText,
    optional_id,
    required,
    required_app_id,
)

MASKED_SECRET = "******"  # noqa: S105 - shown in place of one
"""What GetCallback shows, and UpdateCallback takes for "as it is"."""


class CallbackRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Body of DeleteCallback and query of GetCallback: the setting's application and business."""

    app_id: RequiredId | None = msgspec.field(name="AppId", default=None)
    app_id_too: Id | None = msgspec.field(name="AppID", default=None)
    business_id: Id | None = msgspec.field(name="BusinessId", default=None)
    business_id_too: Id | None = msgspec.field(name="BusinessID", default=None)

    def app(self) -> str:
        """Return the application's id."""
        return required_app_id(self.app_id or self.app_id_too)

    def business(self) -> str:
        """Return the business's id; empty text stands for the application as a whole."""
        return optional_id("BusinessId", self.business_id or self.business_id_too) or ""


class CallbackBody(CallbackRequest, frozen=True, kw_only=True):
    """Body of UpdateCallback."""

    event_list: Annotated[list[str], REQUIRED] | None = msgspec.field(
        name="EventList", default=None
    )
    secret_key: str | None = msgspec.field(name="SecretKey", default=None)
    url: RequiredText | None = msgspec.field(name="URL", default=None)

    @property
    def keeps_secret(self) -> bool:
        """Whether an update leaves the secret as it is."""
        return self.secret_key in (None, "", MASKED_SECRET)

    def setting(self) -> CallbackSetting:
        """Return the new setting, without times, which are not the caller's to say."""
        app_id = self.app()
        if self.event_list is None:
            raise Refusal(errors.MISSING_PARAMETER, "EventList")
        return CallbackSetting(
            app_id=app_id,
            business_id=self.business(),
            receiver=CallbackReceiver(url=required("URL", self.url), secret=self.secret_key or ""),
            event_types=tuple(dict.fromkeys(self.event_list)),
            created_at_ms=0,
            updated_at_ms=0,
        )


class NewCallback(CallbackBody, frozen=True, kw_only=True):
    """Body of CreateCallback, where the secret has to be given."""

    secret_key: RequiredText | None = msgspec.field(name="SecretKey", default=None)

    def setting(self) -> CallbackSetting:
        """Return the new setting, which must have a secret."""
        required("SecretKey", self.secret_key)
        return super().setting()


class CallbackView(msgspec.Struct, rename="pascal", frozen=True, kw_only=True):
    """A setting, as an element of a list."""

    account_id: str
    app_id: str
    business_id: str
    created_at: str
    event_list: list[str]
    region: str
    secret_key: str
    url: str = msgspec.field(name="URL")
    updated_at: str


class CallbackResult(msgspec.Struct, rename="pascal", frozen=True, kw_only=True):
    """Result of GetCallback: all settings, and that of the application as a whole once more."""

    account_id: str
    app_id: str
    business_id: str
    callbacks: list[CallbackView]
    created_at: str
    event_list: str
    """A list of names, as JSON text."""
    region: str
    secret_key: str
    url: str = msgspec.field(name="URL")
    updated_at: str


def callback_result(
    account_id: str, app_id: str, settings: Sequence[CallbackSetting]
) -> CallbackResult:
    """Show the settings of an application, without their secrets."""
    views = [_view(account_id, setting) for setting in settings]
    whole = next((view for view in views if not view.business_id), None)
    return CallbackResult(
        account_id=account_id,
        app_id=app_id,
        business_id="",
        callbacks=views,
        created_at=whole.created_at if whole else "",
        event_list=msgspec.json.encode(whole.event_list if whole else []).decode(),
        region=DEFAULT_REGION,
        secret_key=whole.secret_key if whole else "",
        url=whole.url if whole else "",
        updated_at=whole.updated_at if whole else "",
    )


def _view(account_id: str, setting: CallbackSetting) -> CallbackView:
    return CallbackView(
        account_id=account_id,
        app_id=setting.app_id,
        business_id=setting.business_id,
        created_at=_rfc3339(setting.created_at_ms),
        event_list=list(setting.event_types),
        region=DEFAULT_REGION,
        secret_key=MASKED_SECRET if setting.receiver.secret else "",
        url=setting.receiver.url,
        updated_at=_rfc3339(setting.updated_at_ms),
    )


def _rfc3339(time_ms: int) -> str:
    """Write a time in whole seconds; nothing for a setting that no request made."""
    if not time_ms:
        return ""
    return datetime.fromtimestamp(time_ms // 1000, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
