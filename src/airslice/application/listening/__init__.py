"""Listeners: who may hear whom, over which session, and the mix of a room for them."""
