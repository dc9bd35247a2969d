"""A real browser with a microphone that hears a file."""

from __future__ import annotations

import contextlib
import os
import shutil
import wave
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright, expect

from tests.support.audio.slice_audio import Samples
from tests.support.waiting import PATIENCE_S

PROGRAM = shutil.which("chromium") or shutil.which("google-chrome")

needs_chromium = pytest.mark.skipif(
    PROGRAM is None and "CI" not in os.environ, reason="chromium is not installed"
)

expect.set_options(timeout=PATIENCE_S * 1_000)

SWITCHES = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    # Candidates with plain addresses: there is no mDNS on a test machine.
    "--disable-features=WebRtcHideLocalIpsWithMdns",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]


@contextlib.asynccontextmanager
async def browser_page(folder: Path, heard: Samples) -> AsyncIterator[Page]:
    """Open a page; its microphone hears `heard`, mono at 48 kHz, once, from when it is opened."""
    recording = folder / "heard.wav"
    with wave.open(str(recording), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes(heard.tobytes())
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=PROGRAM,
            args=[*SWITCHES, f"--use-file-for-fake-audio-capture={recording}%noloop"],
        )
        try:
            page = await browser.new_page()
            page.set_default_timeout(PATIENCE_S * 1_000)
            yield page
        finally:
            await browser.close()
