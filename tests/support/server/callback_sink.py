"""A receiver of callbacks that trusts no one: every signature is verified from the documents."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SIGNED_FIELDS = ("EventType", "EventData", "EventTime", "EventId", "AppId", "Version", "Nonce")


@dataclass(frozen=True, kw_only=True, slots=True)
class Announced:
    """One slice, as a callback announced it."""

    app_id: str
    room: str
    task: str
    user: str
    bucket: str
    key: str
    index: int
    start_ms: int
    """UTC of the first sample, milliseconds since the Unix epoch."""
    end_ms: int
    duration_ms: int
    size: int
    sha256: str
    rate: int
    """Hertz."""


class CallbackSink:
    """Listens on loopback until closed. Serves an empty page too, as another site would."""

    def __init__(self) -> None:
        self.secrets: dict[str, str] = {}
        """Application id to its callback secret."""
        self.is_down = False
        """Answer 503 to every callback."""
        self.problems: list[str] = []
        """What was wrong with callbacks."""
        self._lock = threading.Lock()
        self._events: dict[str, list[Announced]] = {}  # by event id, in order of arrival
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = 503 if sink.is_down else 200
                if not sink.is_down:
                    sink._take(body, dict(self.headers))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def do_GET(self) -> None:
                page = b"<!doctype html><title>another site</title><link rel=icon href=data:,>"
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(page)))
                self.end_headers()
                self.wfile.write(page)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.origin = f"http://127.0.0.1:{self._server.server_port}"
        self.url = f"{self.origin}/callback"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def slices(self, app_id: str, room: str, task: str, user: str | None = None) -> list[Announced]:
        """Return the slices announced so far, each once, in order of their callbacks."""
        with self._lock:
            every = [slice_ for event in self._events.values() for slice_ in event]
        return [
            slice_
            for slice_ in every
            if (slice_.app_id, slice_.room, slice_.task) == (app_id, room, task)
            and user in (None, slice_.user)
        ]

    def _take(self, body: bytes, headers: Mapping[str, str]) -> None:
        event = json.loads(body)
        secret = self.secrets[event["AppId"]]
        with self._lock:
            if _vendor_signature(event, secret) != event["Signature"]:
                self.problems.append(f"wrong Signature: {event['EventId']}")
            if _webhook_signature(event, body, headers, secret) != headers["webhook-signature"]:
                self.problems.append(f"wrong webhook-signature: {event['EventId']}")
            if event["EventType"] == "SegmentRealTimeData":
                facts = json.loads(event["EventData"])
                self._events.setdefault(event["EventId"], _announced(facts))


def _vendor_signature(event: Mapping[str, str], secret: str) -> str:
    parts = sorted([*(event[name] for name in SIGNED_FIELDS), secret])
    return hashlib.sha256("".join(parts).encode()).hexdigest()


def _webhook_signature(
    event: Mapping[str, str], body: bytes, headers: Mapping[str, str], secret: str
) -> str:
    signed = f"{event['EventId']}.{headers['webhook-timestamp']}.".encode() + body
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def _announced(facts: dict[str, Any]) -> list[Announced]:
    return [
        Announced(
            app_id=facts["AppId"],
            room=facts["RoomId"],
            task=facts["TaskId"],
            user=data["Stream"]["UserId"],
            bucket=facts.get("Bucket") or facts["TosBucket"],  # the oldest version's name
            key=data["ObjectKey"],
            index=data["Index"],
            start_ms=data["StartTime"],
            end_ms=data["EndTime"],
            duration_ms=data["Duration"],
            size=data["Size"],
            sha256=data["Sha256"],
            rate=data["SampleRate"],
        )
        for data in facts["Data"]
    ]
