"""What a presenter says, and how it is played: wire structs ↔ the domain's values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from msgspec import Meta

from airslice.domain import script
from airslice.domain.errors import InvalidInput
from airslice.facades.huawei.fields import Count, Id, Name, Text256, Text1024, Url, Wire, extras_of
from airslice.facades.huawei.layers import BackgroundConfigInfo, LayerConfig

MAX_SPOKEN_CHARS = 10_000
"""Longest text of one paragraph, without SSML's tags (TextConfig.text)."""

MAX_ROOM_CHARS = 300_000
"""How long all texts of a room may be
(https://support.huaweicloud.com/productdesc-metastudio/metastudio_01_0011.html)."""

_TAG = re.compile(r"<[^<>]*>")

Percent = Annotated[int, Meta(ge=50, le=200)]


class VoiceConfig(Wire, frozen=True, kw_only=True):
    """How a text is spoken."""

    voice_asset_id: Name
    speed: Percent | None = None
    pitch: Percent | None = None
    volume: Annotated[int, Meta(ge=90, le=240)] | None = None

    def voice(self) -> script.Voice:
        """Return the voice, with the documented defaults."""
        return script.Voice(
            asset_id=self.voice_asset_id,
            speed=100 if self.speed is None else self.speed,
            pitch=100 if self.pitch is None else self.pitch,
            volume=140 if self.volume is None else self.volume,
        )

    @classmethod
    def of(cls, voice: script.Voice) -> VoiceConfig:
        """Return what shows a voice."""
        return cls(
            voice_asset_id=voice.asset_id, speed=voice.speed, pitch=voice.pitch, volume=voice.volume
        )


class CoStreamerConfig(Wire, frozen=True, kw_only=True):
    """The second voice, which is kept and shown, and never heard."""

    voice_config: VoiceConfig | None = None
    streamer_action: Literal["SILENCE", "VOLUME_DOWN"] | None = None


class TextConfig(Wire, frozen=True, kw_only=True):
    """Plain text or SSML."""

    text: Annotated[str, Meta(max_length=131_072)]


class LiveAudioConfig(Wire, frozen=True, kw_only=True):
    """A recording that is played in place of a text."""

    asset_id: Id | None = None
    audio_url: Url | None = None
    subtitle_url: Url | None = None


class RelationProductInfo(Wire, frozen=True, kw_only=True):
    """The product that a paragraph is about; it is kept and shown."""

    product_id: Text256 | None = None
    product_title: Text1024 | None = None


class LiveShootScriptItem(Wire, frozen=True, kw_only=True):
    """A paragraph."""

    sequence_no: Count | None = None
    title: Text256 | None = None
    text_config: TextConfig | None = None
    audio_config: LiveAudioConfig | None = None
    relation_product: RelationProductInfo | None = None

    def paragraph(self, place: int) -> script.Paragraph:
        """Return the paragraph; `place` becomes its number if it has none."""
        audio = self.audio_config or LiveAudioConfig()
        return script.Paragraph(
            number=place if self.sequence_no is None else self.sequence_no,
            title=self.title or "",
            text=self.text_config.text if self.text_config else "",
            audio_url=audio.audio_url or "",
            audio_asset_id=audio.asset_id or "",
            extras={**extras_of(self, "relation_product"), **extras_of(audio, "subtitle_url")},
        )

    @classmethod
    def of(cls, paragraph: script.Paragraph) -> LiveShootScriptItem:
        """Return what shows a paragraph."""
        audio = LiveAudioConfig(
            asset_id=paragraph.audio_asset_id or None,
            audio_url=paragraph.audio_url or None,
            subtitle_url=paragraph.extras.get("subtitle_url"),
        )
        return cls(
            sequence_no=paragraph.number,
            title=paragraph.title or None,
            text_config=TextConfig(text=paragraph.text) if paragraph.text else None,
            audio_config=None if audio == LiveAudioConfig() else audio,
            relation_product=paragraph.extras.get("relation_product"),
        )


class LiveVideoScriptInfo(Wire, frozen=True, kw_only=True):
    """A scene."""

    script_id: Id | None = None
    script_name: Name
    script_description: Text1024 | None = None
    dh_id: Id | None = None
    model_asset_id: Id | None = None
    voice_config: VoiceConfig | None = None
    background_config: Annotated[list[BackgroundConfigInfo], Meta(max_length=100)] | None = None
    layer_config: Annotated[list[LayerConfig], Meta(max_length=1_000)] | None = None
    shoot_scripts: list[LiveShootScriptItem]

    def scene(self) -> script.Scene:
        """Return the scene; its id is empty where none is given."""
        return script.Scene(
            script_id=self.script_id or "",
            name=self.script_name,
            paragraphs=tuple(
                item.paragraph(place) for place, item in enumerate(self.shoot_scripts, 1)
            ),
            voice=self.voice_config.voice() if self.voice_config else None,
            dh_id=self.dh_id or "",
            model_asset_id=self.model_asset_id or "",
            extras=extras_of(self, "script_description", "background_config", "layer_config"),
        )

    @classmethod
    def of(cls, scene: script.Scene) -> LiveVideoScriptInfo:
        """Return what shows a scene."""
        extras: dict[str, Any] = dict(scene.extras)
        return cls(
            script_id=scene.script_id or None,
            script_name=scene.name,
            dh_id=scene.dh_id or None,
            model_asset_id=scene.model_asset_id or None,
            voice_config=VoiceConfig.of(scene.voice) if scene.voice else None,
            shoot_scripts=[LiveShootScriptItem.of(item) for item in scene.paragraphs],
            **extras,
        )


class LiveExitConfig(Wire, frozen=True, kw_only=True):
    """When a broadcast ends by itself."""

    max_live_duration: Annotated[int, Meta(ge=0, le=168)] | None = None
    auto_stop_mode: script.AutoStop | None = None
    max_exception_waiting_duration: Annotated[int, Meta(ge=0, le=60)] | None = None

    def live_exit(self) -> script.LiveExit:
        """Return when the broadcast ends, with the documented defaults."""
        return script.LiveExit(
            max_live_h=self.max_live_duration or 0,
            auto_stop=self.auto_stop_mode or script.AutoStop.FORCE_EXIT,
            max_exception_min=self.max_exception_waiting_duration,
        )

    @classmethod
    def of(cls, live_exit: script.LiveExit) -> LiveExitConfig:
        """Return what shows when a broadcast ends."""
        return cls(
            max_live_duration=live_exit.max_live_h,
            auto_stop_mode=live_exit.auto_stop,
            max_exception_waiting_duration=live_exit.max_exception_min,
        )


class PlayPolicy(Wire, frozen=True, kw_only=True):
    """How a script is played."""

    repeat_count: Annotated[int, Meta(ge=-1, le=100)] | None = None
    auto_play_script: bool | None = None
    play_mode: script.PlayMode | None = None
    random_play_mode: script.RandomPlay | None = None
    need_independent_capture_client: bool | None = None
    live_exit_config: LiveExitConfig | None = None
    is_rewrite_delay: bool | None = None

    def policy(self) -> script.PlayPolicy:
        """Return the policy, with the documented defaults."""
        return script.PlayPolicy(
            repeat_count=self.repeat_count or 0,
            auto_play=self.auto_play_script is not False,
            mode=self.play_mode or script.PlayMode.TEXT,
            random=self.random_play_mode or script.RandomPlay.SCRIPT_ITEM,
            needs_capture_user=bool(self.need_independent_capture_client),
            rewrite_is_delayed=bool(self.is_rewrite_delay),
            exit=self.live_exit_config.live_exit() if self.live_exit_config else None,
        )

    @classmethod
    def of(cls, policy: script.PlayPolicy) -> PlayPolicy:
        """Return what shows a policy."""
        return cls(
            repeat_count=policy.repeat_count,
            auto_play_script=policy.auto_play,
            play_mode=policy.mode,
            random_play_mode=policy.random,
            need_independent_capture_client=policy.needs_capture_user,
            live_exit_config=LiveExitConfig.of(policy.exit) if policy.exit else None,
            is_rewrite_delay=policy.rewrite_is_delayed,
        )


def scenes_of(given: Sequence[LiveVideoScriptInfo]) -> tuple[script.Scene, ...]:
    """Return the scenes of a script, after a check of their lengths.

    Raises:
        InvalidInput: a paragraph, or all together, are too long to be spoken.
    """
    total = 0
    for index, scene in enumerate(given):
        for number, item in enumerate(scene.shoot_scripts):
            length = len(_TAG.sub("", item.text_config.text)) if item.text_config else 0
            total += length
            if length > MAX_SPOKEN_CHARS:
                raise InvalidInput(
                    f"scene_scripts[{index}].shoot_scripts[{number}].text_config.text",
                    f"must have at most {MAX_SPOKEN_CHARS} characters without SSML tags",
                )
    if total > MAX_ROOM_CHARS:
        raise InvalidInput(
            "scene_scripts", f"must have at most {MAX_ROOM_CHARS} characters of text in all"
        )
    return tuple(scene.scene() for scene in given)
