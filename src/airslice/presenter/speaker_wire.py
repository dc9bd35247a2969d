"""How the server and a speaker process talk over two pipes.

A request is its length and a JSON object. An answer is a status, the length of its body, and the
body: empty for READY, which comes once and first, a WAV file for SPOKEN, and a message for FAILED.
One answer follows each request. A speaker ends when its standard input does.

Speakers import this module, so it needs nothing but the standard library.
"""

from __future__ import annotations

from enum import IntEnum
from struct import Struct

REQUEST_HEADER = Struct(">I")
"""Length of the JSON object, in bytes."""

ANSWER_HEADER = Struct(">BI")
"""Status, and length of the body in bytes."""

MAX_REQUEST_BYTES = 64 * 1_024
"""Largest request: more than the longest text needs, in UTF-8 and escaped."""

MAX_PCM_BYTES = 16 * 1_024 * 1_024
"""Most PCM of one utterance: 6 minutes at 22,050 Hz."""

MAX_ANSWER_BYTES = MAX_PCM_BYTES + 1_024 * 1_024
"""Largest answer: the PCM, a file's header, and the piece that went over the bound."""

WAV_MAGIC = b"RIFF"


class Status(IntEnum):
    """What an answer of a speaker is."""

    READY = 1
    SPOKEN = 2
    FAILED = 3
