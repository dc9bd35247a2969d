"""A DTLS client in memory, with any certificate that OpenSSL can load."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import SSL, crypto

from airslice.engines.embedded.dtls import (
    DtlsAssociation,
    DtlsServer,
    DtlsState,
    Fingerprint,
    datagrams,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
FLIGHTS = 4


KEY = ec.generate_private_key(ec.SECP256R1())


class Certificate:
    """A certificate of `KEY`; `der`: one that was made before, and damaged."""

    def __init__(self, der: bytes = b"") -> None:
        self.der = der or self._made()

    @staticmethod
    def _made() -> bytes:
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "peer")])
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(KEY.public_key())
            .serial_number(12_345)
            .not_valid_before(START)
            .not_valid_after(START + timedelta(days=9_000))
            .sign(KEY, hashes.SHA256())
            .public_bytes(serialization.Encoding.DER)
        )

    @property
    def fingerprint(self) -> Fingerprint:
        """What the SDP would say of it."""
        return Fingerprint("sha-256", hashlib.sha256(self.der).digest())

    def context(self) -> SSL.Context:
        """Return what a client with this certificate shakes hands with.

        Raises:
            ValueError, crypto.Error, SSL.Error: it cannot be loaded, or its key is another's.
        """
        context = SSL.Context(SSL.DTLS_METHOD)
        context.set_tlsext_use_srtp(b"SRTP_AES128_CM_SHA1_80")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # only the old way takes what is no certificate quite
            context.use_certificate(crypto.load_certificate(crypto.FILETYPE_ASN1, self.der))
        context.use_privatekey(KEY)
        context.check_privatekey()
        return context


def flights(association: DtlsAssociation, certificate: Certificate) -> Iterator[list[bytes]]:
    """Shake hands; yield what the client sends, flight by flight."""
    client = SSL.Connection(certificate.context(), None)
    client.set_connect_state()
    client.set_ciphertext_mtu(1_200)
    for _ in range(FLIGHTS):
        try:
            client.do_handshake()
        except SSL.WantReadError:
            pass
        except SSL.Error:
            return
        try:
            flight = list(datagrams(client.bio_read(65_536)))
        except SSL.Error:  # nothing more to send
            return
        yield flight
        for datagram in flight:
            for answer in association.receive(datagram):
                client.bio_write(answer)


def shake_hands(association: DtlsAssociation, certificate: Certificate) -> DtlsState:
    """Shake hands; return how it ended."""
    for _ in flights(association, certificate):
        pass
    return association.state


def recorded_flights(server: DtlsServer, certificate: Certificate) -> list[list[bytes]]:
    """Return what a client sends in a handshake that succeeds."""
    association = server.accept([certificate.fingerprint])
    recorded = list(flights(association, certificate))
    assert association.state is DtlsState.ESTABLISHED
    return recorded
