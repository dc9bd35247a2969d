"""Whatever proves that somebody knows a secret is compared in constant time alone."""

from __future__ import annotations

import ast
import hmac
import re
import struct
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from zlib import crc32

import pytest
from starlette.requests import Request

import airslice
from airslice.domain import room_token
from airslice.domain.errors import TokenRefused
from airslice.domain.room_token import Privilege
from airslice.engines.embedded.stun import is_authentic, parse_binding_request
from airslice.facades.console.access import COOKIE, AdminAccess
from airslice.facades.http.refusals import Refusal
from airslice.facades.http.signatures import SignedRequest
from airslice.facades.volcengine.signature import verify
from airslice.storage.signed_url import UrlSigner
from tests.support.clients.wire_client import authorization
from tests.support.clock import HandClock

Verify = Callable[[str], bool]
"""Tries a secret that may be right; whether it was taken."""

APP_ID = "1" * 24


def request_is_taken(secret: str) -> bool:
    date = "20231115T120000Z"
    query = [("Action", "X"), ("Version", "1")]
    signed = authorization(method="GET", query=query, date=date, body=b"", keys=("AK", secret))
    request = SignedRequest(
        method="GET",
        path=b"/",
        query=query,
        headers={"authorization": signed, "x-date": date},
        body=b"",
    )
    try:
        verify(request, secret_keys={"AK": "right"}, now_s=1_700_049_600)
    except Refusal:
        return False
    return True


def token_is_taken(secret: str) -> bool:
    token = room_token.mint(
        room_token.RoomClaims(
            room_id="room",
            user_id="user",
            privileges={Privilege.PUBLISH_STREAM: 0},
            issued_at_s=0,
            expires_at_s=0,
        ),
        app_id=APP_ID,
        app_key=secret,
        nonce=1,
    )
    try:
        room_token.verify(token, app_id=APP_ID, app_key="right", room_id="room", now_s=0)
    except TokenRefused:
        return False
    return True


def check_is_taken(secret: str) -> bool:
    """A STUN check, written from RFC 8489."""

    def attribute(kind: int, value: bytes) -> bytes:
        return struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)

    def header(length: int) -> bytes:
        return struct.pack("!HHI", 1, length, 0x2112A442) + bytes(12)

    body = attribute(0x0006, b"ours:theirs")
    digest = hmac.new(secret.encode(), header(len(body) + 24) + body, "sha1").digest()
    body += attribute(0x0008, digest)
    checksum = crc32(header(len(body) + 8) + body) ^ 0x5354554E
    body += attribute(0x8028, struct.pack("!I", checksum))
    message = header(len(body)) + body
    request = parse_binding_request(message)
    assert request is not None
    return is_authentic(message, request, b"right")


def url_is_taken(secret: str) -> bool:
    url = urlsplit(UrlSigner(secret.encode()).sign("b", "k", expires_at_s=10))
    query = {name: value for name, [value] in parse_qs(url.query).items()}
    return UrlSigner(b"right").is_valid("b", "k", now_s=5, **query)


def session_is_taken(secret: str) -> bool:
    access = AdminAccess(password="right", master_key=bytes(32), clock=HandClock())
    other = AdminAccess(password=secret, master_key=bytes(32), clock=HandClock())
    expires = "9999999999"
    signature = other._signature(expires)  # noqa: SLF001 - the comparison to sign in is replaced
    return access.is_signed_in(request_with(f"{COOKIE}={expires}.{signature}"))


def password_is_taken(secret: str) -> bool:
    access = AdminAccess(password="right", master_key=bytes(32), clock=HandClock())
    try:
        access.sign_in(request_with(), secret)
    except Refusal:
        return False
    return True


def request_with(cookie: str = "") -> Request:
    headers = [(b"cookie", cookie.encode())] if cookie else []
    return Request(
        {"type": "http", "scheme": "http", "client": ("127.0.0.1", 1), "headers": headers,
         "server": ("127.0.0.1", 80), "path": "/"}
    )  # fmt: skip


VERIFIERS = [
    request_is_taken,
    token_is_taken,
    check_is_taken,
    url_is_taken,
    session_is_taken,
    password_is_taken,
]


@pytest.mark.parametrize("is_taken", VERIFIERS)
class TestVerifiers:
    def test_the_right_secret_is_taken_and_a_wrong_one_is_not(self, is_taken: Verify) -> None:
        assert is_taken("right")
        assert not is_taken("wrong")

    def test_the_comparison_in_constant_time_alone_decides(
        self, is_taken: Verify, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        compared = 0

        def always(answer: bool) -> Callable[[object, object], bool]:
            def compare(one: object, other: object) -> bool:
                nonlocal compared
                compared += 1
                return answer

            return compare

        monkeypatch.setattr(hmac, "compare_digest", always(False))
        assert not is_taken("right")

        monkeypatch.setattr(hmac, "compare_digest", always(True))
        assert is_taken("wrong")
        assert compared == 2


SECRET_NAME = re.compile(r"(^|_)(signature|digest|mac|password|secret|secret_key|app_key|token)$")


def test_nothing_that_is_named_like_a_proof_is_compared_otherwise() -> None:
    """A guard against the next verifier: it reads the source, so it knows only names."""
    found, files = [], 0
    for path in sorted(Path(airslice.__file__).parent.rglob("*.py")):
        files += 1
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Compare):
                continue
            sides = [node.left, *node.comparators]
            is_equality = any(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops)
            is_constant = any(isinstance(side, ast.Constant) for side in sides)
            if is_equality and not is_constant and any(map(is_proof, sides)):
                found.append(f"{path.name}:{node.lineno}: {ast.unparse(node)}")

    assert found == []
    assert files > 100


def is_proof(node: ast.expr) -> bool:
    name = getattr(node, "attr", getattr(node, "id", ""))
    return SECRET_NAME.search(str(name)) is not None
