"""Huawei IAM, as far as clients of smart live need it: tokens, and the list of projects.

Source: https://support.huaweicloud.com/api-iam/iam_30_0001.html (tokens), /iam_06_0001.html
(projects).
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from starlette.responses import Response

from airslice.domain.projects import Project, ProjectUser
from airslice.facades.huawei.bodies import from_body
from airslice.facades.huawei.exchange import Exchange
from airslice.facades.huawei.fields import Wire
from airslice.facades.huawei.tokens import VALID_S, ProjectTokens

WRONG_PASSWORD = {
    "code": 401,
    "message": "The username or password is wrong.",
    "title": "Unauthorized",
}


class Named(Wire, frozen=True, kw_only=True):
    """Something that is named by its name or its id."""

    name: str | None = None
    id: str | None = None


class PasswordUser(Named, frozen=True, kw_only=True):
    """A user who asks for a token."""

    password: str
    domain: Named = Named()


class PasswordMethod(Wire, frozen=True, kw_only=True):
    """A proof by a password."""

    user: PasswordUser


class IdentityRequest(Wire, frozen=True, kw_only=True):
    """How somebody who asks for a token proves who he is."""

    methods: list[str]
    password: PasswordMethod


class ScopeRequest(Wire, frozen=True, kw_only=True):
    """The project that a token is asked for."""

    project: Named = Named()


class AuthRequest(Wire, frozen=True, kw_only=True):
    """Who asks for a token, and for which project."""

    identity: IdentityRequest
    scope: ScopeRequest = ScopeRequest()


class TokenRequest(Wire, frozen=True, kw_only=True):
    """Body of POST /v3/auth/tokens."""

    auth: AuthRequest


class Identity:
    """Answers requests to IAM: tokens for the users of projects, and the projects of an account."""

    def __init__(self, projects: Sequence[Project], tokens: ProjectTokens) -> None:
        self._projects = projects
        self._tokens = tokens

    def issue(self, exchange: Exchange, body: bytes, *, now_s: int) -> Response:
        """Answer POST /v3/auth/tokens."""
        asked = from_body(body, TokenRequest).auth
        found = [*self._owners(asked)] if asked.identity.methods == ["password"] else []
        if len(found) != 1:
            return exchange.success({"error": WRONG_PASSWORD}, status=401)
        [(project, user)] = found
        name = asked.scope.project.name or project.name
        domain = {"id": project.account_id, "name": project.account_id}
        token: dict[str, Any] = {
            "methods": ["password"],
            "issued_at": _time(now_s),
            "expires_at": _time(now_s + VALID_S),
            "user": {
                "id": user.name,
                "name": user.name,
                "domain": domain,
                "password_expires_at": "",
            },
            "project": {"id": project.project_id, "name": name, "domain": domain},
            "roles": [{"id": "0", "name": "te_admin"}],
        }
        if "nocatalog" not in dict(exchange.query):
            token["catalog"] = [_service(exchange, name)]
        response = exchange.success({"token": token}, status=201)
        response.headers["X-Subject-Token"] = self._tokens.mint(project, user, now_s=now_s)
        return response

    def projects(self, exchange: Exchange, account_id: str) -> Response:
        """Answer GET /v3/projects with the account's projects of the name that is asked for."""
        name = dict(exchange.query).get("name", "")
        found = [
            {
                "id": project.project_id,
                "name": project.name or name,
                "domain_id": account_id,
                "parent_id": account_id,
                "is_domain": False,
                "enabled": True,
                "description": "",
            }
            for project in _named([p for p in self._projects if p.account_id == account_id], name)
        ]
        links = {"self": f"{exchange.base_url}/v3/projects", "next": None, "previous": None}
        return exchange.success({"links": links, "projects": found})

    def _owners(self, asked: AuthRequest) -> Iterable[tuple[Project, ProjectUser]]:
        """Return the users that are meant and whose password is right, with their projects."""
        given = asked.identity.password.user
        scope = asked.scope.project
        for project in _named(self._projects, scope.name or ""):
            if scope.id not in (None, project.project_id):
                continue
            if not {given.domain.name, given.domain.id} <= {None, project.account_id}:
                continue
            for user in project.users:
                is_right = hmac.compare_digest(user.password.encode(), given.password.encode())
                if is_right and (given.name or given.id) == user.name:
                    yield project, user


def _named(projects: Sequence[Project], name: str) -> list[Project]:
    """Return the projects with a name; if there are none, those that go by any name."""
    if not name:
        return list(projects)
    exactly = [project for project in projects if project.name == name]
    return exactly or [project for project in projects if not project.name]


def _service(exchange: Exchange, region: str) -> dict[str, Any]:
    """Describe the one service that a token is good for."""
    endpoint = {
        "id": "metastudio",
        "interface": "public",
        "region": region,
        "region_id": region,
        "url": f"{exchange.base_url}/v1",
    }
    names = dict.fromkeys(("id", "name", "type"), "metastudio")
    return {**names, "endpoints": [endpoint]}


def _time(utc_s: int) -> str:
    return f"{datetime.fromtimestamp(utc_s, UTC):%Y-%m-%dT%H:%M:%S}.000000Z"
