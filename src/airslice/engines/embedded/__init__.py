"""The media engine inside the process: WebRTC publishers and listeners on one UDP port.

ICE-lite (`stun`, `ice`), DTLS by OpenSSL (`dtls`), SRTP by libsrtp (`srtp`). `session` joins them
for one peer, `receiving` and `sending` are what publishers and listeners do with it, `engine` is
for all of them. Why it is our own: docs/decisions/own-receiver.md.
"""

from airslice.engines.embedded.engine import EmbeddedEngine

__all__ = ["EmbeddedEngine"]
