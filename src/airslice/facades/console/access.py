"""Who may use the console: whoever knows the password or, without one, this machine alone."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections import deque
from ipaddress import IPv6Address, ip_address, ip_network

from starlette.requests import Request
from starlette.responses import Response

from airslice.application.ports.clock import Clock
from airslice.facades.http.refusals import Refusal, WireError

COOKIE = "airslice_session"
SESSION_S = 12 * 3_600
_SESSION = re.compile(r"(?P<expires>[0-9]{1,11})\.(?P<signature>[0-9a-f]{64})")
_PURPOSE = b"airslice: console session "

CROSS_SITE = WireError("cross_site", 403, "another site's page may not use the console")
NOT_LOCAL = WireError(
    "not_local", 403, "without server.admin_password the console answers to its own machine only"
)
NOT_SIGNED_IN = WireError("not_signed_in", 401, "sign in first: POST /api/session")
WRONG_PASSWORD = WireError("wrong_password", 401, "the password is wrong")
TOO_MANY_TRIES = WireError("too_many_tries", 429, "the password was wrong too often; wait a minute")

PROXY_HEADERS = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
"""A request that carries one of these may come from anywhere, whatever the socket says."""

MAX_FAILED_TRIES = 5
TRIES_WINDOW_NS = 60 * 10**9
MAX_PEERS = 1_024
"""How many peers' failed tries are remembered; the one that is known longest is forgotten first."""


class AdminAccess:
    """Decides who may use the console and the admin API.

    Args:
        password: None: only requests from this machine are answered.
        master_key: The server's master key; sessions end when it or the password changes.
        clock: For the expiry of sessions and the pace of tries.
    """

    def __init__(self, *, password: str | None, master_key: bytes, clock: Clock) -> None:
        self._password = None if password is None else password.encode()
        self._key = hmac.digest(master_key, _PURPOSE + (self._password or b""), hashlib.sha256)
        self._clock = clock
        self._tries = _FailedTries()

    @property
    def needs_password(self) -> bool:
        """Whether anybody has to sign in at all."""
        return self._password is not None

    def require_reachable(self, request: Request) -> None:
        """Refuse a request that may not even see the sign-in page.

        Raises:
            Refusal: it does not come from this machine, and there is no password to ask for;
                or another site's page sent it.
        """
        # A browser tells which site's page made it ask; a page elsewhere has no business here.
        # Following a link to the console is no such thing.
        site = request.headers.get("sec-fetch-site", "none")
        mode = request.headers.get("sec-fetch-mode")
        if site not in ("none", "same-origin") and mode != "navigate":
            raise Refusal(CROSS_SITE)
        if self._password is None and not _is_local(request):
            raise Refusal(NOT_LOCAL)

    def require_signed_in(self, request: Request) -> None:
        """Refuse a reachable caller who may not use the admin API.

        Raises:
            Refusal: nobody is signed in.
        """
        if not self.is_signed_in(request):
            raise Refusal(NOT_SIGNED_IN)

    def is_signed_in(self, request: Request) -> bool:
        """Whether the request carries a session that has not expired, or needs none."""
        if self._password is None:
            return True
        match = _SESSION.fullmatch(request.cookies.get(COOKIE, ""))
        return (
            match is not None
            and hmac.compare_digest(match["signature"], self._signature(match["expires"]))
            and self._now_s() < int(match["expires"])
        )

    def sign_in(self, request: Request, password: str) -> Response:
        """Return a response that starts a session.

        Raises:
            Refusal: the password is wrong, or was wrong too often.
        """
        peer, now_ns = _peer(request), self._clock.monotonic_ns()
        if self._tries.are_spent(peer, now_ns):
            raise Refusal(TOO_MANY_TRIES, headers={"Retry-After": "60"})
        # Digests have one length, so that the comparison does not tell the password's.
        given, expected = (
            hmac.digest(self._key, text, hashlib.sha256)
            for text in (password.encode(), self._password or b"")
        )
        if self._password is not None and not hmac.compare_digest(given, expected):
            self._tries.add(peer, now_ns)
            raise Refusal(WRONG_PASSWORD)
        expires = str(self._now_s() + SESSION_S)
        return _with_cookie(request, f"{expires}.{self._signature(expires)}", SESSION_S)

    def sign_out(self, request: Request) -> Response:
        """Return a response that makes the browser forget its session."""
        return _with_cookie(request, "", 0)

    def _signature(self, expires: str) -> str:
        return hmac.digest(self._key, expires.encode(), hashlib.sha256).hex()

    def _now_s(self) -> int:
        return self._clock.utc_ns() // 10**9


class _FailedTries:
    """Counts wrong passwords per peer over the last minute, for a bounded number of peers."""

    def __init__(self) -> None:
        self._times_ns: dict[str, deque[int]] = {}

    def are_spent(self, peer: str, now_ns: int) -> bool:
        times_ns = self._times_ns.get(peer)
        if times_ns is None or len(times_ns) < MAX_FAILED_TRIES:
            return False
        return now_ns - times_ns[0] < TRIES_WINDOW_NS

    def add(self, peer: str, now_ns: int) -> None:
        if peer not in self._times_ns and len(self._times_ns) >= MAX_PEERS:
            del self._times_ns[next(iter(self._times_ns))]
        self._times_ns.setdefault(peer, deque(maxlen=MAX_FAILED_TRIES)).append(now_ns)


def _is_local(request: Request) -> bool:
    """Whether a program on this machine sent the request, meaning this server.

    The Host header has to name this machine too: a page whose own name was made to resolve to
    127.0.0.1 (DNS rebinding) is refused by it.
    """
    if any(header in request.headers for header in PROXY_HEADERS):
        return False
    host = request.url.hostname or ""
    return _is_loopback(request.client.host if request.client else "") and (
        host == "localhost" or _is_loopback(host)
    )


def _is_loopback(host: str) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return address.is_loopback


def _peer(request: Request) -> str:
    """Name the peer: its IPv4 address, or the IPv6 network that one subscriber has."""
    host = request.client.host if request.client else ""
    return str(ip_network((host, 64), strict=False)) if ":" in host else host


def _with_cookie(request: Request, value: str, max_age_s: int) -> Response:
    response = Response(status_code=204, headers={"Cache-Control": "no-store"})
    response.set_cookie(
        COOKIE,
        value,
        max_age=max_age_s,
        path="/api",
        httponly=True,
        samesite="strict",
        secure="https" in (request.url.scheme, request.headers.get("x-forwarded-proto")),
    )
    return response
