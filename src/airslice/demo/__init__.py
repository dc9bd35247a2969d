"""The whole way of a slice, shown on one machine: speak, slice, store, call back, verify.

A live job speaks. Around the server stand three parties, each independent of its code: a client
that signs requests on both clouds' wires, a listener (aiortc), and a receiver that verifies
callbacks.
"""

from airslice.demo.run import run as run
