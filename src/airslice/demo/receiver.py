"""A receiver of callbacks, as a customer would write one."""

from __future__ import annotations

import asyncio
import hashlib
import json
from typing import Any

from aiohttp import web

SIGNED_FIELDS = ("EventType", "EventData", "EventTime", "EventId", "AppId", "Version", "Nonce")


class CallbackReceiver:
    """Listens on loopback, verifies each callback, and hands out the slices that they announce."""

    def __init__(self) -> None:
        self.slices: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.verified = 0
        self.refused = 0
        self.secret = ""
        """The application's callback secret."""
        self._seen: set[str] = set()
        self._runner: web.AppRunner | None = None

    async def start(self) -> str:
        """Listen; return the URL to call."""
        app = web.Application()
        app.router.add_post("/callback", self._take)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        return f"http://127.0.0.1:{port}/callback"

    async def close(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        event = await request.json()
        signed = sorted([*(event[name] for name in SIGNED_FIELDS), self.secret])
        if hashlib.sha256("".join(signed).encode()).hexdigest() != event["Signature"]:
            self.refused += 1
            return web.Response(status=403)
        if event["EventId"] not in self._seen:  # a callback may come twice
            self._seen.add(event["EventId"])
            self.verified += 1
            facts = json.loads(event["EventData"])
            for data in facts["Data"]:
                self.slices.put_nowait({**data, "Bucket": facts["Bucket"]})
        return web.Response()
