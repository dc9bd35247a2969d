"""What every response is wrapped in.

Source: https://www.volcengine.com/docs/6348/1178322.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

import msgspec
from starlette.responses import Response

from airslice.facades.http.refusals import Refusal

DEFAULT_REGION = "cn-north-1"
"""The region of service rtc (docs/6348/69828), named where the request names none."""


class ErrorInfo(msgspec.Struct, rename="pascal", kw_only=True, frozen=True):
    """Why a request failed."""

    code_n: int | msgspec.UnsetType = msgspec.UNSET
    code: str
    message: str


class ResponseMetadata(msgspec.Struct, rename="pascal", kw_only=True, frozen=True):
    """Facts about the request. All but `error` are required by the Go SDK's models."""

    request_id: str
    action: str
    version: str
    service: str = "rtc"
    region: str = DEFAULT_REGION
    error: ErrorInfo | msgspec.UnsetType = msgspec.UNSET


class Envelope(msgspec.Struct, rename="pascal", kw_only=True, frozen=True):
    """A whole response body.

    `Result` is left out of failures: the Go SDK decodes it into a string where successes have
    one, and an empty object there makes it report a JSON error in place of ours.
    """

    result: object = msgspec.UNSET
    response_metadata: ResponseMetadata


def new_request_id(utc_ns: int) -> str:
    """Return a fresh id like the vendor's: the UTC second, then 20 hexadecimal digits."""
    moment = datetime.fromtimestamp(utc_ns // 1_000_000_000, UTC)
    return f"{moment:%Y%m%d%H%M%S}{secrets.token_hex(10).upper()}"


def success(metadata: ResponseMetadata, result: object) -> Response:
    """Return the answer that carries a result."""
    return _response(200, Envelope(result=result, response_metadata=metadata))


def failure(metadata: ResponseMetadata, refusal: Refusal) -> Response:
    """Return the answer that tells an error."""
    code_n = refusal.error.code_n
    info = ErrorInfo(
        code_n=msgspec.UNSET if code_n is None else code_n,
        code=refusal.error.code,
        message=str(refusal),
    )
    failed = msgspec.structs.replace(metadata, error=info)
    return _response(refusal.error.status, Envelope(response_metadata=failed))


def _response(status: int, envelope: Envelope) -> Response:
    return Response(
        msgspec.json.encode(envelope),
        status_code=status,
        media_type="application/json",
        # The SDKs log this header as the request's id.
        headers={"X-Tt-Logid": envelope.response_metadata.request_id},
    )
