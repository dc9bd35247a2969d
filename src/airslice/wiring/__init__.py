"""Put the parts together and run them: the only part that names concrete adapters."""

from airslice.wiring.server import RunningServer, running, serve

__all__ = ["RunningServer", "running", "serve"]
