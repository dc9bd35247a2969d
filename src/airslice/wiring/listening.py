"""Put together what listeners need."""

from __future__ import annotations

from airslice.application.listening.channels import Channels, MixTools
from airslice.application.listening.sessions import Listening
from airslice.encoding.opus_encoder import AvOpusEncoders
from airslice.wiring.live import SmartLive
from airslice.wiring.parts import Parts

MAX_LISTENERS_PER_ROOM = 500
"""A packet goes out to all of them before anything else runs: in 2 to 5 ms."""


def listening_of(parts: Parts, live: SmartLive) -> Listening:
    """Return the use cases of listeners, some of whom may steer broadcasts."""
    given, media, slicing = parts.given, parts.media, parts.slicing
    tools = MixTools(
        wall_clock=given.wall_clock,
        decoders=slicing.decoders,
        encoders=AvOpusEncoders(),
        pacer=media.pacer,
    )
    return Listening(
        admission=media.admission,
        engine=media.engine,
        channels=Channels(slicing.rooms, tools),
        notices=live.notices,
        control=live.jobs.control,
        max_listeners_per_room=MAX_LISTENERS_PER_ROOM,
    )
