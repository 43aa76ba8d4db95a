"""Storage: whole files or none, patience where the storage refuses, one line where it goes on refusing."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gandist.artifacts.retry import Retry
from gandist.artifacts.storage import Storage
from gandist.errors import StorageError
from tests.artifacts.faulty import Clock, ObjectStore, Times, faulty, files

FULL = OSError(errno.ENOSPC, "No space left on device")
FOR_EVER = float("inf")


def test_what_is_written_is_read_listed_and_deleted(storage: Storage) -> None:
    storage.write("a/b.txt", b"1")
    storage.write("a/b.txt", b"2")
    storage.write("c.txt", b"3")
    assert (storage.read("a/b.txt"), storage.list(), storage.list("a")) == (b"2", ["a", "c.txt"], ["b.txt"])
    assert storage.sub("a").read("b.txt") == b"2"
    assert storage.sub("a").where("b.txt") == storage.where("a/b.txt")
    storage.delete("a")
    storage.delete("c.txt")
    storage.delete("never/was")
    assert not storage.exists("a")
    assert storage.list() == []


def test_stamps_change_with_a_file(storage: Storage) -> None:
    storage.write("a/b.txt", b"1")
    first = storage.file_stamps(["a/b.txt", "never/was"])
    assert first == {"a/b.txt": storage.stamps("a")["b.txt"]}
    storage.write("a/b.txt", b"12")
    assert storage.file_stamps(["a/b.txt"]) != first


def test_a_missing_file_is_told_as_missing_at_once(storage: Storage, clock: Clock) -> None:
    with pytest.raises(FileNotFoundError, match=r"nothing\.txt"):
        storage.read("nothing.txt")
    assert clock.slept == []


@pytest.mark.parametrize("operation", ["create_dir", "open_output_stream", "write", "move"])
def test_a_write_that_is_refused_for_a_while_succeeds(
    storage: Storage, clock: Clock, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    storage.write("state.json", b"before")
    refusals = Times(5, FULL, operation)
    faulty(monkeypatch, storage, refusals).write("state.json", b"after!")
    assert refusals.asked == 6
    assert clock.slept == [0.25, 0.5, 1, 2, 4]
    assert files(Path(storage.root)) == {"state.json": b"after!"}


@pytest.mark.parametrize(
    ("operation", "call", "waited_s"),
    [
        ("open_input_stream", lambda s: s.read("a"), 20),
        ("get_file_info", lambda s: s.exists("a"), 20),
        ("get_file_info", lambda s: s.list(), 20),
        ("delete_file", lambda s: s.delete("a"), 180),
    ],
)
def test_every_operation_is_tried_again_reads_for_less_long(
    storage: Storage, clock: Clock, monkeypatch: pytest.MonkeyPatch, operation: str, call, waited_s: float
) -> None:
    storage.write("a", b"1")
    expected = {"a": b"1"} if waited_s == 20 else {}
    with pytest.raises(StorageError, match=f"tried for {waited_s} s"):
        call(faulty(monkeypatch, storage, Times(FOR_EVER, OSError(errno.EIO, "I/O error"), operation)))
    assert clock.now == waited_s
    call(faulty(monkeypatch, storage, Times(3, OSError(errno.EIO, "I/O error"), operation)))
    assert files(Path(storage.root)) == expected


def test_a_part_is_as_patient_as_the_whole(
    storage: Storage, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    faulty(monkeypatch, storage, Times(2, FULL, "write")).sub("trials/x").write("a", b"1")
    assert clock.slept == [0.25, 0.5]


@pytest.mark.parametrize("path", ["file/x", "file/x/y"])
def test_a_file_in_the_place_of_a_directory_is_told_at_once(
    storage: Storage, clock: Clock, path: str
) -> None:
    storage.write("file", b"1")
    with pytest.raises(StorageError, match="check the path"):
        storage.write(path, b"2")
    with pytest.raises(StorageError, match="check the path"):
        storage.read(path)
    assert clock.slept == []
    assert files(Path(storage.root)) == {"file": b"1"}


def test_a_directory_in_the_place_of_a_file_is_told_at_once(storage: Storage, clock: Clock) -> None:
    storage.write("a/b", b"1")
    with pytest.raises(StorageError, match="cannot be written"):
        storage.write("a", b"2")
    with pytest.raises(StorageError, match="cannot be read"):
        storage.read("a")
    assert clock.slept == []
    assert files(Path(storage.root)) == {"a/b": b"1"}


def test_an_address_that_is_none_is_told_in_one_line(clock: Clock) -> None:
    with pytest.raises(StorageError) as raised:
        Storage("nowhere://x", Retry(clock=clock, sleep=clock.sleep))
    assert str(raised.value).startswith("storage nowhere://x: ")
    assert "\n" not in str(raised.value)
    assert clock.slept == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB."""
    mount = shutil.which("mount")
    disk = tmp_path / "disk"
    disk.mkdir()
    options = ["-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if mount is None or os.geteuid() or subprocess.run([mount, *options], capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_disk_that_is_full_until_something_is_deleted(small_disk: Path) -> None:
    clock, ballast = Clock(), small_disk / "ballast"
    ballast.write_bytes(bytes(800_000))

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        assert files(small_disk).keys() == {"ballast", "job/a"}
        if len(clock.slept) == 4:
            ballast.unlink()

    storage = Storage(str(small_disk / "job"), Retry(clock=clock, sleep=sleep))
    storage.write("a", b"1")
    storage.write("b", bytes(500_000))
    assert len(clock.slept) == 4
    assert files(small_disk) == {"job/a": b"1", "job/b": bytes(500_000)}


def test_move(storage: Storage) -> None:
    storage.write("trials/x/a", b"1")
    storage.write("trials/x/deep/b", b"2")
    storage.move("trials/x", "old/1/x")
    assert files(Path(storage.root)) == {"old/1/x/a": b"1", "old/1/x/deep/b": b"2"}
    assert not storage.exists("trials/x")


@pytest.mark.parametrize("there", ["there/file", "there"])
def test_move_never_replaces(storage: Storage, there: str) -> None:
    storage.write("here/a", b"1")
    storage.write(there, b"2")
    with pytest.raises(StorageError, match="which exists"):
        storage.move("here", "there")
    assert files(Path(storage.root)) == {"here/a": b"1", there: b"2"}


def test_move_takes_a_file(storage: Storage) -> None:
    storage.write("file", b"1")
    storage.move("file", "deep/there")
    assert files(Path(storage.root)) == {"deep/there": b"1"}


def test_move_takes_what_is_there(storage: Storage) -> None:
    with pytest.raises(StorageError, match="no such file or directory"):
        storage.move("nothing", "there")


def test_move_is_tried_again(storage: Storage, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    storage.write("here/a", b"1")
    faulty(monkeypatch, storage, Times(2, FULL, "move")).move("here", "there")
    assert clock.slept == [0.25, 0.5]
    assert files(Path(storage.root)) == {"there/a": b"1"}


def test_an_object_store_copies_all_before_it_deletes_any(object_store: ObjectStore, tmp_path: Path) -> None:
    storage = Storage("s3://bucket/job")
    storage.write("x/a", b"1")
    storage.write("x/deep/b", b"2")
    storage.move("x", "old/x")
    assert files(tmp_path) == {"bucket/job/old/x/a": b"1", "bucket/job/old/x/deep/b": b"2"}
    assert sorted(object_store.copied) == ["a", "b"]


def test_an_object_store_that_stops_copying_has_lost_nothing(
    object_store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    def refuse(src: str, dest: str) -> None:
        raise OSError("AWS Error NETWORK_CONNECTION")

    storage = Storage("s3://bucket/job", Retry(clock=clock, sleep=clock.sleep))
    storage.write("x/a", b"1")
    monkeypatch.setattr(object_store, "copy_file", refuse)
    with pytest.raises(StorageError, match="cannot be moved to s3://bucket/job/old"):
        storage.move("x", "old")
    assert clock.now == 180
    assert files(tmp_path) == {"bucket/job/x/a": b"1"}
