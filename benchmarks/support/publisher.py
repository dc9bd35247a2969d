"""A WebRTC publisher that costs little: the least of ICE, DTLS and SRTP that a server takes.

It is the controlling agent and the DTLS client, sends speech that was encoded beforehand with
audio levels, sender reports and consent checks, and answers a full agent's checks.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import socket
import struct
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import aiohttp
import pylibsrtp
from aioice import stun
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import SSL

from benchmarks.support.speech import FRAME_SAMPLES, SpeechPacket

PAYLOAD_TYPE = 111
LEVEL_ID = 1
JOIN_TIMEOUT_S = 30
RETRANSMIT_S = 0.5

_RTP = struct.Struct("!BBHIIHHBBxx")
_ONE_BYTE_EXTENSION = 0xBEDE
_REPORT = struct.Struct("!BBHIQIII")
_NTP_EPOCH_S = 2_208_988_800

_POLICY = pylibsrtp.Policy
_PROFILES = {
    b"SRTP_AEAD_AES_128_GCM": (_POLICY.SRTP_PROFILE_AEAD_AES_128_GCM, 16, 12),
    b"SRTP_AES128_CM_SHA1_80": (_POLICY.SRTP_PROFILE_AES128_CM_SHA1_80, 16, 14),
}


class Identity:
    """One certificate for all publishers: making one each would only warm the machine."""

    def __init__(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "publisher")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .sign(key, hashes.SHA256())
        )
        self.fingerprint = "sha-256 " + certificate.fingerprint(hashes.SHA256()).hex(":").upper()
        self.context = SSL.Context(SSL.DTLS_METHOD)
        self.context.set_options(SSL.OP_NO_QUERY_MTU)
        self.context.use_certificate(certificate)
        self.context.use_privatekey(key)
        self.context.set_tlsext_use_srtp(b":".join(_PROFILES))


class Publisher:
    """One user with one connection."""

    def __init__(
        self,
        identity: Identity,
        speech: Sequence[SpeechPacket],
        *,
        begin: int,
        packets_per_slice: int,
    ) -> None:
        """Speak from the packet `begin` of `speech` on, over and over."""
        self.is_live = False
        self.sent_packets = 0
        self.slice_ends_ns: list[int] = []
        """When the last packet of each slice was sent, on the wall clock."""
        self._identity = identity
        self._speech = speech
        self._begin = begin
        self._packets_per_slice = packets_per_slice
        self._ufrag = secrets.token_hex(4)
        self._password = secrets.token_hex(16)
        self._server_ufrag = self._server_password = ""
        self._ssrc = secrets.randbits(32)
        self._first_sequence = secrets.randbits(15)
        self._first_timestamp = secrets.randbits(32)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._checked = asyncio.Event()
        self._secured = asyncio.Event()
        self._dtls = SSL.Connection(identity.context, None)
        self._dtls.set_connect_state()
        self._dtls.set_ciphertext_mtu(1200)

    async def join(self, http: aiohttp.ClientSession, endpoint: str, token: str) -> None:
        """Open a session at the WHIP `endpoint` and connect.

        Raises:
            RuntimeError: the server refused the offer.
            TimeoutError: the server does not answer.
        """
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/sdp"}
        async with http.post(endpoint, data=self.offer(), headers=headers) as response:
            answer = await response.text()
            if response.status != 201:
                raise RuntimeError(f"publishing was refused: {response.status} {answer}")
        await self.connect(answer)

    def offer(self) -> str:
        """Return an SDP offer of the fewest lines."""
        lines = (
            "v=0",
            "o=- 1 1 IN IP4 0.0.0.0",
            "s=-",
            "t=0 0",
            "a=group:BUNDLE 0",
            f"m=audio 9 UDP/TLS/RTP/SAVPF {PAYLOAD_TYPE}",
            "c=IN IP4 0.0.0.0",
            "a=mid:0",
            f"a=ice-ufrag:{self._ufrag}",
            f"a=ice-pwd:{self._password}",
            f"a=fingerprint:{self._identity.fingerprint}",
            "a=setup:active",
            "a=sendonly",
            "a=rtcp-mux",
            f"a=rtpmap:{PAYLOAD_TYPE} opus/48000/2",
            f"a=extmap:{LEVEL_ID} urn:ietf:params:rtp-hdrext:ssrc-audio-level",
            "a=candidate:1 1 udp 1 127.0.0.1 9 typ host",  # the server learns the true one
            "",
        )
        return "\r\n".join(lines)

    async def connect(self, answer: str) -> None:
        """Connect to the server that gave `answer`; then packets can be sent.

        Raises:
            TimeoutError: the server does not answer.
        """
        self._server_ufrag = re.findall(r"a=ice-ufrag:(\S+)", answer)[0]
        self._server_password = re.findall(r"a=ice-pwd:(\S+)", answer)[0]
        candidates = re.findall(r"a=candidate:\S+ 1 udp \d+ (\S+) (\d+) typ host", answer)
        host, port = next((host, port) for host, port in candidates if ":" not in host)
        self._socket.connect((host, int(port)))
        asyncio.get_running_loop().add_reader(self._socket, self._receive)
        async with asyncio.timeout(JOIN_TIMEOUT_S):
            while not self._checked.is_set():
                self.send_check()
                await _wait(self._checked)
            self._shake_hands()
            while not self._secured.is_set():
                if not await _wait(self._secured):
                    self._dtls.DTLSv1_handle_timeout()
                    self._flush_dtls()
        self.is_live = True

    def send_packet(self) -> None:
        """Send the next 20 ms."""
        number = self.sent_packets
        payload, level = self._speech[(self._begin + number) % len(self._speech)]
        header = _RTP.pack(
            0x90,
            PAYLOAD_TYPE,
            (self._first_sequence + number) & 0xFFFF,
            (self._first_timestamp + number * FRAME_SAMPLES) & 0xFFFF_FFFF,
            self._ssrc,
            _ONE_BYTE_EXTENSION,
            1,
            LEVEL_ID << 4,
            level,
        )
        self._send(self._protect(header + payload))
        self.sent_packets = number = number + 1
        if number % self._packets_per_slice == 0:
            self.slice_ends_ns.append(time.time_ns())

    def send_report(self) -> None:
        """Send a sender report; to be called right after `send_packet`."""
        seconds, ns = divmod(time.time_ns(), 10**9)
        ntp = (seconds + _NTP_EPOCH_S) << 32 | (ns << 32) // 10**9
        timestamp = (self._first_timestamp + self.sent_packets * FRAME_SAMPLES) & 0xFFFF_FFFF
        report = _REPORT.pack(0x80, 200, 6, self._ssrc, ntp, timestamp, self.sent_packets, 0)
        self._send(self._srtp.protect_rtcp(report))

    def send_check(self) -> None:
        """Send a connectivity check, which is also how a browser asks for consent."""
        check = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        check.attributes["USERNAME"] = f"{self._server_ufrag}:{self._ufrag}"
        check.attributes["PRIORITY"] = 1
        check.attributes["ICE-CONTROLLING"] = 1
        check.attributes["USE-CANDIDATE"] = None
        check.add_message_integrity(self._server_password.encode())
        check.add_fingerprint()
        self._send(bytes(check))

    def close(self) -> None:
        """Be gone, with DTLS's farewell."""
        self.is_live = False
        self._dtls.shutdown()
        self._flush_dtls()
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()

    def _receive(self) -> None:
        while True:
            try:
                datagram = self._socket.recv(2048)
            except OSError:  # nothing left, or an ICMP error
                return
            if datagram[0] < 4:
                self._take_stun(datagram)
            elif 19 < datagram[0] < 64 and not self._secured.is_set():
                self._dtls.bio_write(datagram)
                self._shake_hands()

    def _take_stun(self, datagram: bytes) -> None:
        message = stun.parse_message(datagram)
        if message.message_class is stun.Class.RESPONSE:
            self._checked.set()
        elif message.message_class is stun.Class.REQUEST:
            answer = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, message.transaction_id)
            answer.attributes["XOR-MAPPED-ADDRESS"] = self._socket.getpeername()
            answer.add_message_integrity(self._password.encode())
            answer.add_fingerprint()
            self._send(bytes(answer))

    def _shake_hands(self) -> None:
        try:
            self._dtls.do_handshake()
        except SSL.WantReadError:
            self._flush_dtls()
            return
        self._flush_dtls()
        libsrtp_id, key, salt = _PROFILES[self._dtls.get_selected_srtp_profile()]
        material = self._dtls.export_keying_material(b"EXTRACTOR-dtls_srtp", 2 * (key + salt))
        secret = material[:key] + material[2 * key : 2 * key + salt]
        self._srtp = pylibsrtp.Session(_POLICY(secret, _POLICY.SSRC_ANY_OUTBOUND, 0, libsrtp_id))
        self._protect = self._srtp.protect
        self._secured.set()

    def _flush_dtls(self) -> None:
        try:
            while True:
                self._send(self._dtls.bio_read(2048))
        except SSL.Error:  # nothing to send
            return

    def _send(self, datagram: bytes) -> None:
        try:
            self._socket.send(datagram)
        except OSError:  # the server is gone, which its figures will tell
            return


async def _wait(event: asyncio.Event) -> bool:
    try:
        async with asyncio.timeout(RETRANSMIT_S):
            await event.wait()
    except TimeoutError:
        return False
    return True
