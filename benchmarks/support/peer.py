"""The peer: what one writes with aiortc today. `track.recv()`, resampled, into WAV files.

A WHIP server without authorization; as many seconds per file as airslice's slices have.
"""

from __future__ import annotations

import argparse
import asyncio
import wave
from pathlib import Path

import av
import uvloop
from aiohttp import web
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

RATE_HZ = 16_000


class Peer:
    """Receives every offered track."""

    def __init__(self, directory: Path, slice_s: int) -> None:
        self._directory = directory
        self._slice_samples = slice_s * RATE_HZ
        self._connections: list[RTCPeerConnection] = []
        self._recording: set[asyncio.Task[None]] = set()
        self.frames = 0

    async def publish(self, request: web.Request) -> web.Response:
        """Answer an offer."""
        connection = RTCPeerConnection()
        self._connections.append(connection)
        connection.on("track", self._record)
        offer = RTCSessionDescription(await request.text(), "offer")
        await connection.setRemoteDescription(offer)
        await connection.setLocalDescription(await connection.createAnswer())
        answer = connection.localDescription.sdp
        return web.Response(status=201, text=answer, content_type="application/sdp")

    async def count(self, request: web.Request) -> web.Response:
        """Tell how many frames of 20 ms were received."""
        return web.Response(text=f"frames {self.frames}\n")

    def _record(self, track: MediaStreamTrack) -> None:
        recording = asyncio.create_task(self._write(track, len(self._connections)))
        self._recording.add(recording)
        recording.add_done_callback(self._recording.discard)

    async def _write(self, track: MediaStreamTrack, number: int) -> None:
        resampler = av.AudioResampler("s16", "mono", RATE_HZ)
        pcm = bytearray()
        index = 0
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            self.frames += 1
            for resampled in resampler.resample(frame):
                pcm += bytes(resampled.planes[0])[: resampled.samples * 2]
            if len(pcm) >= 2 * self._slice_samples:
                self._write_file(self._directory / f"{number}_{index}.wav", pcm)
                del pcm[: 2 * self._slice_samples]
                index += 1

    def _write_file(self, path: Path, pcm: bytearray) -> None:
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE_HZ)
            file.writeframes(pcm[: 2 * self._slice_samples])


async def serve(port: int, directory: Path, slice_s: int) -> None:
    """Serve until killed."""
    peer = Peer(directory, slice_s)
    app = web.Application()
    app.router.add_post("/whip/{app}/{room}", peer.publish)
    app.router.add_get("/metrics", peer.count)
    app.router.add_get("/readyz", peer.count)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--port", type=int, required=True)
    arguments.add_argument("--directory", type=Path, required=True)
    arguments.add_argument("--slice-seconds", type=int, required=True)
    options = arguments.parse_args()
    uvloop.run(serve(options.port, options.directory, options.slice_seconds))
