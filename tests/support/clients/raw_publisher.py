"""A publisher, or listener, under full control: all that it sends is sent when a test says so.

Made of other people's parts (aioice's STUN, OpenSSL, libsrtp), so that it is an oracle too.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import socket
import struct
from typing import Self

import pylibsrtp
from aioice import stun
from aiortc import RTCCertificate
from OpenSSL import SSL

from tests.support.waiting import PATIENCE_S

PAYLOAD_TYPE = 111
LEVEL_ID = 1
PROFILES = {
    b"SRTP_AEAD_AES_128_GCM": (pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 16, 12),
    b"SRTP_AES128_CM_SHA1_80": (pylibsrtp.Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 16, 14),
}


def rtp(
    sequence: int,
    *,
    payload: bytes = b"opus",
    ssrc: int = 0x11223344,
    payload_type: int = PAYLOAD_TYPE,
    level: int | None = None,
) -> bytes:
    """Build a packet of 20 ms; its timestamp follows from `sequence`."""
    first = 0x80 if level is None else 0x90
    header = struct.pack(
        "!BBHII", first, payload_type, sequence & 0xFFFF, sequence * 960 & 0xFFFF_FFFF, ssrc
    )
    if level is not None:
        header += struct.pack("!HHBBxx", 0xBEDE, 1, LEVEL_ID << 4, level)
    return header + payload


class RawPublisher:
    """One peer on one UDP socket; ICE controlling, DTLS client."""

    def __init__(self, family: socket.AddressFamily = socket.AF_INET) -> None:
        self.certificate = RTCCertificate.generateCertificate()
        fingerprint = self.certificate.getFingerprints()[0]
        self.fingerprint = f"{fingerprint.algorithm} {fingerprint.value}"
        self.ufrag = secrets.token_hex(4)
        self.password = secrets.token_hex(16)
        self.profiles = b":".join(PROFILES)
        self.socket = self._new_socket(family)
        self.flights_to_lose = 0
        """Datagrams of the server that are lost during the handshake."""

    @staticmethod
    def _new_socket(family: socket.AddressFamily) -> socket.socket:
        sock = socket.socket(family, socket.SOCK_DGRAM)
        sock.setblocking(False)
        return sock

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def offer(self, direction: str = "sendonly") -> str:
        """Return an offer of the fewest lines."""
        return "\r\n".join(
            (
                "v=0",
                "o=- 1 1 IN IP4 0.0.0.0",
                "s=-",
                "t=0 0",
                "a=group:BUNDLE 0",
                f"m=audio 9 UDP/TLS/RTP/SAVPF {PAYLOAD_TYPE}",
                "c=IN IP4 0.0.0.0",
                "a=mid:0",
                f"a=ice-ufrag:{self.ufrag}",
                f"a=ice-pwd:{self.password}",
                f"a=fingerprint:{self.fingerprint}",
                "a=setup:actpass",
                f"a={direction}",
                "a=rtcp-mux",
                f"a=rtpmap:{PAYLOAD_TYPE} opus/48000/2",
                f"a=extmap:{LEVEL_ID} urn:ietf:params:rtp-hdrext:ssrc-audio-level",
                "",
            )
        )

    def read_answer(self, answer: str) -> None:
        """Take the server's address and credentials from an answer or a fragment."""
        self.server_ufrag = re.findall(r"a=ice-ufrag:(\S+)", answer)[0]
        self.server_password = re.findall(r"a=ice-pwd:(\S+)", answer)[0]
        host, port = re.findall(r"a=candidate:1 1 udp \d+ (\S+) (\d+) typ host", answer)[0]
        self.server = (host, int(port))

    def move(self) -> None:
        """Go on from another port."""
        family = self.socket.family
        self.socket.close()
        self.socket = self._new_socket(family)

    def send(self, datagram: bytes) -> None:
        """Send a datagram as it is."""
        self.socket.sendto(datagram, self.server)

    def check(
        self, *, password: str = "", username: str = "", is_controlled: bool = False
    ) -> bytes:
        """Return a connectivity check; the right one, unless told otherwise."""
        message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        message.attributes["USERNAME"] = username or f"{self.server_ufrag}:{self.ufrag}"
        message.attributes["PRIORITY"] = 1
        message.attributes["ICE-CONTROLLED" if is_controlled else "ICE-CONTROLLING"] = 1
        message.attributes["USE-CANDIDATE"] = None
        message.add_message_integrity((password or self.server_password).encode())
        message.add_fingerprint()
        return bytes(message)

    async def receive(self, timeout_s: float = PATIENCE_S) -> bytes:
        """Return the next datagram of the server."""
        async with asyncio.timeout(timeout_s):
            return await asyncio.get_running_loop().sock_recv(self.socket, 2048)

    async def bind(self) -> stun.Message:
        """Make a connectivity check; return the answer."""
        self.send(self.check())
        while True:
            datagram = await self.receive()
            if datagram[0] < 4:
                answer = stun.parse_message(datagram)
                assert answer.check_message_integrity(self.server_password.encode())
                return answer

    async def shake_hands(self) -> None:
        """Do the DTLS handshake and make SRTP sessions of its keys."""
        context = SSL.Context(SSL.DTLS_METHOD)
        context.set_options(SSL.OP_NO_QUERY_MTU)
        context.use_certificate(self.certificate._cert)
        context.use_privatekey(self.certificate._key)
        context.set_tlsext_use_srtp(self.profiles)
        self.dtls = SSL.Connection(context, None)
        self.dtls.set_connect_state()
        self.dtls.set_ciphertext_mtu(1200)
        while True:
            try:
                self.dtls.do_handshake()
            except SSL.WantReadError:
                self.flush_dtls()
                while self.flights_to_lose:
                    await self.receive()
                    self.flights_to_lose -= 1
                self.dtls.bio_write(await self.receive())
            else:
                break
        self.flush_dtls()
        self._make_srtp()

    def flush_dtls(self) -> None:
        """Send what OpenSSL has to say."""
        try:
            self.send(self.dtls.bio_read(4096))
        except SSL.Error:
            return

    def _make_srtp(self) -> None:
        libsrtp_id, key, salt = PROFILES[self.dtls.get_selected_srtp_profile()]
        material = self.dtls.export_keying_material(b"EXTRACTOR-dtls_srtp", 2 * (key + salt))
        keys, salts = material[: 2 * key], material[2 * key :]
        policy = pylibsrtp.Policy
        self._outbound = pylibsrtp.Session(
            policy(keys[:key] + salts[:salt], policy.SSRC_ANY_OUTBOUND, 0, libsrtp_id)
        )
        self._inbound = pylibsrtp.Session(
            policy(keys[key:] + salts[salt:], policy.SSRC_ANY_INBOUND, 0, libsrtp_id)
        )

    async def connect(self, answer: str) -> None:
        """Check, then shake hands."""
        self.read_answer(answer)
        await self.bind()
        await self.shake_hands()

    def protect(self, packet: bytes) -> bytes:
        """Return an RTP packet as SRTP."""
        return self._outbound.protect(packet)

    def send_rtp(self, packet: bytes) -> None:
        """Send an RTP packet, protected."""
        self.send(self.protect(packet))

    def send_rtcp(self, packet: bytes) -> None:
        """Send an RTCP packet, protected."""
        self.send(self._outbound.protect_rtcp(packet))

    async def receive_rtp(self) -> bytes:
        """Return the next RTP packet of the server."""
        while True:
            datagram = await self.receive()
            if datagram[0] >> 6 == 2 and not 191 < datagram[1] < 224:
                return self._inbound.unprotect(datagram)

    async def receive_rtcp(self) -> bytes:
        """Return the next RTCP packet of the server."""
        while True:
            datagram = await self.receive()
            if 191 < datagram[1] < 224 and datagram[0] >> 6 == 2:
                return self._inbound.unprotect_rtcp(datagram)
