"""Bodies that Huawei's wire takes, by the name of their type."""

from __future__ import annotations

import json
from typing import Any

from tests.support.values.sample_rooms import ROOM, SMALL

COMMENT = json.dumps({"user": {"userId": "1"}, "content": "hi"})

EVENTS = {"total": 1, "events": [{"timestamp": 1_694_481_224_245, "type": 1, "content": COMMENT}]}

PARAMS: dict[str, dict[str, Any]] = {
    "INSERT_PLAY_SCRIPT": {
        "text_config": {"text": "欢迎"},
        "play_type": "INSERT",
        "play_role": "CO_STREAMER",
        "rule_index": "rule-1",
    },
    "INSERT_PLAY_AUDIO": {"audio_url": "https://example.com/a.mp3", "play_type": "APPEND"},
    "REWRITE_PLAY_SCRIPT": {"scene_scripts": SMALL["scene_scripts"]},
    "REWRITE_INTERACTION_RULES": {"interaction_rules": ROOM["interaction_rules"]},
    "REFRESH_OUTPUT_URL": {"output_urls": ["rtmp://b/live"], "stream_keys": ["k"]},
    "CLEAN_UP_INSERT_COMMAND": {"command_ids": []},
    "RESET_EXIT_CONFIG": {
        "max_live_duration": 168,
        "auto_stop_mode": "FORCE_EXIT",
        "max_exception_waiting_duration": 60,
    },
    "GET_CURRENT_PLAYING_SCRIPTS": {},
    "GET_LIVE_JOB_CONFIG_INFO": {},
}

RULE: dict[str, Any] = {
    name: ROOM["interaction_rules"][0][name]
    for name in ("rule_name", "event_type", "hit_condition", "trigger")
}

PLATFORM: dict[str, Any] = {
    "name": "shop",
    "auth_config": {"key": "GCTbw44s6MPLh4GqgDpnfuFHgy25Enly"},
    "callback_config": [
        {"api_type": "PRODUCT_QUERY", "url": "https://api.example.com/v1/products"},
        {"api_type": "LIVE_EVENT_CALLBACK", "url": "https://api.example.com/v1/events"},
    ],
}

SAMPLES: dict[str, list[Any]] = {
    "CreateSmartLiveRoomReq": [ROOM],
    "ConfirmSmarLiveRoomReq": [{"action": "confirm", "script_version": "1"}],
    "StartSmartLiveReq": [
        {name: ROOM[name] for name in ("play_policy", "video_config", "rtc_callback_config")}
    ],
    "ControlSmartLiveReq": [{"command": name, "params": PARAMS[name]} for name in PARAMS],
    "BatchConfirmLiveCommandsReq": [{"command": "REWRITE_PLAY_SCRIPT", "action": "confirm"}],
    "ReportLiveEventReq": [EVENTS],
    "InteractionRuleGroup": [{"group_name": "g", "interaction_rules": [RULE]}],
    "CreateInteractionRuleReq": [RULE],
    "CreateLivePlatformReq": [PLATFORM],
    "UpdateLivePlatformReq": [PLATFORM],
    "UpdateSmartLiveUserConfigReq": [
        {
            "live_exit_config": {"max_live_duration": 1},
            "live_event_callback_config": ROOM["live_event_callback_config"],
            "live_notify_config": {"action": "add", "notify_events": ["AUTO_EXIT"]},
        }
    ],
    "NoBody": [None],
}
