"""How the server and a speaker, the process that turns text into speech, talk over two pipes.

A request is its length and a JSON object. An answer is a status, its length and a body: nothing
for READY, which comes once and first, a WAV file for SPOKEN, a message for FAILED. One answer
follows each request. A speaker ends when its standard input does.

Speakers import this module, so it needs nothing but the standard library.
"""

from __future__ import annotations

from enum import IntEnum
from struct import Struct

REQUEST_HEADER = Struct(">I")
"""The length."""

ANSWER_HEADER = Struct(">BI")
"""Status and length."""

MAX_REQUEST_BYTES = 64 * 1_024
"""More than the longest text makes, as UTF-8 and escaped."""

MAX_PCM_BYTES = 16 * 1_024 * 1_024
"""Of one utterance: 6 minutes at 22,050 Hz."""

MAX_ANSWER_BYTES = MAX_PCM_BYTES + 1_024 * 1_024
"""With a file's header, and the piece with which an engine went over the bound."""

WAV_MAGIC = b"RIFF"


class Status(IntEnum):
    """What an answer is."""

    READY = 1
    SPOKEN = 2
    FAILED = 3
