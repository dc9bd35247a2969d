"""Bodies of requests."""

from __future__ import annotations

from typing import Any

ROOM: dict[str, Any] = {
    "room_name": "直播间1",
    "room_description": "all of it",
    "room_type": "NORMAL",
    "scene_scripts": [
        {
            "script_id": "scene-1",
            "script_name": "场景1",
            "script_description": "the first",
            "dh_id": "dh1",
            "model_asset_id": "m1",
            "voice_config": {"voice_asset_id": "v1", "speed": 120, "pitch": 80, "volume": 100},
            "background_config": [
                {
                    "background_type": "IMAGE",
                    "background_config": "https://example.com/b.png",
                    "background_image_config": {"dx": -1, "dy": 0, "width": 1, "height": 7680},
                }
            ],
            "layer_config": [
                {
                    "layer_type": "TEXT",
                    "sequence_no": 1,
                    "position": {"dx": -1920, "dy": 3840, "layer_index": 100},
                    "size": {"width": 1, "height": 1},
                    "rotation": {"angle": 360},
                    "text_config": {"text_context": "aGk=", "font_size": 24},
                }
            ],
            "shoot_scripts": [
                {
                    "sequence_no": 1,
                    "title": "段落1",
                    "text_config": {"text": "<speak>欢迎。<break time='1s'/></speak>"},
                    "relation_product": {"product_id": "p1", "product_title": "茶"},
                },
                {
                    "sequence_no": 2,
                    "audio_config": {
                        "asset_id": "a1",
                        "audio_url": "https://example.com/a.mp3",
                        "subtitle_url": "https://example.com/a.srt",
                    },
                },
            ],
        }
    ],
    "interaction_config": {"play_type": "INSERT", "ignore_current_sentence": True},
    "interaction_rules": [
        {
            "rule_index": "rule-1",
            "rule_name": "greet",
            "enabled": True,
            "event_type": 2,
            "hit_condition": {
                "relation": "AND",
                "priority": 500,
                "tags": [{"tag": "level", "operation": "NONE", "match": "MATH_GE", "value": "3"}],
            },
            "trigger": {
                "time_window": -1,
                "reply_mode": "SYSTEM_REPLY",
                "reply_texts": ["welcome"],
                "reply_audios": [{"audio_url": "https://example.com/w.mp3", "audio_name": "w"}],
                "reply_order": "RANDOM",
                "reply_role": "STREAMER",
                "layer_config": {
                    "layer_type": "IMAGE",
                    "image_config": {"image_url": "https://example.com/i.png"},
                },
            },
            "group_id": "g1",
            "group_name": "greetings",
            "enabled_scenes": ["场景1"],
        }
    ],
    "play_policy": {
        "repeat_count": -1,
        "auto_play_script": False,
        "play_mode": "TEXT",
        "random_play_mode": "NONE",
        "need_independent_capture_client": True,
        "live_exit_config": {
            "max_live_duration": 2,
            "auto_stop_mode": "SCENE_END",
            "max_exception_waiting_duration": 5,
        },
        "is_rewrite_delay": True,
    },
    "video_config": {
        "bitrate": 4000,
        "width": 1080,
        "height": 1920,
        "codec": "H264",
        "frame_rate": "25",
        "subtitle_config": {"dx": 1, "dy": 2, "opacity": 0.5},
    },
    "output_urls": ["rtmp://127.0.0.1/live"],
    "stream_keys": ["key1"],
    "backup_model_asset_ids": ["m2", "m3"],
    "live_event_callback_config": {
        "live_event_type_callback_url": "https://cb.example.com/live",
        "auth_type": "MSS_A_HEAD",
        "key": "GCTbw44s6MPLh4GqgDpnfuFHgy25Enly",
        "callback_event_type": ["SHOOT_SCRIPT_SWITCH", "REPLY_COMMAND_FINISH"],
        "is_inheritance_platform_callback": True,
    },
    "rtc_callback_config": {"rtc_callback_event_type": ["REPLY_COMMAND_FINISH"]},
    "review_config": {"no_need_review": True},
    "view_mode": "VERTICAL",
    "co_streamer_config": {
        "voice_config": {"voice_asset_id": "v2"},
        "streamer_action": "SILENCE",
    },
    "priv_data": "mine",
    "relation_live_platform_info": {"platform_id": "lp1", "live_id": "live_1"},
}
"""With every field of a room that is no template."""

SMALL: dict[str, Any] = {
    "room_name": "small",
    "scene_scripts": [
        {
            "script_name": "s",
            "voice_config": {"voice_asset_id": "cmn"},
            "shoot_scripts": [{"text_config": {"text": "你好。"}}],
        }
    ],
}
