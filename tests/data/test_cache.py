"""The cache of decoded images: whole or not there, however many want it and whatever happens meanwhile."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gandist.activity import Activity
from gandist.data import Dataset, _cache, _stamps, image_folder, load
from gandist.errors import DataError
from tests.data import pictures

LOAD = """
import sys
from gandist.data import _pictures, image_folder, load
from gandist.errors import DataError
decode, seconds, told = _pictures._decoded, float(sys.argv[2]), []

def slowly(path, square):
    if not told:
        told.append(print("decoding", flush=True))
    import time
    time.sleep(seconds)
    return decode(path, square)

def tell(activity):
    if "waiting" in activity.what:
        print(activity, file=sys.stderr)

_pictures._decoded = slowly
try:
    print(load(image_folder.Options(path=sys.argv[1], image_size=8), None, tell).fingerprint)
except DataError as error:
    print("DataError:", error)
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of 24 pictures."""
    monkeypatch.setenv("GANDIST_CACHE_DIR", str(tmp_path / "cache"))
    return pictures.folder(tmp_path / "shapes")


def read(root: Path) -> Any:
    return load(image_folder.Options(path=str(root), image_size=8), None)


def entry(root: Path) -> Path:
    """The one directory of the cache."""
    [folder] = (root.parent / "cache" / "image_folder").iterdir()
    return folder


def process(root: Path, seconds: float = 0.0, before: str = "") -> subprocess.Popen[str]:
    """Another process that wants the set; it takes so long for each picture."""
    arguments = [sys.executable, "-c", before + LOAD, str(root), str(seconds)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def overwrite(path: Path, at: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(content)


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: overwrite(folder / "images.uint8", 700, b"x"),
        lambda folder: overwrite(folder / "labels.int32", 8, b"\x07"),
        lambda folder: os.truncate(folder / "images.uint8", 100),
        lambda folder: os.truncate(folder / "images.uint8", 5000),
        lambda folder: os.truncate(folder / "labels.int32", 8),
        lambda folder: (folder / "images.uint8").unlink(),
        lambda folder: (folder / "labels.int32").unlink(),
        lambda folder: (folder / "index.json").unlink(),
        lambda folder: (folder / "index.json").write_text(""),
        lambda folder: (folder / "index.json").write_text("[]"),
        lambda folder: (folder / "index.json").write_text(
            '{"images": 1e99, "rejected": 0, "fingerprint": ""}'
        ),
        lambda folder: (folder / "index.json").write_text(
            '{"images": 24, "rejected": 0, "fingerprint": "x"}'
        ),
        lambda folder: (folder / "index.json").write_text('{"images": 0, "rejected": 0, "fingerprint": "x"}'),
    ],
)
def test_a_damaged_set_is_made_anew(root: Path, damage: Any) -> None:
    whole = read(root)
    folder = entry(root)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    expected = np.array(whole.images)
    damage(folder)
    again = read(root)
    np.testing.assert_array_equal(again.images, expected)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_set_is_looked_through_once_and_again_where_its_files_have_changed(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_stamps, "SETTLED_NS", -(10**18))  # as if it were old
    looked = []
    compute = Dataset.computed_fingerprint

    def counted(dataset: Dataset, *tell: Any) -> str:
        looked.append(len(dataset))
        return compute(dataset, *tell)

    monkeypatch.setattr(Dataset, "computed_fingerprint", counted)
    whole = read(root)
    expected = np.array(whole.images)
    read(root)
    looked.clear()
    assert read(root).fingerprint == whole.fingerprint
    assert looked == []
    overwrite(entry(root) / "images.uint8", 700, b"x")
    np.testing.assert_array_equal(read(root).images, expected)
    assert looked
    (entry(root) / "checked").write_text("[]")
    assert read(root).fingerprint == whole.fingerprint


def test_what_is_written_while_a_set_is_looked_through_is_not_taken_for_what_was_looked_at(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = np.array(read(root).images)
    written: list[bool] = []
    monkeypatch.setattr(_cache, "stamp", lambda _: (0, 0, 0, 0, 0))  # the clock of a coarse file system
    monkeypatch.setattr(_cache, "settled", lambda _: bool(written))
    compute = Dataset.computed_fingerprint

    def overtaken(dataset: Dataset, *tell: Any) -> str:
        fingerprint = compute(dataset, *tell)
        if not written:
            overwrite(entry(root) / "images.uint8", 700, b"x")
            written.append(True)
        return fingerprint

    monkeypatch.setattr(Dataset, "computed_fingerprint", overtaken)
    read(root)
    np.testing.assert_array_equal(read(root).images, expected)


def test_processes_that_start_together_decode_once(root: Path) -> None:
    processes = [process(root, 0.05) for _ in range(3)]
    outputs = [p.communicate(timeout=100) for p in processes]
    assert [p.returncode for p in processes] == [0, 0, 0]
    assert sum("decoding" in out for out, _ in outputs) == 1
    assert {out.splitlines()[-1] for out, _ in outputs} == {read(root).fingerprint}
    for _, err in outputs:
        assert {line.partition(" by ")[2] for line in err.splitlines()} <= {"another process: waiting for it"}
    assert any("decoded by another process: waiting for it" in err for _, err in outputs)


def test_a_killed_process_leaves_nothing_that_passes_for_whole(root: Path) -> None:
    killed = process(root, 0.5)
    assert killed.stdout is not None
    assert killed.stdout.readline().startswith("decoding")  # of two threads at once
    time.sleep(0.2)
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=100)
    folder = entry(root)
    assert not (folder / "index.json").exists()
    assert list(folder.glob("*.part"))
    assert len(read(root)) == 24
    assert not list(folder.glob("*.part"))


def test_without_locks_all_write_and_one_wins(root: Path) -> None:
    """As on some network file systems."""
    before = (
        "import errno, fcntl\n"
        "def flock(*_):\n    raise OSError(errno.ENOLCK, 'No locks available')\n"
        "fcntl.flock = flock\n"
    )
    processes = [process(root, 0.05, before) for _ in range(3)]
    outputs = [p.communicate(timeout=100)[0] for p in processes]
    assert all("decoding" in out for out in outputs)
    assert {out.splitlines()[-1] for out in outputs} == {read(root).fingerprint}
    assert not list(entry(root).glob("*.part"))


def test_a_full_disk_is_one_line_and_leaves_nothing(root: Path) -> None:
    """No file may grow beyond 2,000 bytes; the images have 4,608."""
    before = "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))\n"
    out, err = process(root, before=before).communicate(timeout=100)
    assert err == ""
    error = out.splitlines()[-1]
    assert "DataError: " in error
    assert "cannot keep decoded images there (File too large)" in error
    assert "GANDIST_CACHE_DIR" in error
    assert {path.name for path in entry(root).iterdir()} == {"lock"}
    assert len(read(root)) == 24


@pytest.mark.parametrize("file", ["labels", "rejected", "index"])
def test_a_disk_that_is_full_at_the_end(root: Path, monkeypatch: pytest.MonkeyPatch, file: str) -> None:
    write_text, write_bytes = Path.write_text, Path.write_bytes

    def full(path: Path, content: Any, write: Any) -> int:
        if path.name.startswith(file):
            raise OSError(errno.ENOSPC, "No space left on device")
        return int(write(path, content))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", lambda path, content: full(path, content, write_text))
        patch.setattr(Path, "write_bytes", lambda path, content: full(path, content, write_bytes))
        with pytest.raises(DataError, match=r"No space left on device\); make room.*GANDIST_CACHE_DIR"):
            read(root)
    assert {path.name for path in entry(root).iterdir()} == {"lock"}
    assert len(read(root)) == 24


def test_a_lock_ends_with_its_context(tmp_path: Path) -> None:
    told: list[Activity] = []
    for _ in range(2):
        with _cache.locked(tmp_path, "nothing is done", told.append) as held:
            assert held
            with (tmp_path / "lock").open() as file, pytest.raises(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    assert told == []


def test_waiting_for_a_lock_gives_signs_of_life(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_cache, "WAIT_S", 0.0)
    told: list[str] = []
    with (tmp_path / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)

        def tell(activity: Activity) -> None:
            told.append(str(activity))
            if len(told) == 3:
                fcntl.flock(file, fcntl.LOCK_UN)

        with _cache.locked(tmp_path, "the set is made", tell) as held:
            assert held
    assert told == ["the set is made by another process: waiting for it"] * 3
