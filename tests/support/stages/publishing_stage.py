"""Publishers of a running server."""

from __future__ import annotations

import httpx

from tests.support.clients.rtp_publisher import RtpPublisher, Whereto
from tests.support.server.running_server import RunningServer


class PublishingStage:
    """Brings publishers to a server and takes them away again."""

    def __init__(self, server: RunningServer, http: httpx.AsyncClient) -> None:
        self.server = server
        self._http = http
        self._publishers: list[RtpPublisher] = []

    async def publish(
        self, loop: list[bytes], *, room: str, user: str, kind: str = "wav"
    ) -> RtpPublisher:
        """Let `user` publish a loop of packets."""
        token = self.server.token(kind, room, user)
        whereto = Whereto(endpoint=self.server.endpoint(kind, room), token=token)
        publisher = RtpPublisher(loop, whereto)
        self._publishers.append(publisher)
        await publisher.start(self._http)
        return publisher

    async def leave(self, publisher: RtpPublisher) -> None:
        """Let a publisher leave his room."""
        await publisher.stop(self._http)
        self._publishers.remove(publisher)

    async def close(self) -> None:
        """Take away whoever is still there."""
        for publisher in self._publishers:
            await publisher.close()
