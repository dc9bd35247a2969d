"""What players are told and may ask over WHEP's event stream: Huawei's RTSA messages ↔ values.

The unit of ``offset`` is not documented: here it is characters of the paragraph before the
sentence.

Source: RTSA commands of Huawei MetaStudio (messages and commands).
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from airslice.domain.errors import InvalidInput
from airslice.domain.players import PlayerNotice, PlayState


def notice_message(notice: PlayerNotice) -> Mapping[str, object]:
    """Return the message that tells players of a notice, as a JSON object."""
    if isinstance(notice, PlayState):
        return {"message_type": "state_notify", "state": notice.value}
    return {
        "message_type": "live_progress_notify",
        "data": {
            "script_name": notice.scene.name,
            "shoot_script_sequence_no": notice.paragraph.number,
            "shoot_script_title": notice.paragraph.title,
            "offset": str(notice.sentence.offset),
        },
    }


def read_control(text: str) -> tuple[str, str]:
    """Return the command and the timing that a player's message asks for.

    Raises:
        InvalidInput: the message is no ``live_control``, or not of its form.
    """
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidInput("body", "must be JSON") from None
    if not isinstance(message, dict) or message.get("message_type") != "live_control":
        raise InvalidInput("message_type", "must be live_control")
    params = message.get("params", {})
    command = message.get("command")
    timing = params.get("timing", "NOW") if isinstance(params, dict) else None
    if not isinstance(command, str):
        raise InvalidInput("command", "must be a string")
    if not isinstance(timing, str):
        raise InvalidInput("params.timing", "must be a string")
    return command, timing
