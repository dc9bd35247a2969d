"""Floods of well-formed checks and handshakes, by peers who have no credentials, on a real port."""

from __future__ import annotations

import asyncio

import pytest
from OpenSSL import SSL

from airslice.engines.embedded import EmbeddedEngine
from airslice.engines.embedded.stats import Drop
from tests.support.clients.raw_publisher import RawPublisher, rtp
from tests.support.stages.observers import RecordingSink
from tests.support.waiting import until

FLOOD = 5_000
ATTACKERS = 10


def client_hello() -> bytes:
    """Return the first flight of a handshake."""
    context = SSL.Context(SSL.DTLS_METHOD)
    connection = SSL.Connection(context, None)
    connection.set_connect_state()
    with pytest.raises(SSL.WantReadError):
        connection.do_handshake()
    return connection.bio_read(4_096)


async def test_peers_without_credentials_get_no_answer_and_hold_up_nobody(
    engine: EmbeddedEngine, sink: RecordingSink
) -> None:
    with RawPublisher() as publisher, RawPublisher() as victim:
        await publisher.connect(engine.open(publisher.offer(), sink).answer)
        victim.read_answer(engine.open(victim.offer(), RecordingSink()).answer)
        forged = [
            victim.check(password="wrong" * 6),
            victim.check(username="nobody:else"),
            client_hello(),
        ]
        attackers = [RawPublisher() for _ in range(ATTACKERS)]
        for attacker in attackers:
            attacker.server = victim.server

        for number in range(FLOOD):
            attackers[number % ATTACKERS].send(forged[number % len(forged)])
            if number % 50 == 0:
                publisher.send_rtp(rtp(number // 50))
                await asyncio.sleep(0)  # the engine has the same loop
        await victim.bind()
        await victim.shake_hands()

        stats = engine.stats()
        for attacker in attackers:
            with pytest.raises(BlockingIOError):
                attacker.socket.recv(2_048)
            attacker.socket.close()
    dropped = {reason: stats.dropped.get(reason, 0) for reason in Drop}
    refused = (
        dropped[Drop.UNAUTHENTIC_CHECK] + dropped[Drop.UNKNOWN_USER] + dropped[Drop.UNBOUND_ADDRESS]
    )
    print(f"{refused} of {FLOOD} refused, none answered")
    assert refused > FLOOD * 0.9
    assert len(sink.all_packets) > FLOOD / 50 * 0.9


async def test_a_peer_with_credentials_starts_one_handshake_only(
    engine: EmbeddedEngine, sink: RecordingSink
) -> None:
    """He is a publisher; but what he makes the server compute and send is bounded all the same."""
    with RawPublisher() as peer:
        peer.read_answer(engine.open(peer.offer(), sink).answer)
        await peer.bind()
        sent_bytes = received_bytes = 0
        for _ in range(500):
            hello = client_hello()  # each with another random
            peer.send(hello)
            sent_bytes += len(hello)
            await asyncio.sleep(0)
        await until(lambda: engine.stats().dropped.get(Drop.HANDSHAKE_LIMIT))
        while True:
            try:
                received_bytes += len(peer.socket.recv(2_048))
            except BlockingIOError:
                break

    print(f"{sent_bytes} bytes sent, {received_bytes} received")
    assert received_bytes < sent_bytes
