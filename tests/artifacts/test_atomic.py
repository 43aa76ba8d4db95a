"""A file appears under its name complete or not at all, whatever happens while it is written."""

from __future__ import annotations

import errno
from pathlib import Path

import pyarrow as pa
import pytest

from gandist.artifacts.storage import Storage
from gandist.errors import StorageError
from tests.artifacts.faulty import Clock, ObjectStore, Times, faulty, files

FULL = OSError(errno.ENOSPC, "No space left on device")
FOR_EVER = float("inf")


@pytest.mark.parametrize("operation", ["create_dir", "open_output_stream", "write", "move"])
def test_a_write_that_is_refused_for_ever_leaves_what_was_there(
    storage: Storage, clock: Clock, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    storage.write("state.json", b"before")
    refusing = faulty(monkeypatch, storage, Times(FOR_EVER, FULL, operation))
    with pytest.raises(StorageError) as raised:
        refusing.write("state.json", b"after!")
    assert clock.now == 180
    assert str(raised.value).startswith(f"{storage.root}/state.json: cannot be written: [Errno 28] No space")
    assert "tried for 180 s" in str(raised.value)
    assert "\n" not in str(raised.value)
    assert storage.read("state.json") == b"before"
    assert files(Path(storage.root)) == {"state.json": b"before"}


def test_while_it_is_written_a_file_does_not_show(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def look(operation: str, path: str) -> None:
        if operation == "write":
            seen.append((Path(path).exists(), storage.list(), storage.read("a")))

    storage.write("a", b"before")
    faulty(monkeypatch, storage, look).write("a", b"after!")
    assert seen == [(True, ["a"], b"before")]


def test_a_stream_may_be_begun_again_and_gives_what_its_producer_does(
    storage: Storage, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def produce(stream: pa.NativeFile) -> int:
        for piece in (b"a", b"b"):
            stream.write(piece)
        return 7

    assert faulty(monkeypatch, storage, Times(2, FULL, "write")).write_stream("big", produce) == 7
    assert clock.slept == [0.25, 0.5]
    assert files(Path(storage.root)) == {"big": b"ab"}


def half_written(stream: pa.NativeFile) -> None:
    stream.write(b"half")
    raise StorageError("what it is made of cannot be read")


@pytest.mark.parametrize("where", ["local", "object store"])
def test_a_stream_whose_producer_fails_leaves_what_was_there(
    where: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if where == "object store":
        request.getfixturevalue("object_store")
    storage = Storage("s3://bucket/job" if where == "object store" else str(tmp_path / "bucket/job"))
    storage.write("big", b"before")
    with pytest.raises(StorageError, match="cannot be read"):
        storage.write_stream("big", half_written)
    assert files(tmp_path) == {"bucket/job/big": b"before"}
    storage.write_stream("big", lambda stream: stream.write(b"after!"))
    assert files(tmp_path) == {"bucket/job/big": b"after!"}


def test_leftovers_of_interrupted_writes_are_deleted_and_nothing_else(storage: Storage) -> None:
    for path in ("state.json", "deep/er/part.parquet", "notes.tmp", "deep/0123.tmp"):
        storage.write(path, b"1")
    before = files(Path(storage.root))
    for path in ("state.json", "deep/er/part.parquet"):
        (Path(storage.root) / f"{path}.{'0123456789abcdef' * 2}.tmp").write_bytes(b"half")
    storage.delete_unfinished()
    assert files(Path(storage.root)) == before
    Storage(storage.where("not/there")).delete_unfinished()


def test_an_object_store_writes_under_the_final_name(object_store: ObjectStore, tmp_path: Path) -> None:
    Storage("s3://bucket/job").sub("trials").write("a", b"1")
    assert files(tmp_path) == {"bucket/job/trials/a": b"1"}
