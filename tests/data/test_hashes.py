"""A picture is known by its content, which is read once, and never taken for another."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from gandist.data import _hashes, _pictures, _stamps
from gandist.errors import DataError
from tests.data import pictures
from tests.data.pictures import GREY, count_decoding, grey, levels, read, write


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Grows by each picture that is read to be hashed; what was just written counts as settled."""
    hashed: list[Path] = []
    digest = _hashes._digest
    monkeypatch.setattr(_stamps, "SETTLED_NS", -(10**18))
    monkeypatch.setattr(_hashes, "_digest", lambda path: (hashed.append(path), digest(path))[1])
    return hashed


def plain(level: int) -> bytes:
    """As many bytes for each level."""
    return pictures.encoded(Image.new("L", (9, 9), level), "BMP")


def test_folders_of_equal_names_sizes_and_dates_are_not_one(tmp_path: Path) -> None:
    """As ``trainA`` and ``trainB`` of one archive."""
    for name, level in (("trainA", 10), ("trainB", 200)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.bmp").write_bytes(plain(level))
        os.utime(tmp_path / name / "1.bmp", (10**9, 10**9))
    one, other = (read(tmp_path / name, **GREY) for name in ("trainA", "trainB"))
    assert (levels(one), levels(other)) == ([10], [200])
    assert one.fingerprint != other.fingerprint


def test_a_picture_replaced_under_its_size_and_date_is_noticed(tmp_path: Path, hashed: list[Path]) -> None:
    path = tmp_path / "1.bmp"
    path.write_bytes(plain(10))
    os.utime(path, (10**9, 10**9))
    assert levels(read(tmp_path, **GREY)) == [10]
    path.write_bytes(plain(200))
    os.utime(path, (10**9, 10**9))
    assert levels(read(tmp_path, **GREY)) == [200]


def test_a_folder_that_was_moved_or_copied_is_not_decoded_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write(tmp_path / "here", {"a/1.png": 1, "b/1.png": 2})
    before = read(root, **GREY)
    decoded = count_decoding(monkeypatch)
    root.rename(tmp_path / "there")
    assert read(tmp_path / "there", **GREY).fingerprint == before.fingerprint
    shutil.copytree(tmp_path / "there", tmp_path / "copied", copy_function=shutil.copy)  # other dates
    assert read(tmp_path / "copied", **GREY).fingerprint == before.fingerprint
    assert not decoded


def test_a_folder_is_read_once_and_then_only_what_is_new(tmp_path: Path, hashed: list[Path]) -> None:
    root = write(tmp_path, {"1.png": 1, "2.png": 2})
    read(root, **GREY)
    assert len(hashed) == 2
    read(root, **GREY)
    read(root, **{**GREY, "image_size": 9})
    assert len(hashed) == 2
    write(root, {"3.png": 3})
    assert levels(read(root, **GREY)) == [1, 2, 3]
    assert [path.name for path in hashed[2:]] == ["3.png"]


def test_a_file_that_has_just_changed_may_do_so_unseen_and_is_read_again(
    tmp_path: Path, hashed: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_stamps, "SETTLED_NS", 10**18)
    root = write(tmp_path, {"1.png": 1})
    read(root, **GREY)
    read(root, **GREY)
    assert len(hashed) == 2


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: b"",
        lambda content: content[: len(content) // 2],
        lambda content: content.replace(b"1", b"2"),
        lambda content: b"\0\xff 1 2 3\n" + content[10:],
        lambda content: content.replace(b"\n", b""),
    ],
)
def test_a_damaged_memory_of_hashes_is_no_memory(
    tmp_path: Path, cache: Path, hashed: list[Path], damage: Any
) -> None:
    root = write(tmp_path, {"1.png": 1, "2.png": 2})
    before = read(root, **GREY).fingerprint
    [memory] = cache.glob("read/*/sha256")
    memory.write_bytes(damage(memory.read_bytes()))
    assert read(root, **GREY).fingerprint == before
    assert len(hashed) > 2
    again = len(hashed)
    assert read(root, **GREY).fingerprint == before
    assert len(hashed) == again  # what was damaged is remembered anew


def test_a_picture_that_changes_while_it_is_decoded_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    """Or its image would be kept under the hash of another."""
    root = write(tmp_path, {"1.png": 1, "2.png": 2})
    decode = _pictures._decoded

    def replaced(path: Path, square: _pictures.Square) -> Any:
        if path.name == "1.png":  # threads decide whether the other is decoded before that shows
            pictures.touch(path, grey(9))
        return decode(path, square)

    with monkeypatch.context() as patch:
        patch.setattr(_pictures, "_decoded", replaced)
        with pytest.raises(DataError, match=r"1\.png: changed while the folder was read; run again"):
            read(root, **GREY)
    assert levels(read(root, **GREY)) == [9, 2]


def refused(monkeypatch: pytest.MonkeyPatch, name: str, number: int) -> None:
    """Files of that name cannot be opened."""
    open_file, open_path = os.open, Path.open

    def refuse(path: Any) -> None:
        if Path(path).name == name:
            raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "open", lambda path, *a, **k: (refuse(path), open_file(path, *a, **k))[1])
    monkeypatch.setattr(Path, "open", lambda path, *a, **k: (refuse(path), open_path(path, *a, **k))[1])


def test_a_picture_that_may_not_be_read_is_left_out_until_it_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write(tmp_path, {"1.png": 1, "2.png": 2})
    with monkeypatch.context() as patch:
        refused(patch, "2.png", errno.EACCES)
        dataset = read(root, **GREY, max_unreadable=0.5)
    assert levels(dataset) == [1]
    assert "2.png: Permission denied" in dataset.left_out[0]
    assert levels(read(root, **GREY)) == [1, 2]


def test_a_passing_error_is_not_kept_as_a_fault_of_the_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hashed: list[Path]
) -> None:
    root = write(tmp_path, {"1.png": 1, "2.png": 2})
    with monkeypatch.context() as patch:
        refused(patch, "2.png", errno.EMFILE)
        with pytest.raises(DataError, match=r"2\.png: Too many open files; run again when that is over"):
            read(root, **GREY, max_unreadable=0.5)
    assert levels(read(root, **GREY)) == [1, 2]


def test_a_picture_that_could_not_be_hashed_has_no_place_in_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write(tmp_path, {"1.png": 1})
    with monkeypatch.context() as patch:
        patch.setattr(_hashes, "_digest", lambda path: (_stamps.stamp(path), ""))
        with pytest.raises(DataError, match=r"1\.png: changed while the folder was read"):
            read(root, **GREY)
    assert levels(read(root, **GREY)) == [1]
