"""Everything behind the façades, as one value; the façades themselves are in `facades`."""

from __future__ import annotations

from dataclasses import dataclass

from airslice.wiring.delivery import DeliveryServices
from airslice.wiring.environment import Environment
from airslice.wiring.rooms import RoomServices
from airslice.wiring.slicing import SlicingServices
from airslice.wiring.storage import StorageServices


@dataclass(frozen=True, slots=True)
class Backend:
    """What smart live, the façades and the metrics are put on, in the order of its start."""

    environment: Environment
    storage: StorageServices
    delivery: DeliveryServices
    slicing: SlicingServices
    rooms: RoomServices
