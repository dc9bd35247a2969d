"""Parsers of what callback receivers and object stores answer, and of what a disk gives back."""

from __future__ import annotations

import asyncio
import atexit
import hashlib
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from airslice.application.ports.journal import StreamAddress
from airslice.delivery.volcengine.callback_sender import HttpCallbackSender
from airslice.domain.callback import CallbackReceiver
from airslice.domain.destination import AddressRule
from airslice.domain.errors import StoreFailed, StoreRefused
from airslice.domain.outbox import Failed, Gone, Made
from airslice.domain.room import RoomKey, StreamKey
from airslice.domain.storage_endpoints import StorageOverride
from airslice.storage.journal import DiskJournal, past_journals
from airslice.storage.journal_records import framed, payloads
from airslice.storage.s3 import S3ObjectStore
from airslice.storage.s3_answers import Answer, Content, failure, is_confirmed
from tests.support.clock import HandClock
from tests.support.fuzz.parser import Parser
from tests.support.fuzz.scratch import FOLDER
from tests.support.stages.scripted_store import ACCESS_KEY, SECRET_KEY
from tests.support.values.journal_values import ANN, BOB, note, spoken
from tests.support.values.values import TARGET, an_event
from tests.support.waiting import PATIENCE_S

T = TypeVar("T")
Answered = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

SLICE = FOLDER / "slice"
SLICE.write_bytes(b"a slice")
SHA256 = hashlib.sha256(b"a slice")


class Loop:
    """A loop, and on it a server whose answers are raw bytes."""

    def __init__(self) -> None:
        self.answer = b""
        self._loop = asyncio.new_event_loop()
        self._server = self.run(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.origin = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def run(self, work: Awaitable[T]) -> T:
        """Wait for `work`."""

        async def waited() -> T:
            return await work

        return self._loop.run_until_complete(waited())

    def close(self) -> None:
        """Close the server and the loop."""
        self._server.close()
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            if b"content-length: " in head:
                size = head.partition(b"content-length: ")[2].partition(b"\r\n")[0]
                await reader.readexactly(int(size))
            writer.write(self.answer)
            await writer.drain()
        writer.close()


LOOP = Loop()


async def _sender() -> HttpCallbackSender:
    return HttpCallbackSender(HandClock(), AddressRule(["127.0.0.0/8"]), timeout_s=PATIENCE_S)


async def _store() -> S3ObjectStore:
    override = StorageOverride(endpoint=LOOP.origin, access_key=ACCESS_KEY, secret_key=SECRET_KEY)
    return S3ObjectStore(HandClock(), [override], timeout_s=PATIENCE_S)


SENDER = LOOP.run(_sender())
STORE = LOOP.run(_store())


@atexit.register
def _close() -> None:
    LOOP.run(SENDER.close())
    LOOP.run(STORE.close())
    LOOP.close()


RECEIVER = CallbackReceiver(url=f"{LOOP.origin}/callback", secret="s")


def read_receivers_answer(data: bytes) -> None:
    """Post a callback to a receiver that answers these bytes."""
    LOOP.answer = data
    outcome = LOOP.run(SENDER.send(an_event(), RECEIVER))
    assert isinstance(outcome, Made | Gone | Failed)
    if isinstance(outcome, Failed):
        assert outcome.retry_after_s >= 0
        assert SECRET_KEY not in outcome.reason


def read_stores_answer(data: bytes) -> None:
    """Upload a slice to a store that answers these bytes."""
    LOOP.answer = data
    upload = STORE.put(
        TARGET,
        "key.wav",
        SLICE,
        content_type="audio/wav",
        sha256=SHA256.hexdigest(),
        metadata={"room": "r"},
    )
    LOOP.run(upload)


CONTENT = Content(size_bytes=7, md5=hashlib.md5(b"a slice").digest(), sha256=SHA256.digest())


def read_stores_words(data: bytes) -> None:
    """Judge an answer: two bytes of status, a line for a header, the body."""
    status = int.from_bytes(data[:2], "big") % 600
    line, _, body = data[2:].partition(b"\n")
    name, _, value = line.decode(errors="surrogateescape").partition(": ")
    answer = Answer(status=status, headers={name.lower(): value}, body=body)
    error = failure(answer)
    assert len(str(error)) < 200
    is_confirmed(answer, CONTENT)


def read_journal(data: bytes) -> None:
    """Start after a crash, with this as a segment of the journal; then with sound checksums."""
    contents = [data, b"".join(framed(payload) for payload in data.split(b"|"))]
    for number, content in enumerate(contents):
        root = FOLDER / f"journal{number}"
        segment = root / "00000000000000000001" / "00000001"
        segment.parent.mkdir(parents=True, exist_ok=True)
        segment.write_bytes(content)
        (past,) = past_journals(root)
        assert len(past.unsettled) <= len(content)
        for address in (ANN, BOB, STRANGER):
            for piece in past.pieces(address):
                assert piece.packet is None or len(piece.packet.payload) <= len(content)


STRANGER = StreamAddress(RoomKey("app", "room"), StreamKey("stranger"))


async def _a_journal(root: Path) -> bytes:
    journal = DiskJournal(root, HandClock(), 1 << 30)
    journal.opened(note("one"), reach_back_s=0)
    for number in range(3):
        journal.keep(ANN, [spoken(2 * number), spoken(2 * number + 1)])
        journal.keep(BOB, [spoken(number)])
    journal.placed("run", ANN, 5)
    journal.closed("one", index=3, samples=960)
    journal.opened(note("two"), reach_back_s=0)
    journal.settled("one")
    await journal.close()
    (path,) = root.glob("*/*")
    return path.read_bytes()


JOURNAL = LOOP.run(_a_journal(FOLDER / "sound"))
UNFRAMED = b"|".join(payload for _, payload in payloads(JOURNAL))

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: %b\r\nContent-Length: 0\r\n\r\n"
ETAG = CONTENT.md5.hex().encode()
ERROR = b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>"

PARSERS = (
    Parser(
        name="callback receivers' answers",
        parse=read_receivers_answer,
        samples=[
            OK,
            OK.replace(b"200 OK", b"410 Gone"),
            BUSY % b"120",
            BUSY % b"Wed, 21 Oct 2015 07:28:00 GMT",
            BUSY % b"Fri, 31 Dec 9999 23:59:59 -0000",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
            b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nSet-Cookie: a=b\r\n\r\n",
            b"HTTP/1.1 100 Continue\r\n\r\n" + OK,
            b"HTTP/1.0 429 Too Many\r\nContent-Encoding: gzip\r\n\r\nnot gzip",
        ],
        worst=[
            b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 150_000,
            b"HTTP/1.1 200 OK\r\nA: " + b"b" * 1_000_000,
            b"HTTP/1.1 503 Busy\r\nRetry-After: " + b"(" * 8_000 + b"\r\n\r\n",
            b"HTTP/1.1 503 Busy\r\nRetry-After: " + b"9" * 8_000 + b"\r\n\r\n",
            b"HTTP/1.1 503 Busy\r\nRetry-After: " + b"1 " * 4_000 + b"\r\n\r\n",
            b"HTTP/1.1 100 Continue\r\n\r\n" * 40_000,
            b"HTTP/1.1 200 OK\r\n\r\n" + bytes(1_000_000),
        ],
        examples=200,
    ),
    Parser(
        name="stores' answers over HTTP",
        parse=read_stores_answer,
        samples=[
            b'HTTP/1.1 200 OK\r\nETag: "%b"\r\nContent-Length: 0\r\n\r\n' % ETAG,
            b"HTTP/1.1 403 Forbidden\r\nContent-Length: %d\r\n\r\n%b" % (len(ERROR), ERROR),
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
            b"HTTP/1.1 307 Redirect\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n",
        ],
        refusals=(StoreFailed, StoreRefused),
        worst=[b"HTTP/1.1 500 Oops\r\n\r\n" + b"<Code>" * 160_000],
        examples=200,
    ),
    Parser(
        name="stores' answers, S3 XML",
        parse=read_stores_words,
        samples=[
            b"\x01\x93a: b\n" + ERROR,
            b'\0\xc8etag: "' + ETAG + b'"\n',
            b"\0\xc8x-amz-checksum-sha256: " + CONTENT.sha256_base64.encode() + b"\n",
            b"\0\xc8x-amz-server-side-encryption: aws:kms\n",
        ],
        refusals=(StoreFailed,),
        worst=[b"\x01\x93\n" + b"<Code>" * 160_000, b"\x01\x93\n<Code>" + b"A" * 1_000_000],
    ),
    Parser(
        name="journals of a damaged disk",
        parse=read_journal,
        samples=[JOURNAL, UNFRAMED],
        worst=[bytes(1_000_000), JOURNAL * 700, framed(bytes(1)) * 110_000],
        also_in=["test_damage_ends_a_segment_and_breaks_nothing"],
    ),
)
