"""Tokens that stand for a user of a project, in place of a signature.

A token is opaque to its bearer: base64url of a JSON claim, a dot, and base64url of an HMAC-SHA256
over it. The key of the HMAC holds the user's password too, so that a token ends with it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable

import msgspec

from airslice.domain.projects import Project, ProjectUser
from airslice.facades.http.refusals import Refusal
from airslice.facades.huawei import errors

VALID_S = 24 * 3_600
"""Seconds that a token is valid (https://support.huaweicloud.com/api-iam/iam_30_0001.html)."""

MAX_TOKEN_CHARS = 4_096

_PURPOSE = b"airslice: Huawei project token "


class _Claim(msgspec.Struct, frozen=True):
    project_id: str
    user: str
    expires_at_s: int


class ProjectTokens:
    """Makes and verifies tokens.

    Args:
        projects: Those whose users may have one.
        master_key: The server's master key; a key for this purpose alone is derived from it.
    """

    def __init__(self, projects: Iterable[Project], master_key: bytes) -> None:
        self._projects = {project.project_id: project for project in projects}
        self._master_key = master_key

    def mint(self, project: Project, user: ProjectUser, *, now_s: int) -> str:
        """Return a token for `user` that is valid from now on for `VALID_S`."""
        claim = msgspec.json.encode(_Claim(project.project_id, user.name, now_s + VALID_S))
        return f"{_encode(claim)}.{_encode(self._signature(claim, user))}"

    def verify(self, token: str, *, now_s: int) -> Project:
        """Return the project whose user bears `token`.

        Raises:
            Refusal: the token is malformed, forged or expired, or its user is no more.
        """
        text, _, signature = token[:MAX_TOKEN_CHARS].partition(".")
        try:
            given = _decode(text)
            claim = msgspec.json.decode(given, type=_Claim)
            presented = _decode(signature)
        except (ValueError, binascii.Error, msgspec.DecodeError):
            raise Refusal(errors.UNAUTHENTICATED, "decrypt token fail") from None
        project = self._projects.get(claim.project_id)
        users = project.users if project else ()
        user = next((user for user in users if user.name == claim.user), None)
        if project is None or user is None:
            raise Refusal(errors.UNAUTHENTICATED, "decrypt token fail")
        if not hmac.compare_digest(self._signature(given, user), presented):
            raise Refusal(errors.UNAUTHENTICATED, "decrypt token fail")
        if now_s >= claim.expires_at_s:
            raise Refusal(errors.UNAUTHENTICATED, "token expires")
        return project

    def _signature(self, claim: bytes, user: ProjectUser) -> bytes:
        purpose = _PURPOSE + hashlib.sha256(user.password.encode()).digest()
        key = hmac.digest(self._master_key, purpose, hashlib.sha256)
        return hmac.digest(key, claim, hashlib.sha256)


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return base64.b64decode(text.encode() + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
