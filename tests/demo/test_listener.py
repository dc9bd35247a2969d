"""What the demo's listener does with the server's answers; `make demo` lets him hear a room."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from airslice.demo.listener import Listener


async def test_a_listener_who_is_refused_says_why(
    server: Any, session: aiohttp.ClientSession
) -> None:
    server.status, server.answer = 403, {"code": "user_banned"}
    listener = Listener(session, f"{server.url}/whep/app/room", "001token")

    with pytest.raises(RuntimeError, match=r"listening was refused: 403 .*user_banned"):
        await listener.start()
    await listener.close()

    (asked,) = server.asked  # there was no session to end
    assert (asked.method, asked.path) == ("POST", "/whep/app/room")
    assert asked.headers["authorization"] == "Bearer 001token"
    assert asked.headers["content-type"] == "application/sdp"
    assert b"a=recvonly" in asked.body
    assert (listener.heard_s, listener.level_dbfs) == (0, -100)
