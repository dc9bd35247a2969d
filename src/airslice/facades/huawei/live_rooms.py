"""Live rooms: wire structs, and what the operations on one of them call."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta

from airslice.domain.live_room import (
    ConfirmState,
    LiveRoom,
    LiveRoomState,
    LiveRoomType,
    LiveWarning,
    RoomDraft,
    SharedState,
    SharedType,
    Sharing,
)
from airslice.domain.script import PlayPolicy as Policy
from airslice.facades.huawei.callbacks import (
    LiveRoomEventCallBackConfig,
    RTCLiveEventCallBackConfig,
)
from airslice.facades.huawei.calls import Call
from airslice.facades.huawei.fields import (
    Id,
    Name,
    NoBody,
    NoQuery,
    Text256,
    Text1024,
    Url,
    Wire,
    extras_of,
    parse_rfc3339,
    rfc3339,
)
from airslice.facades.huawei.layers import VideoConfig
from airslice.facades.huawei.rules import LiveRoomInteractionRuleInfo, PlayType, ReviewConfig
from airslice.facades.huawei.scripts import (
    CoStreamerConfig,
    LiveVideoScriptInfo,
    PlayPolicy,
    scenes_of,
)

KEPT = (
    "interaction_config",
    "video_config",
    "output_urls",
    "stream_keys",
    "review_config",
    "view_mode",
    "co_streamer_config",
    "priv_data",
    "relation_live_platform_info",
)
"""Fields of a room that are kept and shown."""

MAX_BACKUPS = 5

WARNINGS = {
    LiveWarning.FEW_PARAGRAPHS: "TOO_LESSS_SCRIPT_ITEMS",
    LiveWarning.SHORT_SCRIPT: "TOO_SHORT_SCRIPT_TIME",
    LiveWarning.FEW_COMMENT_RULES: "TOO_LESS_DANMAKU_RULES",
    LiveWarning.RANDOM_PLAY_OFF: "RANDOM_PLAY_CLOSED",
    LiveWarning.NO_BACKUP_MODELS: "ROTATION_MODEL_CLOSED",
}

OutputUrls = Annotated[list[Url], Meta(max_length=1)]
StreamKeys = Annotated[list[Text1024], Meta(max_length=1)]
ViewMode = Literal["LANDSCAPE", "VERTICAL"]


class LiveRoomInteractionConfig(Wire, frozen=True, kw_only=True):
    """How replies are put into a script."""

    play_type: PlayType | None = None
    ignore_current_sentence: bool | None = None


class SharedConfig(Wire, frozen=True, kw_only=True):
    """With whom a template is shared."""

    shared_type: SharedType | None = None
    shared_state: SharedState | None = None
    expire_time: Annotated[str, Meta(max_length=20)] | None = None
    allowed_project_ids: (
        Annotated[list[Annotated[str, Meta(min_length=1, max_length=64)]], Meta(max_length=100)]
        | None
    ) = None

    def sharing(self) -> Sharing:
        """Return how the template is to be shared."""
        until = self.expire_time
        return Sharing(
            type=self.shared_type or SharedType.PRIVATE,
            state=self.shared_state or SharedState.DRAFT,
            expires_at_ms=parse_rfc3339("shared_config.expire_time", until) if until else 0,
            project_ids=tuple(self.allowed_project_ids or ()),
        )

    @classmethod
    def of(cls, sharing: Sharing) -> SharedConfig:
        """Return what shows with whom a template is shared."""
        return cls(
            shared_type=sharing.type,
            shared_state=sharing.state,
            expire_time=rfc3339(sharing.expires_at_ms),
            allowed_project_ids=list(sharing.project_ids) or None,
        )


class PlatformLiveInfo(Wire, frozen=True, kw_only=True):
    """A broadcast on a live platform."""

    platform_id: Id
    live_id: Annotated[str, Meta(max_length=256, pattern="^[A-Za-z0-9_-]*$")]


class PlatformLiveDetailInfo(Wire, frozen=True, kw_only=True):
    """A broadcast on a live platform, as it is shown to its owner."""

    platform_id: str | None = None
    platform: str | None = None
    account: str | None = None
    live_id: str | None = None


class RoomFields(Wire, frozen=True, kw_only=True):
    """The fields of a room that its owner gives and is shown."""

    room_description: Text1024 | None = None
    room_type: LiveRoomType | None = None
    scene_scripts: Annotated[list[LiveVideoScriptInfo], Meta(max_length=1_000)] | None = None
    interaction_config: LiveRoomInteractionConfig | None = None
    interaction_rules: (
        Annotated[list[LiveRoomInteractionRuleInfo], Meta(max_length=1_000)] | None
    ) = None
    play_policy: PlayPolicy | None = None
    video_config: VideoConfig | None = None
    output_urls: OutputUrls | None = None
    stream_keys: StreamKeys | None = None
    backup_model_asset_ids: Annotated[list[Id], Meta(max_length=MAX_BACKUPS)] | None = None
    live_event_callback_config: LiveRoomEventCallBackConfig | None = None
    rtc_callback_config: RTCLiveEventCallBackConfig | None = None
    review_config: ReviewConfig | None = None
    shared_config: SharedConfig | None = None
    view_mode: ViewMode | None = None
    co_streamer_config: CoStreamerConfig | None = None
    priv_data: Annotated[str, Meta(max_length=8_192)] | None = None


class CreateSmartLiveRoomReq(RoomFields, frozen=True, kw_only=True):
    """The contents of a room, for its creation and its update."""

    room_name: Name
    relation_live_platform_info: PlatformLiveInfo | None = None

    def draft(self) -> RoomDraft:
        """Return the contents of the room, with the documented defaults.

        Raises:
            InvalidInput: a value is out of its range.
        """
        callback = self.live_event_callback_config
        rtc = self.rtc_callback_config
        return RoomDraft(
            name=self.room_name,
            description=self.room_description or "",
            type=self.room_type or LiveRoomType.NORMAL,
            scenes=scenes_of(self.scene_scripts or ()),
            policy=self.play_policy.policy() if self.play_policy else Policy(),
            callback=callback.callback() if callback else None,
            inherits_callback=bool(callback and callback.is_inheritance_platform_callback),
            rtc_notices=rtc.notices() if rtc else None,
            interaction_rules=tuple(rule.document() for rule in self.interaction_rules or ()),
            sharing=self.shared_config.sharing() if self.shared_config else None,
            backup_model_asset_ids=tuple(self.backup_model_asset_ids or ()),
            extras={**extras_of(self, *KEPT), "view_mode": self._orientation()},
        )

    def _orientation(self) -> ViewMode:
        """Return the orientation: that of the picture, else the given one, else upright."""
        video = self.video_config
        if video is None:
            return self.view_mode or "VERTICAL"
        return "LANDSCAPE" if video.width > video.height else "VERTICAL"


class ErrorResponse(Wire, frozen=True, kw_only=True):
    """Why something failed."""

    error_code: str | None = None
    error_msg: str | None = None


class SmartLiveRoom(RoomFields, frozen=True, kw_only=True):
    """A room as it stands (ShowSmartLiveRoomResponse)."""

    room_name: str
    room_id: str
    relation_live_platform_info: PlatformLiveDetailInfo | None = None
    create_time: str | None = None
    update_time: str | None = None
    cover_url: str | None = None
    thumbnail: str | None = None
    room_state: LiveRoomState | None = None
    confirm_state: ConfirmState | None = None
    script_version: str | None = None
    error_info: ErrorResponse | None = None

    @classmethod
    def of(cls, room: LiveRoom) -> SmartLiveRoom:
        """Return what shows a room to its owner."""
        draft, callback = room.draft, room.draft.callback
        rules: Any = list(draft.interaction_rules)
        notices = draft.rtc_notices
        return cls(
            room_id=room.room_id,
            room_name=draft.name,
            room_description=draft.description or None,
            room_type=draft.type,
            scene_scripts=[LiveVideoScriptInfo.of(scene) for scene in draft.scenes],
            interaction_rules=rules or None,
            play_policy=PlayPolicy.of(draft.policy),
            backup_model_asset_ids=list(draft.backup_model_asset_ids) or None,
            live_event_callback_config=(
                LiveRoomEventCallBackConfig.of_room(callback, inherits=draft.inherits_callback)
                if callback
                else None
            ),
            rtc_callback_config=RTCLiveEventCallBackConfig.of(notices) if notices else None,
            shared_config=SharedConfig.of(draft.sharing) if draft.sharing else None,
            create_time=rfc3339(room.created_at_ms),
            update_time=rfc3339(room.updated_at_ms),
            room_state=room.state,
            confirm_state=room.confirm_state,
            script_version=room.script_version,
            **draft.extras,
        )


class RoomId(Wire, frozen=True, kw_only=True):
    """Which room was made."""

    room_id: str


class ConfirmSmarLiveRoomReq(Wire, frozen=True, kw_only=True):
    """Whether a person lets a script be used."""

    action: Literal["confirm", "reject"]
    script_version: Text256 | None = None


class LiveWarningItem(Wire, frozen=True, kw_only=True):
    """Something that should be better before a room goes on air."""

    warning_type: str | None = None


class LiveWarnings(Wire, frozen=True, kw_only=True):
    """What should be better, and how long a broadcast may be."""

    live_warning_info: list[LiveWarningItem]
    limit_duration: int


def warning_items(warnings: tuple[LiveWarning, ...]) -> list[LiveWarningItem]:
    """Return what shows warnings in the spelling of this wire."""
    return [LiveWarningItem(warning_type=WARNINGS[warning]) for warning in warnings]


async def create_room(call: Call[NoQuery, CreateSmartLiveRoomReq]) -> RoomId:
    """Make a live room."""
    room = await call.use_cases.rooms.create(call.project_id, call.body.draft())
    return RoomId(room_id=room.room_id)


async def show_room(call: Call[NoQuery, NoBody]) -> SmartLiveRoom:
    """Show a live room."""
    room = await call.use_cases.rooms.show(call.project_id, call.ids["room_id"])
    return SmartLiveRoom.of(room)


async def update_room(call: Call[NoQuery, CreateSmartLiveRoomReq]) -> SmartLiveRoom:
    """Replace a live room's contents."""
    draft = call.body.draft()
    return SmartLiveRoom.of(
        await call.use_cases.rooms.update(call.project_id, call.ids["room_id"], draft)
    )


async def delete_room(call: Call[NoQuery, NoBody]) -> NoBody:
    """Delete a live room that has no running job."""
    await call.use_cases.rooms.remove(call.project_id, call.ids["room_id"])
    return NoBody()


async def confirm_room(call: Call[NoQuery, ConfirmSmarLiveRoomReq]) -> NoBody:
    """Say that a live room's script may be used, or may not."""
    room_id, asked = call.ids["room_id"], call.body
    version = asked.script_version
    if version is None:
        version = (await call.use_cases.rooms.show(call.project_id, room_id)).script_version
    await call.use_cases.rooms.confirm(
        call.project_id, room_id, confirmed=asked.action == "confirm", script_version=version
    )
    return NoBody()


async def show_warnings(call: Call[NoQuery, NoBody]) -> LiveWarnings:
    """Show what should be better in a live room before it goes on air."""
    warnings, limit_h = await call.use_cases.rooms.warnings(call.project_id, call.ids["room_id"])
    return LiveWarnings(live_warning_info=warning_items(warnings), limit_duration=limit_h)
