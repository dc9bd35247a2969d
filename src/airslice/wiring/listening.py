"""Put together what listeners need."""

from __future__ import annotations

from collections.abc import Mapping

from airslice.application.bans import Bans
from airslice.application.channels import Channels, MixTools
from airslice.application.listening import Listening, PlayControl
from airslice.application.live_notices import LiveNotices
from airslice.application.pacing import Pacer
from airslice.application.ports import ListeningEngine, OpusDecoders
from airslice.application.rooms import Rooms
from airslice.application.wall_clock import WallClock
from airslice.domain.apps import RtcApp
from airslice.encoding.opus_encoder import AvOpusEncoders

MAX_LISTENERS = 2_000
"""Each costs 80 KB and 0.04 % of a core; docs/decisions/listening.md has the measurements."""

MAX_LISTENERS_PER_ROOM = 500
"""A packet goes out to all of them before anything else runs: in 2 to 5 ms."""


def listening_of(
    *,
    apps: Mapping[str, RtcApp],
    rooms: Rooms,
    engine: ListeningEngine,
    wall_clock: WallClock,
    decoders: OpusDecoders,
    pacer: Pacer,
    bans: Bans,
    notices: LiveNotices,
    control: PlayControl,
) -> Listening:
    """Return the use cases of listeners; `control` is what players may do to broadcasts."""
    tools = MixTools(
        wall_clock=wall_clock, decoders=decoders, encoders=AvOpusEncoders(), pacer=pacer
    )
    return Listening(
        apps=apps,
        engine=engine,
        channels=Channels(rooms, tools),
        wall_clock=wall_clock,
        bans=bans,
        notices=notices,
        control=control,
        max_listeners_per_room=MAX_LISTENERS_PER_ROOM,
    )
