"""Parsers of what API clients and publishers ask for, and of what an operator writes."""

from __future__ import annotations

import base64
import hmac
import json
import struct
from typing import Any
from urllib.parse import urlencode

import msgspec

from airslice.config import ConfigError, fresh_config, load
from airslice.delivery.destination import DestinationRefused, validate_url
from airslice.domain import room_token
from airslice.domain.destination import AddressRule
from airslice.domain.errors import AirsliceError, TokenRefused
from airslice.domain.room import is_valid_id
from airslice.domain.room_token import Privilege, RoomClaims, mint
from airslice.domain.script import Voice
from airslice.domain.ssml import MarkupRefused, read_markup
from airslice.domain.storage_target import BUCKET_PATTERN
from airslice.facades.http.refusals import Refusal
from airslice.facades.http.signatures import SignedRequest
from airslice.facades.volcengine.bodies import from_body, from_query, parse_query
from airslice.facades.volcengine.operations import OPERATIONS, Call, UseCases
from airslice.facades.volcengine.requests import StorageConfig
from airslice.facades.volcengine.signature import verify
from airslice.facades.volcengine.storage_config import storage_view
from tests.support.clients.wire_client import authorization
from tests.support.clock import HandClock
from tests.support.fuzz.parser import Parser
from tests.support.fuzz.scratch import FOLDER
from tests.support.stages.volcengine_stage import VolcengineStage
from tests.support.values.http_text import VECTORS, read_request
from tests.support.values.sample_bodies import CUSTOM, KEY, OLD_START, START, TOS
from tests.support.values.wire_accounts import ACCOUNTS

MAX_QUERY_BYTES = 256 << 10
"""More of a request's head is not taken at once, see `wiring.http_protocol`."""

APP_ID, APP_KEY = KEY["AppId"], "0" * 32
NOW_S = 1_677_477_732
DATE = "20230227T060212Z"
KEYS = (ACCOUNTS[0].access_key, ACCOUNTS[0].secret_key)
TOKEN = mint(
    RoomClaims(
        room_id="room",
        user_id="user",
        privileges={Privilege.PUBLISH_STREAM: 0},
        issued_at_s=NOW_S,
        expires_at_s=NOW_S + 60,
    ),
    app_id=APP_ID,
    app_key=APP_KEY,
    nonce=7,
)
MESSAGE = base64.b64decode(TOKEN[27:])[2:-34]


def read_token(data: bytes) -> None:
    """Verify a token as it came, and one whose message was damaged before it was signed."""
    forged = data.decode("latin-1")
    signature = hmac.digest(APP_KEY.encode(), data, "sha256")
    signed = b"".join(struct.pack("<H", len(part)) + part for part in (data, signature))
    for token in (forged, f"001{APP_ID}{base64.b64encode(signed).decode()}"):
        try:
            grant = room_token.verify(
                token, app_id=APP_ID, app_key=APP_KEY, room_id="room", now_s=NOW_S
            )
        except TokenRefused:
            continue
        assert is_valid_id(grant.user_id)


def read_signed_header(data: bytes) -> None:
    """Verify a request whose header, or whose date, is this."""
    text = data.decode("latin-1")
    for headers in (
        {"authorization": text, "x-date": DATE},
        {"authorization": AUTHORIZATION.decode(), "x-date": text},
    ):
        _verify({"host": "h", **headers}, [("Action", "A"), ("Version", "V")])


def read_signed_query(data: bytes) -> None:
    """Verify a request with this query."""
    _verify({"host": "h"}, parse_query(data.decode(errors="replace")))


def _verify(headers: dict[str, str], query: list[tuple[str, str]]) -> None:
    request = SignedRequest(method="GET", path=b"/", query=query, headers=headers, body=b"")
    caller = verify(request, secret_keys=dict([KEYS]), now_s=NOW_S)
    assert caller.access_key == KEYS[0]


AUTHORIZATION = authorization(
    method="GET", query={"Action": "A", "Version": "V"}, date=DATE, body=b"", keys=KEYS
).encode()
SIGNED_QUERY = urlencode(
    read_request(next(VECTORS.glob("signatures/node-query/*.http"))).query
).encode()


LARGEST = ("StartSegment", "2023-11-01")
LONG_BYTES = 10_000


def read_body(data: bytes) -> None:
    """Give every operation this body, as JSON and as a form; a long one only the largest."""
    operations = OPERATIONS if len(data) < LONG_BYTES else {LARGEST: OPERATIONS[LARGEST]}
    for content_type in ("application/json", "application/x-www-form-urlencoded"):
        for (_, version), operation in operations.items():
            call = Call(
                use_cases=USE_CASES,
                account=ACCOUNTS[0],
                version=version,
                query={},
                content_type=content_type,
                body=data,
                redundant_unit_ms=1_000,
            )
            try:
                request = from_body(call.body, call.content_type, operation.takes)
                _finish(operation.run(call, request))
            except (Refusal, AirsliceError):
                continue


def read_query(data: bytes) -> None:
    """Give every operation this query."""
    query = dict(parse_query(data.decode(errors="replace")))
    for operation in OPERATIONS.values():
        from_query(query, operation.takes)


def _finish(work: Any) -> None:
    """Run a coroutine that waits for nothing."""
    try:
        work.send(None)
    except StopIteration:
        return
    raise AssertionError("it waits")


STAGE = VolcengineStage(HandClock(utc_ms=NOW_S * 1_000))
USE_CASES = UseCases(tasks=STAGE.tasks, moderation=STAGE.moderation, callbacks=STAGE.callbacks)


def read_storage(data: bytes) -> None:
    """Read a StorageConfig; a bucket that is accepted is a name that can stand in a path."""
    target = msgspec.json.decode(data, type=StorageConfig).target()
    assert BUCKET_PATTERN.fullmatch(target.bucket)
    storage_view(target)


def read_url(data: bytes) -> None:
    """Judge a callback URL."""
    url = validate_url(data.decode(errors="replace"), AddressRule())
    assert url.scheme in ("http", "https")
    assert url.origin()
    assert url.user is None


def read_ssml(data: bytes) -> None:
    """Read a text to be spoken; its runs cover it, and its pauses lie in it."""
    markup = read_markup(data.decode(errors="replace"), Voice(asset_id="voice"))
    ends = [run.end for run in markup.runs]
    assert [run.start for run in markup.runs] == [0, *ends[:-1]][: len(ends)]
    assert len(markup.text) == max(ends, default=0)
    assert all(0 <= at <= len(markup.text) and ms > 0 for at, ms in markup.pauses)


FILE = FOLDER / "airslice.toml"


def read_config(data: bytes) -> None:
    """Load a configuration file."""
    FILE.write_bytes(data)
    load(FILE, {})


def encoded(body: object) -> bytes:
    return json.dumps(body).encode()


STREAMS = {"StreamList": [{"Index": 1, "UserId": "u", "StreamType": 1}]}
FULL = {
    **START,
    "TargetStreams": STREAMS,
    "Control": {"Align": True, "RedundantDuration": 1},
    "Duration": 20,
    "MaxIdleTime": 60,
    "Identifier": "i",
    "Handle": False,
}
CALLBACK = {**KEY, "EventList": ["RoomCreate"], "SecretKey": "s", "URL": "https://example.com/"}
BAN = {**KEY, "UserId": "u", "ForbiddenInterval": 60}

PARSERS = (
    Parser(
        name="room tokens",
        parse=read_token,
        samples=[TOKEN.encode(), MESSAGE],
        worst=[b"001" + APP_ID.encode() + b"A" * 1_000_000, MESSAGE[:-30] + b"\xff" * 60_000],
        max_bytes=65_000,
        also_in=[
            "test_no_bit_of_the_message_can_be_changed",
            "test_garbage_is_refused_and_nothing_else",
            "test_signed_garbage_is_refused_or_read",
            "test_a_signed_message_that_is_cut_and_extended_never_fails_otherwise",
        ],
    ),
    Parser(
        name="signatures, header",
        parse=read_signed_header,
        samples=[AUTHORIZATION, DATE.encode()],
        refusals=(Refusal,),
        worst=[
            b"HMAC-SHA256" + b" " * 1_000_000,
            b"HMAC-SHA256 Credential=a/20230227/r/rtc/request, SignedHeaders=x-date"
            + b";a" * 500_000
            + b", Signature=0",
        ],
        also_in=["test_any_headers"],
    ),
    Parser(
        name="signatures, query",
        parse=read_signed_query,
        samples=[SIGNED_QUERY],
        refusals=(Refusal,),
        worst=[SIGNED_QUERY + b"&a" * 250, SIGNED_QUERY + b"&" * 1_000_000],
        max_bytes=MAX_QUERY_BYTES,
        also_in=["test_any_query", "test_any_query_signature"],
    ),
    Parser(
        name="request bodies",
        parse=read_body,
        samples=[
            *map(encoded, (FULL, OLD_START, KEY, CALLBACK, BAN)),
            b"AppId=a&RoomId=r&TargetStreams.StreamList.1.UserId=u&Duration=20&X={}",
        ],
        worst=[
            b"[" * 1_000_000,
            b'{"a":' * 200_000,
            b"A" + b".A" * 500_000 + b"=1",
            b"&".join(b"A" + b".A" * 2_000 + b"%d=1" % n for n in range(250)),
            b"A=" + b"%" * 65_000,
            b'{"AppId":' + b"9" * 1_000_000 + b"}",
            b'{"Duration":1' + b"0" * 1_000_000 + b"}",
            b'{"' + b"k" * 1_000_000 + b'":1}',
        ],
        examples=200,
        also_in=["test_any_fields", "test_any_bytes", "test_any_form"],
    ),
    Parser(
        name="request queries",
        parse=read_query,
        samples=[b"Action=GetSegmentTask&Version=2023-11-01&AppId=a&RoomId=r&TaskId=%20t"],
        refusals=(Refusal,),
        worst=[b"a=1&" * 250_000, b"%" * 1_000_000, b"AppId=" + b"%41" * 300_000],
        max_bytes=MAX_QUERY_BYTES,
        also_in=["test_any_signed_query"],
    ),
    Parser(
        name="storage_config",
        parse=read_storage,
        samples=[
            encoded({"TosConfig": TOS}),
            encoded({"Type": 2, "CustomConfig": CUSTOM}),
            encoded({"Type": 2, "CustomConfig": {**CUSTOM, "Vendor": 4, "Region": 0}}),
        ],
        refusals=(Refusal, AirsliceError, msgspec.DecodeError, UnicodeDecodeError, RecursionError),
        worst=[encoded({"TosConfig": {**TOS, "Bucket": "a" * 1_000_000}})],
    ),
    Parser(
        name="callback URLs",
        parse=read_url,
        samples=[
            b"https://example.com/callback?token=1",
            b"http://[2606:4700:4700::1111]:8443/",
            "http://bücher.example/ä?ö#ü".encode(),
            b"http://8.8.8.8",
            b"http://u:p@[2606:4700::1]:@",
        ],
        refusals=(DestinationRefused,),
        worst=[b"http://" + b"a." * 1_000, b"http://" + b"xn--" * 500, b"http://a/" + b"../" * 670],
    ),
    Parser(
        name="SSML",
        parse=read_ssml,
        samples=[
            b'<speak>Hello <break time="500ms"/><prosody rate="slow" pitch="+10%">you</prosody>,'
            b'<emphasis level="strong">now</emphasis><sub alias="World Wide">WWW</sub></speak>',
            b'<p><s>a.</s><s>b!</s></p><say-as interpret-as="digits">123</say-as> &amp; c',
            "你好。<break strength='x-strong'/>再见\n".encode(),
        ],
        refusals=(MarkupRefused,),
        worst=[b"<p>" * 20_000, b"<" * 60_000, b"<p " * 20_000, b"<s>a</s>" * 8_000],
        max_bytes=65_536,
    ),
    Parser(
        name="configuration files",
        parse=read_config,
        samples=[
            fresh_config().encode(),
            b"\n".join(
                line for line in fresh_config().encode().split(b"\n") if line and line[:1] != b"#"
            ),
        ],
        refusals=(ConfigError,),
        worst=[
            b"a = " + b"[" * 100_000,
            b"a = " + b"{a=" * 50_000,
            b"a = " + b"9" * 100_000,
            b'a = "' + b"\\u0041" * 100_000,
        ],
        examples=200,
    ),
)
