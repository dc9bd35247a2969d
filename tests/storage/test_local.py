"""What only LocalObjectStore does; the rest is in tests/contracts."""

from __future__ import annotations

import errno
import hashlib
import os
from dataclasses import replace
from pathlib import Path

import pytest

from airslice.domain.errors import ObjectNotFound, StoreFailed
from airslice.storage.local import LocalObjectStore
from tests.support.values.values import TARGET

KEY = "prefix_alice_1700000000000_0.wav"
BODY = b"audio"
SHA256 = hashlib.sha256(BODY).hexdigest()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "data" / "objects"


@pytest.fixture
def store(root: Path) -> LocalObjectStore:
    return LocalObjectStore(root)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "spooled"
    path.write_bytes(BODY)
    return path


async def put(store: LocalObjectStore, source: Path, bucket: str, key: str) -> None:
    target = replace(TARGET, bucket=bucket)
    await store.put(target, key, source, content_type="audio/wav", sha256=SHA256)


def files_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


async def test_the_path_is_bucket_and_key(
    store: LocalObjectStore, root: Path, source: Path
) -> None:
    await put(store, source, "moderation", KEY)

    assert files_below(root) == {f"moderation/{KEY}"}
    assert store.open_object("moderation", KEY) == root / "moderation" / KEY


async def test_nothing_is_left_after_putting_the_same_file_again(
    store: LocalObjectStore, root: Path, source: Path
) -> None:
    await put(store, source, "moderation", KEY)
    await put(store, source, "moderation", KEY)

    assert files_below(root) == {f"moderation/{KEY}"}


async def test_an_object_is_a_link_to_its_source(store: LocalObjectStore, source: Path) -> None:
    await put(store, source, "moderation", KEY)

    assert store.open_object("moderation", KEY).samefile(source)


async def test_replacing_an_object_does_not_disturb_its_readers(
    store: LocalObjectStore, source: Path, tmp_path: Path
) -> None:
    await put(store, source, "moderation", KEY)
    other = tmp_path / "other"
    other.write_bytes(b"other audio")
    sha256 = hashlib.sha256(b"other audio").hexdigest()

    with store.open_object("moderation", KEY).open("rb") as reader:
        await store.put(TARGET, KEY, other, content_type="audio/wav", sha256=sha256)

        assert reader.read() == BODY


async def test_a_source_that_cannot_be_linked_is_copied(
    store: LocalObjectStore, root: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other_file_system(*_: object) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr(Path, "hardlink_to", other_file_system)

    await put(store, source, "moderation", KEY)

    stored = store.open_object("moderation", KEY)
    assert stored.read_bytes() == BODY
    assert not stored.samefile(source)
    assert files_below(root) == {f"moderation/{KEY}"}


async def test_nothing_appears_when_the_disk_is_full(
    store: LocalObjectStore, root: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(StoreFailed, match="No space left"):
        await put(store, source, "moderation", KEY)

    assert files_below(root) == set()


def test_what_a_crash_left_incomplete_is_removed(root: Path) -> None:
    LocalObjectStore(root)
    (root / "~incoming" / "half").write_bytes(b"aud")

    LocalObjectStore(root)

    assert files_below(root) == set()


@pytest.mark.parametrize(
    ("bucket", "key"),
    [
        ("..", KEY),
        (".", KEY),
        ("", KEY),
        ("a/b", KEY),
        ("~incoming", KEY),
        ("bucket\n", KEY),
        ("bucket", ".."),
        ("bucket", "."),
        ("bucket", ""),
        ("bucket", "../key"),
        ("bucket", "/etc/passwd"),
        ("bucket", "a\\b"),
        ("bucket", "key\0"),
        ("bucket", "key\n"),
    ],
)
async def test_a_name_that_could_leave_the_root_is_refused(
    store: LocalObjectStore, root: Path, source: Path, bucket: str, key: str
) -> None:
    with pytest.raises(StoreFailed, match="cannot name an object"):
        await put(store, source, bucket, key)
    with pytest.raises(ObjectNotFound):
        store.open_object(bucket, key)

    assert files_below(root.parent.parent) == {"spooled"}


async def test_a_key_longer_than_a_file_name_is_stored_under_a_shorter_one(
    store: LocalObjectStore, root: Path, source: Path
) -> None:
    longest = "i" * 128 + "_" + "u" * 128 + "_screen_1700000000000_0.wav"

    await put(store, source, "moderation", longest)
    await put(store, source, "moderation", longest.replace("_0.wav", "_1.wav"))

    assert store.open_object("moderation", longest).read_bytes() == BODY
    assert {len(path) for path in files_below(root)} == {len("moderation/") + 255}
    assert len(files_below(root)) == 2


def test_a_bucket_is_no_object(store: LocalObjectStore, root: Path) -> None:
    (root / "bucket" / "folder").mkdir(parents=True)

    with pytest.raises(ObjectNotFound):
        store.open_object("bucket", "folder")
