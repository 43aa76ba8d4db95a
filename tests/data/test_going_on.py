"""Decoding that was cut short goes on from what was kept, and what was kept is what was decoded."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gandist.data import _chunks, image_folder, load
from gandist.errors import DataError
from tests.data import pictures

COUNT = 24
KILLED_AT = 15
DECODE = """
import sys
from gandist.data import _chunks, image_folder, load
_chunks.CHUNK_S = 0.0

def tell(activity):
    if str(activity).startswith(f"decoding pictures {sys.argv[2]}/"):
        print("there", flush=True)
        sys.stdin.read()

load(image_folder.Options(path=sys.argv[1], image_size=8), None, tell)
"""


def read(root: Path) -> str:
    return load(image_folder.Options(path=str(root), image_size=8), None).fingerprint


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder of 24 pictures."""
    return pictures.folder(tmp_path / "shapes")


@pytest.fixture
def expected(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The fingerprint of the folder, decoded elsewhere without a disturbance."""
    with monkeypatch.context() as patch:
        patch.setenv("GANDIST_CACHE_DIR", str(tmp_path / "elsewhere"))
        return read(root)


@pytest.fixture
def kept(root: Path, cache: Path) -> Path:
    """The set that a process was making when it was killed: each picture is kept before the next is told."""
    arguments = [sys.executable, "-c", DECODE, str(root), str(KILLED_AT)]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"there\n"
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    [folder] = (cache / "image_folder").iterdir()
    return folder


def test_a_kill_costs_no_picture_that_was_kept(
    root: Path, expected: str, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded = pictures.count_decoding(monkeypatch)
    assert read(root) == expected
    assert len(decoded) == COUNT - (KILLED_AT - 1)
    assert {path.name for path in kept.iterdir()} == {
        *("images.uint8", "labels.int32", "rejected.txt"),
        *("index.json", "lock", "sizes.txt"),
    }


def flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def swap_lines(path: Path) -> None:
    first, second, *rest = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([second, first, *rest]))


@pytest.mark.parametrize(
    ("part", "damage", "whole"),
    [
        ("images.uint8", lambda images: flip(images, 5 * 192 + 7), 5),
        ("images.uint8", lambda images: os.truncate(images, 5 * 192 + 7), 5),
        ("images.uint8", lambda images: images.unlink(), 0),
        ("images.uint8", lambda images: images.write_bytes(images.read_bytes() + b"more"), KILLED_AT - 1),
        ("journal", lambda journal: os.truncate(journal, journal.stat().st_size - 3), KILLED_AT - 2),
        ("journal", lambda journal: flip(journal, 20), 0),
        ("journal", lambda journal: journal.unlink(), 0),
        ("journal", lambda journal: journal.write_bytes(b"\0\xff[]\n"), 0),
        ("journal", swap_lines, 0),
    ],
)
def test_damaged_chunks_and_all_after_them_are_made_anew(
    root: Path,
    expected: str,
    kept: Path,
    monkeypatch: pytest.MonkeyPatch,
    part: str,
    damage: Callable[[Path], object],
    whole: int,
) -> None:
    damage(kept / f"{part}.kept.part")
    decoded = pictures.count_decoding(monkeypatch)
    assert read(root) == expected
    assert len(decoded) == COUNT - whole


def test_rejections_are_kept_as_well(root: Path, monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    """Ended by what is no kill: the pictures that cannot be read come first, and are not tried again."""
    (root / "circles" / "0.jpg").write_bytes(b"")
    monkeypatch.setattr(_chunks, "CHUNK_S", 0.0)
    options = image_folder.Options(path=str(root), image_size=8, max_unreadable=0.1)

    def interrupt(activity: object) -> None:
        if str(activity).startswith("decoding pictures 10/"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load(options, None, interrupt)
    decoded = pictures.count_decoding(monkeypatch)
    [line] = load(options, None).left_out
    assert "left out 1 of 25 pictures (4.00%)" in line
    assert "circles/0.jpg: cannot identify image file" in line
    assert len(decoded) == 16


def test_what_two_have_written_into_one_does_not_pass_for_whole(
    root: Path, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    """As where a lock on one machine does not hold on another."""
    monkeypatch.setattr(_chunks, "CHUNK_S", 0.0)

    def write_as_well(activity: object) -> None:
        if str(activity).startswith("decoding pictures 20/"):
            [images] = cache.rglob("images.uint8.kept.part")
            flip(images, 3)

    with pytest.raises(DataError, match="not what was written"):
        load(image_folder.Options(path=str(root), image_size=8), None, write_as_well)
    assert read(root)
