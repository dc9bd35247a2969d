"""The media engine inside the process: WebRTC publishers and listeners on one UDP port.

ICE-lite is in `stun` and `ice`, DTLS by OpenSSL in `dtls`, SRTP by libsrtp in `srtp`. `session`
joins them for one peer; `receiving` and `sending` are what publishers and listeners do with it;
`switchboard` has all sessions, and `engine` the socket. Why the engine is our own is told in
docs/decisions/own-receiver.md.
"""

from airslice.engines.embedded.engine import EmbeddedEngine

__all__ = ["EmbeddedEngine"]
