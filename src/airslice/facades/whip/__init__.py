"""WHIP and WHEP: publish into a room, or listen to it, by one HTTP exchange."""

from airslice.facades.whip.facade import WhipFacade as WhipFacade
from airslice.facades.whip.whep import WhepFacade as WhepFacade
