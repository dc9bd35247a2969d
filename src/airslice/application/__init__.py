"""Use cases, and the ports that the outside implements. Async; no third-party library."""
