"""Wire structs of what is seen: kept and shown, without effect, as only speech is made here."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from airslice.facades.huawei.fields import Count, Id, RequiredUrl, Rgb, Seconds, Text1024, Url, Wire

Coordinate = Annotated[int, Meta(ge=-1_920, le=3_840)]
Extent = Annotated[int, Meta(ge=1, le=7_680)]
FontSize = Annotated[int, Meta(ge=0, le=120)]
SubtitleExtent = Annotated[int, Meta(ge=0, le=1_920)]
Colour = Annotated[str, Meta(max_length=7)]


class BackgroundImageConfig(Wire, frozen=True, kw_only=True):
    """Where a background's image is."""

    dx: Annotated[int, Meta(ge=-5_760, le=0)]
    dy: Annotated[int, Meta(ge=-5_760, le=0)]
    width: Extent
    height: Extent


class BackgroundConfigInfo(Wire, frozen=True, kw_only=True):
    """A background."""

    background_type: Literal["IMAGE", "COLOR", "IMAGE_2D", "VIDEO", "AUDIO"]
    background_config: RequiredUrl | None = None
    background_color_config: Rgb | None = None
    background_asset_id: Id | None = None
    background_image_config: BackgroundImageConfig | None = None


class LayerPositionConfig(Wire, frozen=True, kw_only=True):
    """Where a layer is."""

    dx: Coordinate
    dy: Coordinate
    layer_index: Annotated[int, Meta(ge=1, le=100)]


class LayerSizeConfig(Wire, frozen=True, kw_only=True):
    """How large a layer is."""

    width: Extent | None = None
    height: Extent | None = None


class LayerRotationConfig(Wire, frozen=True, kw_only=True):
    """How a layer is turned."""

    angle: Annotated[int, Meta(ge=0, le=360)] | None = None


class ImageLayerConfig(Wire, frozen=True, kw_only=True):
    """An image."""

    image_url: RequiredUrl | None = None


class VideoLayerConfig(Wire, frozen=True, kw_only=True):
    """A video."""

    video_url: RequiredUrl | None = None
    video_cover_url: RequiredUrl | None = None
    loop_count: Annotated[int, Meta(ge=-1, le=100)] | None = None
    video_sound: Annotated[int, Meta(ge=0, le=100)] | None = None
    is_play_the_entire_video: bool | None = None


class TextLayerConfig(Wire, frozen=True, kw_only=True):
    """A text, in Base64."""

    text_context: Text1024 | None = None
    font_name: Id | None = None
    font_size: FontSize | None = None
    font_color: Rgb | None = None


class LayerConfig(Wire, frozen=True, kw_only=True):
    """A layer of a scene."""

    layer_type: Literal["HUMAN", "IMAGE", "VIDEO", "TEXT"]
    asset_id: Id | None = None
    group_id: Id | None = None
    sequence_no: Count | None = None
    position: LayerPositionConfig | None = None
    size: LayerSizeConfig | None = None
    rotation: LayerRotationConfig | None = None
    image_config: ImageLayerConfig | None = None
    video_config: VideoLayerConfig | None = None
    text_config: TextLayerConfig | None = None


class SubtitleConfig(Wire, frozen=True, kw_only=True):
    """The box of the subtitles."""

    dx: SubtitleExtent | None = None
    dy: SubtitleExtent | None = None
    h: SubtitleExtent | None = None
    w: SubtitleExtent | None = None
    font_name: Id | None = None
    font_size: FontSize | None = None
    font_color: Colour | None = None
    stroke_color: Colour | None = None
    stroke_thickness: Annotated[float, Meta(ge=0, le=50)] | None = None
    opacity: Annotated[float, Meta(ge=0, le=1)] | None = None


class VideoConfig(Wire, frozen=True, kw_only=True):
    """The picture that would be pushed."""

    bitrate: Annotated[int, Meta(ge=40, le=30_000)]
    width: Annotated[int, Meta(ge=0, le=3_840)]
    height: Annotated[int, Meta(ge=0, le=3_840)]
    clip_mode: Literal["RESIZE", "CROP"] | None = None
    codec: Literal["H264", "VP8", "VP9", "QTRLE"] | None = None
    frame_rate: Literal["24", "25", "30"] | None = None
    is_subtitle_enable: bool | None = None
    subtitle_config: SubtitleConfig | None = None
    dx: Coordinate | None = None
    dy: Coordinate | None = None
    is_enable_super_resolution: bool | None = None
    is_end_at_first_frame: bool | None = None
    output_external_url: Url | None = None
    is_vocabulary_config_enable: bool | None = None


class SmartImageLayerConfig(Wire, frozen=True, kw_only=True):
    """An image that a rule shows."""

    image_url: Url
    display_duration: Seconds | None = None


class SmartVideoLayerConfig(Wire, frozen=True, kw_only=True):
    """A video that a rule shows."""

    video_url: Url
    video_cover_url: Url | None = None
    display_duration: Seconds | None = None


class SmartTextLayerConfig(Wire, frozen=True, kw_only=True):
    """A text that a rule shows."""

    text_type: Literal["DYNAMIC", "STATIC"] | None = None
    text_context: Text1024 | None = None
    font_name: Id | None = None
    font_size: FontSize | None = None
    font_color: Rgb | None = None
    display_duration: Seconds | None = None


class SmartLayerConfig(Wire, frozen=True, kw_only=True):
    """A layer that a rule shows."""

    layer_type: Literal["IMAGE", "VIDEO", "TEXT"]
    asset_id: Id | None = None
    position: LayerPositionConfig | None = None
    size: LayerSizeConfig | None = None
    image_config: SmartImageLayerConfig | None = None
    video_config: SmartVideoLayerConfig | None = None
    text_config: SmartTextLayerConfig | None = None
