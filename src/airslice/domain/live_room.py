"""Live rooms: what a virtual presenter's broadcast is made from."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from airslice.domain.owner_event import LiveCallback
from airslice.domain.players import RtcNotice
from airslice.domain.script import JsonObject, PlayPolicy, Scene


class LiveRoomType(StrEnum):
    """How long a room lives."""

    NORMAL = "NORMAL"
    TEMP = "TEMP"
    """Removed after its job."""
    TEMPLATE = "TEMPLATE"
    """Others are made from it; it has no jobs."""


class LiveRoomState(StrEnum):
    """Whether a room can be used."""

    ENABLE = "ENABLE"
    DISABLE = "DISABLE"
    BLOCKED = "BLOCKED"


class ConfirmState(StrEnum):
    """What a person has said of a room's script."""

    UNCONFIRMED = "UNCONFIRM"
    CONFIRMED = "CONFIRMED"
    REJECTED = "REJECT"


class SharedType(StrEnum):
    """Who may use a template."""

    PRIVATE = "PRIVATE"
    PUBLIC = "PUBLIC"
    SHARED = "SHARED"
    """The projects that are named."""


class SharedState(StrEnum):
    """Whether a template is ready for others."""

    PUBLISHED = "PUBLISHED"
    DRAFT = "DRAFT"
    REVIEW = "REVIEW"


class TemplateOwner(StrEnum):
    """Which templates are looked for."""

    OWNED = "OWNED"
    """The project's own."""
    SHARED_TO_OTHERS = "SHARED_TO_OTHERS"
    """The project's own that others can use by now."""
    SHARED_FROM_OTHERS = "SHARED_FROM_OTHERS"
    """Those of other projects that are shared with this one by name."""
    PUBLIC = "PUBLIC"
    """Those that every project can use."""


MAX_SHARED_PROJECTS = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Sharing:
    """With whom a template is shared."""

    type: SharedType = SharedType.PRIVATE
    state: SharedState = SharedState.DRAFT
    expires_at_ms: int = 0
    """UTC, milliseconds since the Unix epoch; 0 is never."""
    project_ids: tuple[str, ...] = ()
    """At most `MAX_SHARED_PROJECTS`, without repetitions; only `SharedType.SHARED` needs them."""

    def is_open(self, *, now_ms: int) -> bool:
        """Whether others can use the template now."""
        is_over = 0 < self.expires_at_ms <= now_ms
        return (
            self.type is not SharedType.PRIVATE
            and self.state is SharedState.PUBLISHED
            and not is_over
        )

    def is_open_to(self, project_id: str, *, now_ms: int) -> bool:
        """Whether a project that is not the owner's can use the template now."""
        is_named = self.type is SharedType.PUBLIC or project_id in self.project_ids
        return is_named and self.is_open(now_ms=now_ms)


@dataclass(frozen=True, kw_only=True, slots=True)
class RoomDraft:
    """What a room's owner gives; values are within their documented ranges."""

    name: str
    description: str = ""
    type: LiveRoomType = LiveRoomType.NORMAL
    scenes: tuple[Scene, ...] = ()
    policy: PlayPolicy = field(default_factory=PlayPolicy)
    callback: LiveCallback | None = None
    inherits_callback: bool = False
    """Whether a linked platform is told, if `callback` has no address."""
    rtc_notices: tuple[RtcNotice, ...] | None = None
    """What players are told; None: `RtcNotice.LIVE_PROGRESS`."""
    interaction_rules: tuple[JsonObject, ...] = ()
    """Rules, of which only `rule_index` has a meaning here: the server fills it in."""
    sharing: Sharing | None = None
    backup_model_asset_ids: tuple[str, ...] = ()
    extras: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class LiveRoom:
    """A room as it stands now."""

    room_id: str
    project_id: str
    draft: RoomDraft
    created_at_ms: int
    """UTC, milliseconds since the Unix epoch, as all times here."""
    updated_at_ms: int
    script_version: str
    """Changed by every update: its time, milliseconds since the Unix epoch, in decimal."""
    confirm_state: ConfirmState = ConfirmState.UNCONFIRMED
    state: LiveRoomState = LiveRoomState.ENABLE


class LiveWarning(StrEnum):
    """What makes a broadcast look like a recording, which platforms punish."""

    FEW_PARAGRAPHS = "few_paragraphs"
    SHORT_SCRIPT = "short_script"
    FEW_COMMENT_RULES = "few_comment_rules"
    RANDOM_PLAY_OFF = "random_play_off"
    NO_BACKUP_MODELS = "no_backup_models"
