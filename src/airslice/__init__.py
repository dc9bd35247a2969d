"""Slice the live audio of WebRTC rooms, and let virtual presenters speak in them."""

__version__ = "0.1.0"
