"""DTLS handshakes, with OpenSSL as the other side."""

from __future__ import annotations

from airslice.engines.embedded.dtls import DtlsServer, DtlsState, Fingerprint, datagrams
from tests.support.fuzz.dtls_peer import Certificate, flights, shake_hands


def test_a_peer_with_the_certificate_of_his_offer_gets_keys_once() -> None:
    certificate = Certificate()
    association = DtlsServer(0).accept([certificate.fingerprint])

    assert association.take_keys() is None
    assert shake_hands(association, certificate) is DtlsState.ESTABLISHED
    assert association.take_keys() is not None


def test_another_certificate_gets_none() -> None:
    association = DtlsServer(0).accept([Fingerprint("sha-256", bytes(32))])

    assert shake_hands(association, Certificate()) is DtlsState.CLOSED
    assert association.take_keys() is None


def test_one_of_several_fingerprints_is_enough() -> None:
    certificate = Certificate()
    other = Fingerprint("sha-256", bytes(32))

    association = DtlsServer(0).accept([other, certificate.fingerprint])

    assert shake_hands(association, certificate) is DtlsState.ESTABLISHED


def test_garbage_amid_a_handshake_does_not_end_it() -> None:
    certificate = Certificate()
    association = DtlsServer(0).accept([certificate.fingerprint])

    for _ in flights(association, certificate):
        association.receive(b"\x16\xfe\xfd garbage")

    assert association.state is DtlsState.ESTABLISHED


def test_closing_tells_the_peer_once() -> None:
    certificate = Certificate()
    association = DtlsServer(0).accept([certificate.fingerprint])
    shake_hands(association, certificate)

    told = association.close()

    assert len(told) == 1
    assert told[0][0] == 21  # an alert, RFC 5246 section 6.2.1
    assert association.state is DtlsState.CLOSED
    assert association.close() == []


def test_each_datagram_is_given_apart() -> None:
    records = [b"\x16\xfe\xfd" + bytes(8) + b"\0\3" + body for body in (b"one", b"two")]

    assert b"".join(datagrams(b"".join(records))) == b"".join(records)
