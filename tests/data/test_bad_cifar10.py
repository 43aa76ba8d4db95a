"""CIFAR-10 of strangers: its pickles are given nothing to call, and nothing is extracted."""

from __future__ import annotations

import gzip
import pickle
import tarfile
from pathlib import Path

import numpy as np
import pytest

from gandist.data import cifar10, load
from tests.data import archives

CIFAR = archives.cifar_files()
BINARY = archives.cifar_binary_files()
BATCH, TEST = "cifar-10-batches-py/data_batch_3", "cifar-10-batches-py/test_batch"
BIN = "cifar-10-batches-bin/data_batch_3.bin"
ROWS = archives.CIFAR_IMAGES[2].reshape(2, -1)


class Executed:
    def __reduce__(self) -> tuple[object, ...]:
        return exec, ("import sys; sys.modules['a_stranger_was_here'] = sys",)


def batch(**changes: object) -> bytes:
    fields = {b"labels": [4, 5], b"data": ROWS, **{name.encode(): value for name, value in changes.items()}}
    return archives.python2_pickle(fields)


# What is wrong, the files that replace others, what the line says.
CIFAR10: list[tuple[str, archives.Files, str]] = [
    ("an empty batch", {BATCH: b""}, "data_batch_3"),
    ("text", {BATCH: b"<html>"}, "data_batch_3"),
    ("cut short", {BATCH: CIFAR[BATCH][:4000]}, "data_batch_3"),
    ("a list", {BATCH: archives.python2_pickle([1])}, "data_batch_3"),
    ("no images", {BATCH: archives.python2_pickle({b"labels": [1]})}, "b'data'"),
    ("no labels", {BATCH: archives.python2_pickle({b"data": ROWS})}, "b'labels'"),
    ("images that are a list", {BATCH: batch(data=[1, 2])}, "data_batch_3"),
    ("real images", {BATCH: batch(data=ROWS.astype(np.float32))}, "data is no array of bytes"),
    ("other images", {BATCH: batch(data=ROWS[:, 1:])}, "[2, 3071], not uint8[n, 3072]"),
    ("few labels", {BATCH: batch(labels=[1])}, "[1], not integers [2]"),
    ("labels of words", {BATCH: batch(labels=[b"cat", b"dog"])}, "not integers [2]"),
    ("an eleventh class", {TEST: batch(labels=[3, 10])}, "test_batch: labels holds 3..10"),
    ("something to call", {BATCH: pickle.dumps({"data": Executed()}, 2)}, "refused: "),
    ("a function of numpy", {BATCH: b"\x80\x02cnumpy\nload\nU\x01a\x85R."}, "refused: numpy.load"),
    ("an index without end", {BATCH: b"\x80\x02}r\xff\xff\xff\x7f."}, "data_batch_3"),
    ("a string without end", {BATCH: b"\x80\x04\x8e" + b"\xff" * 7 + b"\x7f"}, "data_batch_3"),
    ("lists without end", {BATCH: b"\x80\x02" + b"(" * 200_000}, "data_batch_3"),
]

CIFAR10_ARCHIVE: list[tuple[str, bytes, str]] = [
    ("empty", b"", "not CIFAR-10"),
    ("text", b"<html>", "not CIFAR-10"),
    ("another gzip", gzip.compress(b"hello"), "not CIFAR-10"),
    ("cut short", archives.tar(CIFAR)[:9000], "not CIFAR-10"),
    (
        "a batch missing",
        archives.tar({k: v for k, v in CIFAR.items() if k != BATCH}),
        "data_batch_3 is missing",
    ),
    ("nothing in it", archives.tar({}), "data_batch_1 is missing"),
    (
        "links",
        archives.tar(CIFAR, lambda member: setattr(member, "type", tarfile.SYMTYPE)),
        "data_batch_1 is missing",
    ),
    ("folders", archives.tar(CIFAR, lambda member: setattr(member, "type", tarfile.DIRTYPE)), "is missing"),
]


@pytest.mark.parametrize("packed", [True, False], ids=["packed", "unpacked"])
@pytest.mark.parametrize(("what", "changes", "says"), CIFAR10, ids=archives.names(CIFAR10))
def test_a_batch_of_cifar10(
    tmp_path: Path,
    what: str,
    changes: archives.Files,
    says: str,
    packed: bool,
) -> None:
    files = CIFAR | changes
    archives.write(tmp_path, {"cifar-10-python.tar.gz": archives.tar(files)} if packed else files)
    assert says in archives.refusal(cifar10.Options(), tmp_path)


@pytest.mark.parametrize(("what", "content", "says"), CIFAR10_ARCHIVE, ids=archives.names(CIFAR10_ARCHIVE))
def test_the_archive_of_cifar10(tmp_path: Path, what: str, content: bytes, says: str) -> None:
    archives.write(tmp_path, {"cifar-10-python.tar.gz": content})
    assert says in archives.refusal(cifar10.Options(), tmp_path)


def test_a_binary_batch_of_another_length(tmp_path: Path) -> None:
    archives.write(tmp_path, BINARY | {BIN: BINARY[BIN][:-1]})
    assert "data_batch_3.bin" in archives.refusal(cifar10.Options(), tmp_path)


def test_a_batch_that_is_a_folder(tmp_path: Path) -> None:
    archives.write(tmp_path, {name: content for name, content in CIFAR.items() if name != BATCH})
    (tmp_path / BATCH).mkdir()
    assert "data_batch_3 is missing" in archives.refusal(cifar10.Options(), tmp_path)


def test_nothing_is_extracted_wherever_a_member_wants_to_be(tmp_path: Path) -> None:
    """A member's folder is not looked at, and nothing but the archive is there afterwards."""
    outward = {f"../../{Path(name).name}": content for name, content in CIFAR.items()}
    folder = archives.write(tmp_path / "a" / "b", {"cifar-10-python.tar.gz": archives.tar(outward)})
    assert len(load(cifar10.Options(), folder)) == 10
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["cifar-10-python.tar.gz"]
