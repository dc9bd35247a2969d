"""The whole way of a slice, shown on one machine: publish, slice, store, call back, verify.

It plays the three parties around a server, each independent of the server's code: a publisher
(aiortc), a client that signs requests, and a receiver that verifies callbacks.
"""

from airslice.demo.run import run as run
