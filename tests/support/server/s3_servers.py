"""S3 servers of other people's making, on loopback."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.server.ports import free_port
from tests.support.waiting import PATIENCE_S

if TYPE_CHECKING:
    from botocore.client import BaseClient

ACCESS_KEY = "AKOFTESTS"
SECRET_KEY = "a-secret-of-tests"
WRITER_ACCESS_KEY = "AKOFWRITER"
WRITER_SECRET_KEY = "another-secret-of-tests"
"""Of a user who may put objects into BUCKET, and nothing else; not at moto."""

BUCKET = "moderation"


@dataclass(frozen=True)
class S3Server:
    """A server that has started, with BUCKET made."""

    endpoint: str
    admin: BaseClient
    """AWS's own client, as the owner of the bucket."""

    def body(self, bucket: str, key: str) -> bytes:
        """Return the bytes of an object, as AWS's client reads them."""
        body: bytes = self.admin.get_object(Bucket=bucket, Key=key)["Body"].read()
        return body

    def keys(self, bucket: str) -> list[str]:
        """Return the keys of all objects."""
        found = self.admin.list_objects_v2(Bucket=bucket)
        return [entry["Key"] for entry in found.get("Contents", ())]


@contextlib.contextmanager
def moto(directory: Path) -> Iterator[S3Server]:
    """Run moto's server. It checks no signatures."""
    with _running(
        lambda port: [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        directory,
    ) as server:
        yield server


@contextlib.contextmanager
def versitygw(directory: Path) -> Iterator[S3Server]:
    """Run Versity's S3 gateway over plain files. It checks signatures, digests and checksums."""
    places = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    program = os.environ.get("AIRSLICE_TEST_VERSITYGW") or shutil.which("versitygw", path=places)
    if program is None:
        pytest.skip(
            "versitygw is not installed: "
            "go install github.com/versity/versitygw/cmd/versitygw@v1.8.0, "
            "or name it in AIRSLICE_TEST_VERSITYGW"
        )
    files, users = directory / "files", directory / "users"
    files.mkdir()
    users.mkdir()

    def command(port: int) -> Sequence[str]:
        options = ["--port", f"127.0.0.1:{port}", "--access", ACCESS_KEY, "--secret", SECRET_KEY]
        return [program, *options, "--quiet", "--iam-dir", str(users), "posix", str(files)]

    with _running(command, directory) as server:
        owner = ["--access", ACCESS_KEY, "--secret", SECRET_KEY, "--endpoint-url", server.endpoint]
        user = ["--access", WRITER_ACCESS_KEY, "--secret", WRITER_SECRET_KEY, "--role", "user"]
        subprocess.run([program, "admin", *owner, "create-user", *user], check=True)
        grant = {
            "Effect": "Allow",
            "Principal": {"AWS": [WRITER_ACCESS_KEY]},
            "Action": ["s3:PutObject"],
            "Resource": [f"arn:aws:s3:::{BUCKET}/*"],
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [grant]})
        server.admin.put_bucket_policy(Bucket=BUCKET, Policy=policy)
        yield server


SERVERS = {"moto": moto, "versitygw": versitygw}


@contextlib.contextmanager
def _running(command: Callable[[int], Sequence[str]], directory: Path) -> Iterator[S3Server]:
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(command(port), stdout=log, stderr=subprocess.STDOUT)
        try:
            _await_answer(endpoint, process, directory / "log")
            admin = aws_client(endpoint, ACCESS_KEY, SECRET_KEY)
            admin.create_bucket(Bucket=BUCKET)
            yield S3Server(endpoint, admin)
            admin.close()
        finally:
            process.terminate()
            process.wait()


def aws_client(endpoint: str, access_key: str, secret_key: str) -> BaseClient:
    """Return AWS's own client."""
    import botocore.session
    from botocore.config import Config

    return botocore.session.Session().create_client(
        "s3",
        region_name="us-east-1",
        endpoint_url=endpoint,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        config=Config(s3={"addressing_style": "path"}),
    )


def _await_answer(endpoint: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            urllib.request.urlopen(endpoint, timeout=PATIENCE_S).close()
        except urllib.error.HTTPError as error:
            error.close()
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"the S3 server did not start: {log.read_text()[-2000:]}")
            time.sleep(0.05)
        else:
            return
