"""WHIP and WHEP: publish into a room, or listen to it, by one HTTP exchange."""
