"""The parts of a server, in the order in which they are started."""

from __future__ import annotations

from dataclasses import dataclass

from airslice.wiring.delivery_side import DeliverySide
from airslice.wiring.given import Given
from airslice.wiring.media_side import MediaSide
from airslice.wiring.slicing_side import SlicingSide
from airslice.wiring.storage_side import StorageSide


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    """What smart live and the façades are put on."""

    given: Given
    storage: StorageSide
    delivery: DeliverySide
    slicing: SlicingSide
    media: MediaSide
