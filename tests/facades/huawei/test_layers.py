"""What is seen has its ranges, although nothing of it is made here."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from airslice.facades.huawei.layers import (
    BackgroundConfigInfo,
    LayerConfig,
    SmartLayerConfig,
    VideoConfig,
)

VIDEO = {"bitrate": 40, "width": 0, "height": 3_840}
LAYER = {"layer_type": "TEXT", "position": {"dx": -1_920, "dy": 3_840, "layer_index": 100}}
IMAGE = {"dx": -5_760, "dy": 0, "width": 1, "height": 7_680}
BACKGROUND = {"background_type": "IMAGE_2D", "background_image_config": IMAGE}
SHOWN = {"layer_type": "IMAGE", "image_config": {"image_url": "u", "display_duration": 3_600}}


@pytest.mark.parametrize(
    ("shape", "body"),
    [
        (VideoConfig, VIDEO),
        (LayerConfig, LAYER),
        (BackgroundConfigInfo, BACKGROUND),
        (SmartLayerConfig, SHOWN),
    ],
)
def test_the_ends_of_the_ranges_are_kept_as_they_are(
    shape: type[msgspec.Struct], body: dict[str, Any]
) -> None:
    assert msgspec.to_builtins(msgspec.convert(body, shape)) == body


@pytest.mark.parametrize(
    ("shape", "body", "place"),
    [
        (VideoConfig, {**VIDEO, "bitrate": 39}, "bitrate"),
        (VideoConfig, {**VIDEO, "frame_rate": "60"}, "frame_rate"),
        (VideoConfig, {**VIDEO, "subtitle_config": {"opacity": 1.1}}, "subtitle_config.opacity"),
        (LayerConfig, {**LAYER, "layer_type": "SOUND"}, "layer_type"),
        (LayerConfig, {**LAYER, "rotation": {"angle": 361}}, "rotation.angle"),
        (LayerConfig, {**LAYER, "image_config": {"image_url": ""}}, "image_config.image_url"),
        (
            BackgroundConfigInfo,
            {**BACKGROUND, "background_image_config": {**IMAGE, "dx": 1}},
            "background_image_config.dx",
        ),
        (
            SmartLayerConfig,
            {**SHOWN, "image_config": {"image_url": "u", "display_duration": 3_601}},
            "image_config.display_duration",
        ),
    ],
)
def test_beyond_them_is_refused_by_name(
    shape: type[msgspec.Struct], body: dict[str, Any], place: str
) -> None:
    with pytest.raises(msgspec.ValidationError, match=rf"\$\.{place}"):
        msgspec.convert(body, shape)
