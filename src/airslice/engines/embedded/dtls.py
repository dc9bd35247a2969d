"""The DTLS handshake that SRTP keys come from, server side, by OpenSSL.

Sans-IO: datagrams in, datagrams out. The peer proves that it holds the certificate whose
fingerprint its SDP named; before that, no key leaves this module.
Source: RFC 5763, RFC 5764, RFC 8122 (fingerprints).
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import SSL, crypto

from airslice.engines.embedded.srtp import PROFILES, SrtpKeys

MTU_BYTES = 1200
"""Largest datagram that is sent; every path that carries WebRTC carries this size."""

CERTIFICATE_DAYS = 3650
"""Validity of the certificate; peers compare fingerprints, and no known one looks at dates."""

HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha-512": hashes.SHA512(),
    "sha-384": hashes.SHA384(),
    "sha-256": hashes.SHA256(),
}
"""Hash functions of the fingerprints that are accepted, the strongest first."""

_DTLS_1_2 = 0xFEFD
_RECORD_HEADER_BYTES = 13
_CIPHERS = (
    b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES256-GCM-SHA384"
    b":ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA"
)
_FLIGHT_BYTES = 8192
_EXPORTER_LABEL = b"EXTRACTOR-dtls_srtp"


class Fingerprint(NamedTuple):
    """A certificate's digest, as SDP's ``a=fingerprint`` gives it."""

    algorithm: str
    """A key of `HASHES`."""
    digest: bytes


class DtlsState(Enum):
    """How far a DTLS association has come."""

    HANDSHAKING = auto()
    ESTABLISHED = auto()  # the peer is who its SDP said, and there are keys
    CLOSED = auto()  # by a close_notify or an alert, or the handshake failed


class DtlsServer:
    """Makes the engine's self-signed certificate, at `utc_ns`, and accepts associations with it."""

    def __init__(self, utc_ns: int) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _self_signed(key, datetime.fromtimestamp(utc_ns // 10**9, UTC))
        self.fingerprint = Fingerprint("sha-256", certificate.fingerprint(hashes.SHA256()))
        self._context = SSL.Context(SSL.DTLS_METHOD)
        self._context.set_min_proto_version(_DTLS_1_2)
        self._context.set_max_proto_version(_DTLS_1_2)
        self._context.set_options(SSL.OP_NO_TICKET | SSL.OP_NO_QUERY_MTU | SSL.OP_NO_RENEGOTIATION)
        self._context.set_mode(SSL.MODE_RELEASE_BUFFERS)
        self._context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
        self._context.set_cipher_list(_CIPHERS)
        self._context.use_certificate(certificate)
        self._context.use_privatekey(key)
        # Any certificate passes here: it is self-signed, and its fingerprint is what counts.
        self._context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_: True)
        self._context.set_tlsext_use_srtp(b":".join(p.openssl_name for p in PROFILES))

    def accept(self, fingerprints: Sequence[Fingerprint]) -> DtlsAssociation:
        """Return an association with a peer whose certificate must be one of `fingerprints`."""
        connection = SSL.Connection(self._context, None)
        connection.set_accept_state()
        connection.set_ciphertext_mtu(MTU_BYTES)
        return DtlsAssociation(connection, fingerprints)


class DtlsAssociation:
    """One peer's DTLS association: datagrams in, datagrams out.

    Methods that return a list return datagrams that the caller must send to the peer.
    """

    def __init__(self, connection: SSL.Connection, fingerprints: Sequence[Fingerprint]) -> None:
        self._connection = connection
        self._fingerprints = fingerprints
        self.state = DtlsState.HANDSHAKING
        self._keys: SrtpKeys | None = None

    def receive(self, datagram: bytes) -> list[bytes]:
        """Take a datagram of the peer; return the datagrams that answer it."""
        if self.state is DtlsState.CLOSED:
            return []
        try:
            self._connection.bio_write(datagram)
            if self.state is DtlsState.HANDSHAKING:
                self._connection.do_handshake()
                self._establish()
            else:
                # A close_notify or a repeated flight may be here; application data is not for us.
                while True:
                    self._connection.recv(len(datagram))
        except SSL.WantReadError:
            pass
        except SSL.Error:  # among them ZeroReturnError: the peer's close_notify
            self.state = DtlsState.CLOSED
        return self._outgoing()

    def take_keys(self) -> SrtpKeys | None:
        """Return the keys, once, after the state has become `ESTABLISHED`."""
        keys, self._keys = self._keys, None
        return keys

    def retransmit(self) -> list[bytes]:
        """Return the last flight again if its time has come (RFC 6347 section 4.2.4)."""
        if self.state is DtlsState.HANDSHAKING:
            try:
                self._connection.DTLSv1_handle_timeout()
            except SSL.Error:  # it was repeated too often
                self.state = DtlsState.CLOSED
        return self._outgoing()

    def close(self) -> list[bytes]:
        """Close the association; return the close_notify, if there is somebody to send it to."""
        if self.state is DtlsState.CLOSED:
            return []
        established = self.state is DtlsState.ESTABLISHED
        self.state = DtlsState.CLOSED
        if established:
            self._shut_down()
        return self._outgoing()

    def _establish(self) -> None:
        certificate = self._connection.get_peer_certificate()
        selected = self._connection.get_selected_srtp_profile()
        profile = next((p for p in PROFILES if p.openssl_name == selected), None)
        if certificate is None or profile is None or not self._is_expected(certificate):
            self.state = DtlsState.CLOSED
            self._shut_down()
            return
        self.state = DtlsState.ESTABLISHED
        self._keys = SrtpKeys.of_server(
            profile,
            self._connection.export_keying_material(_EXPORTER_LABEL, profile.keying_material_bytes),
        )

    def _is_expected(self, certificate: crypto.X509) -> bool:
        """Whether the SDP named it. Of several hash functions the strongest decides (RFC 8122).

        The certificate is not parsed again: a parser stricter than OpenSSL's could only fail.
        """
        offered = {fingerprint.algorithm for fingerprint in self._fingerprints}
        strongest = next((name for name in HASHES if name in offered), None)
        if strongest is None:
            return False
        digest = certificate.digest(HASHES[strongest].name).replace(b":", b"").decode()
        return Fingerprint(strongest, bytes.fromhex(digest)) in self._fingerprints

    def _shut_down(self) -> None:
        with contextlib.suppress(SSL.Error):  # there may be nothing left to say it over
            self._connection.shutdown()

    def _outgoing(self) -> list[bytes]:
        try:
            data = self._connection.bio_read(_FLIGHT_BYTES)
        except SSL.Error:  # nothing to send
            return []
        return list(datagrams(data))


def datagrams(data: bytes) -> Iterator[bytes]:
    """Split consecutive DTLS records into datagrams of at most `MTU_BYTES`.

    This is needed because a memory BIO does not keep the boundaries of datagrams.
    """
    start = end = 0
    while end + _RECORD_HEADER_BYTES <= len(data):
        size = _RECORD_HEADER_BYTES + int.from_bytes(data[end + 11 : end + 13], "big")
        if end > start and end + size - start > MTU_BYTES:
            yield data[start:end]
            start = end
        end += size
    if end > start:
        yield data[start:end]


def _self_signed(key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    # A random name: the same in every installation would let peers be told apart by it.
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, secrets.token_hex(8))])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=CERTIFICATE_DAYS))
        .sign(key, hashes.SHA256())
    )
