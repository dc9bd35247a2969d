"""The ASGI application of Volcengine's wire: read, verify, dispatch, answer."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Literal

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from airslice.application.delivery.callback_settings import CallbackSettings
from airslice.application.moderation import Moderation
from airslice.application.ports.clock import Clock
from airslice.application.tasks.slice_tasks import SliceTasks
from airslice.domain.apps import Account
from airslice.domain.errors import RateLimited
from airslice.domain.rate_limit import RateLimit
from airslice.facades.http.bodies import read_body
from airslice.facades.http.headers import joined_headers
from airslice.facades.http.openapi import shown
from airslice.facades.http.refusals import Refusal, refusal_of
from airslice.facades.http.signatures import SignedRequest
from airslice.facades.volcengine import errors
from airslice.facades.volcengine.bodies import parse_query
from airslice.facades.volcengine.envelope import ResponseMetadata, failure, new_request_id, success
from airslice.facades.volcengine.errors import FIELDS, WIRE_ERRORS
from airslice.facades.volcengine.openapi import openapi_document
from airslice.facades.volcengine.operations import OPERATIONS, Call, Operation, UseCases
from airslice.facades.volcengine.signature import verify

MAX_BODY_BYTES = 1_048_576
"""A StartSegment with 17 streams and every field at its longest is under 8 KiB."""

OPENAPI_PATH = "/api/openapi/volcengine.json"

_UNIT_MS = {"s": 1000, "ms": 1}

_log = logging.getLogger(__name__)


class VolcengineFacade:
    """Answers every request whose query has an `Action`; see `takes`.

    Args:
        accounts: Who may sign requests; access keys are unique.
        tasks: The use cases on tasks.
        moderation: Those on users and rooms.
        callbacks: Those on callback settings.
        clock: Judges signatures and rates.
        redundant_duration_unit: What RedundantDuration counts. The official tables say
            milliseconds, all official examples are right in seconds only.
    """

    def __init__(
        self,
        *,
        accounts: Sequence[Account],
        tasks: SliceTasks,
        moderation: Moderation,
        callbacks: CallbackSettings,
        clock: Clock,
        redundant_duration_unit: Literal["s", "ms"] = "s",
    ) -> None:
        self._accounts = {account.access_key: account for account in accounts}
        self._secret_keys = {account.access_key: account.secret_key for account in accounts}
        self._use_cases = UseCases(tasks=tasks, moderation=moderation, callbacks=callbacks)
        self._clock = clock
        self._redundant_unit_ms = _UNIT_MS[redundant_duration_unit]
        # The versions of an action share a limit where they have the same.
        self._limits = {
            (account.id, action, operation.per_second): RateLimit(operation.per_second)
            for account in accounts
            for (action, _), operation in OPERATIONS.items()
        }

    @staticmethod
    def takes(scope: Scope) -> bool:
        """Whether an HTTP request is for this wire: its query has an Action."""
        pairs: list[bytes] = scope["query_string"].split(b"&")
        return any(pair.partition(b"=")[0] == b"Action" for pair in pairs)

    def routes(self) -> list[Route]:
        """Return the route of this wire's OpenAPI document."""
        return [Route(OPENAPI_PATH, shown(openapi_document(OPERATIONS)), methods=["GET"])]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request (ASGI)."""
        try:
            response = await self._respond(Request(scope, receive))
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        metadata = ResponseMetadata(
            request_id=new_request_id(self._clock.utc_ns()), action="", version=""
        )
        try:
            query = parse_query(request.scope["query_string"].decode(errors="replace"))
            params = dict(query)
            metadata = msgspec.structs.replace(
                metadata, action=params.get("Action", ""), version=params.get("Version", "")
            )
            signed = await _signed_request(request, query)
            now_s = self._clock.utc_ns() // 1_000_000_000
            caller = verify(signed, secret_keys=self._secret_keys, now_s=now_s)
            metadata = msgspec.structs.replace(metadata, region=caller.region)
            operation = _find_operation(metadata, request.method)
            account = self._accounts[caller.access_key]
            self._check_rate(account, metadata.action, operation)
            call = Call(
                use_cases=self._use_cases,
                account=account,
                version=metadata.version,
                query=params,
                content_type=signed.headers.get("content-type", ""),
                body=signed.body,
                redundant_unit_ms=self._redundant_unit_ms,
            )
            return success(metadata, await operation.answer(call))
        except ClientDisconnect:
            raise
        except Exception as error:
            return failure(metadata, _explain(error, metadata))

    def _check_rate(self, account: Account, action: str, operation: Operation) -> None:
        limit = self._limits[account.id, action, operation.per_second]
        if not limit.take(self._clock.monotonic_ns()):
            raise RateLimited(
                f"{action} takes {operation.per_second} requests per second and account"
            )


async def _signed_request(request: Request, query: Sequence[tuple[str, str]]) -> SignedRequest:
    too_large = Refusal(errors.SIZE_OVER_LIMIT, str(MAX_BODY_BYTES))
    return SignedRequest(
        method=request.method,
        path=request.scope["path"].encode(),
        query=query,
        headers=joined_headers(request),
        body=await read_body(request, max_bytes=MAX_BODY_BYTES, too_large=too_large),
    )


def _find_operation(metadata: ResponseMetadata, method: str) -> Operation:
    if not metadata.action:
        raise Refusal(errors.NO_ACTION, "Action")
    if not metadata.version:
        raise Refusal(errors.NO_VERSION, "Version")
    operation = OPERATIONS.get((metadata.action, metadata.version))
    if operation is None:
        raise Refusal(errors.INVALID_ACTION_OR_VERSION, metadata.action, metadata.version)
    if method != operation.method:
        raise Refusal(errors.METHOD_NOT_ALLOWED, metadata.action, operation.method)
    return operation


def _explain(error: Exception, metadata: ResponseMetadata) -> Refusal:
    """Return what the caller is told of `error`; log it if it is the server's own fault."""
    told = refusal_of(error, WIRE_ERRORS, FIELDS)
    if told is None:
        _log.error("request %s for %r failed", metadata.request_id, metadata.action, exc_info=error)
        return Refusal(errors.INTERNAL_ERROR)
    return told
