"""Listeners: their sessions, what each of them hears, and the mix of a room for them."""
