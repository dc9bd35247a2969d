"""A speaker whose server has died."""

from __future__ import annotations

import subprocess
import sys


def test_a_speaker_that_nobody_listens_to_ends_without_a_word() -> None:
    speaker = subprocess.Popen(
        [sys.executable, "-m", "airslice.presenter.espeak_speaker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert speaker.stdin is not None
    assert speaker.stdout is not None
    speaker.stdin.close()
    speaker.stdout.close()  # before it can have said that it is ready

    assert speaker.stderr is not None
    said = speaker.stderr.read()
    speaker.stderr.close()

    assert (speaker.wait(), said) == (0, b"")
