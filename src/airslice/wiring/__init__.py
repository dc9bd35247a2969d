"""Put a server together and run it: the only package that names concrete adapters."""

from airslice.wiring.server import RunningServer, running, serve

__all__ = ["RunningServer", "running", "serve"]
