"""The ASGI application of Huawei's wire: read, verify, dispatch, answer."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from airslice import __version__
from airslice.application.ports.clock import Clock
from airslice.domain.apps import Account
from airslice.domain.errors import RateLimited
from airslice.domain.live_job import LiveJob
from airslice.domain.projects import Project
from airslice.domain.rate_limit import RateLimit
from airslice.facades.http.openapi import shown
from airslice.facades.http.refusals import Refusal, refusal_of
from airslice.facades.huawei import errors
from airslice.facades.huawei.access import Access
from airslice.facades.huawei.audience_events import ReportQuery
from airslice.facades.huawei.bodies import from_body, from_query
from airslice.facades.huawei.calls import Call, JobFacts, Operation, UseCases
from airslice.facades.huawei.errors import FIELDS, WIRE_ERRORS
from airslice.facades.huawei.exchange import Exchange
from airslice.facades.huawei.identity import Identity
from airslice.facades.huawei.openapi import openapi_document
from airslice.facades.huawei.operations import OPERATIONS, REPORT, find_operation
from airslice.facades.huawei.tokens import ProjectTokens

OPENAPI_PATH = "/api/openapi/huawei.json"
TOKENS_PATH = b"/v3/auth/tokens"
PROJECTS_PATH = b"/v3/projects"

TOKENS_PER_SECOND = 10
"""Requests for tokens that the whole server takes: as fast as passwords can be tried."""

_log = logging.getLogger(__name__)


class HuaweiFacade:
    """Answers every path below ``/v1/`` and IAM's paths; see `takes`.

    Args:
        accounts: Who may sign requests; access keys are unique.
        projects: Their tenants, with the users that may fetch tokens.
        use_cases: What the operations call.
        master_key: The server's; signs tokens.
        clock: Judges signatures, tokens and rates.
    """

    def __init__(
        self,
        *,
        accounts: Sequence[Account],
        projects: Sequence[Project],
        use_cases: UseCases,
        master_key: bytes,
        clock: Clock,
    ) -> None:
        tokens = ProjectTokens(projects, master_key)
        self._access = Access(accounts, projects, tokens, clock)
        self._identity = Identity(projects, tokens)
        self._use_cases = use_cases
        self._clock = clock
        self._token_limit = RateLimit(TOKENS_PER_SECOND)
        self._limits = {
            (project.project_id, operation.name): RateLimit(operation.per_second)
            for project in projects
            for operation in OPERATIONS
            if operation.per_second
        }

    def routes(self) -> list[Route]:
        """Return the route of this wire's OpenAPI document."""
        document = openapi_document(OPERATIONS, version=__version__)
        return [Route(OPENAPI_PATH, shown(document), methods=["GET"])]

    @staticmethod
    def takes(scope: Scope) -> bool:
        """Whether an HTTP request is for this wire, by its path."""
        path: str = scope["path"]
        return path.startswith("/v1/") or path.encode() in (TOKENS_PATH, PROJECTS_PATH)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request (ASGI)."""
        exchange = Exchange(request=Request(scope, receive))
        try:
            response = await self._respond(exchange)
        except ClientDisconnect:
            return
        except Exception as error:
            response = exchange.failure(_explain(error, exchange))
        await response(scope, receive, send)

    async def _respond(self, exchange: Exchange) -> Response:
        if exchange.path == TOKENS_PATH and exchange.method == "POST":
            self._take(self._token_limit, "the server", TOKENS_PER_SECOND)
            now_s = self._clock.utc_ns() // 1_000_000_000
            return self._identity.issue(exchange, await exchange.body(), now_s=now_s)
        if exchange.path == PROJECTS_PATH and exchange.method == "GET":
            account_id, _ = await self._access.account(exchange)
            return self._identity.projects(exchange, account_id)
        operation, ids = find_operation(exchange.method, exchange.path)
        project, body = await self._authenticate(exchange, operation, ids)
        limit = self._limits.get((project.project_id, operation.name))
        if limit is not None:
            self._take(limit, "policy user", operation.per_second)
        call = Call(
            use_cases=self._use_cases,
            project=project,
            ids=ids,
            query=from_query(exchange.query, operation.shapes.query),
            body=from_body(body, operation.shapes.body),
            facts=self._facts(exchange),
        )
        result = await operation.run(call)
        return exchange.success(result, status=operation.status)

    async def _authenticate(
        self, exchange: Exchange, operation: Operation, ids: dict[str, str]
    ) -> tuple[Project, bytes]:
        given = dict(exchange.query)
        key = given.get("auth_key") or exchange.headers.get("x-mss-auth-key")
        proves_itself = {"authorization", "x-auth-token"} & exchange.headers.keys()
        if operation.name != REPORT or not key or proves_itself:
            return await self._access.project(exchange, ids["project_id"])
        expires = given.get("expires_time") or exchange.headers.get("x-mss-expires-time", "")
        query = from_query([("auth_key", key), ("expires_time", expires)], ReportQuery)
        self._use_cases.report_keys.check(
            ids["project_id"],
            ids["room_id"],
            ids["job_id"],
            key=key,
            expires_at_ms=int(query.expires_time or 0),
        )
        return self._access.known(ids["project_id"]), await exchange.body()

    def _facts(self, exchange: Exchange) -> JobFacts:
        def report_url(job: LiveJob) -> str:
            key, expires_at_ms = self._use_cases.report_keys.mint(
                job.project_id, job.room_id, job.job_id
            )
            return (
                f"{exchange.base_url}/v1/{job.project_id}/smart-live-rooms/{job.room_id}"
                f"/smart-live-jobs/{job.job_id}/live-event-report"
                f"?auth_key={key}&expires_time={expires_at_ms}"
            )

        return JobFacts(
            now_ms=self._clock.utc_ns() // 1_000_000,
            token=self._use_cases.jobs.token,
            report_url=report_url,
        )

    def _take(self, limit: RateLimit, whose: str, per_second: int | None) -> None:
        if not limit.take(self._clock.monotonic_ns()):
            raise RateLimited(f"{whose} over ratelimit,limit:{per_second},time:1 second")


def _explain(error: Exception, exchange: Exchange) -> Refusal:
    """Return what the caller is told of `error`; log it if it is the server's own fault."""
    told = refusal_of(error, WIRE_ERRORS, FIELDS)
    if told is None:
        _log.error("request %s failed", exchange.id, exc_info=error)
        return Refusal(errors.INTERNAL_ERROR)
    return told
