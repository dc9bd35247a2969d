"""WHIP: publish into a room by one HTTP exchange (RFC 9725)."""

from airslice.facades.whip.facade import WhipFacade as WhipFacade
