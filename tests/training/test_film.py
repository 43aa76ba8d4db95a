"""What is made of all grids: whatever lies among them, a trained trial is completed."""

from __future__ import annotations

import io
import os
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest

from gandist.artifacts import images
from gandist.artifacts.job_dir import TrialDir
from tests.training.conftest import tiny_trial
from tests.training.trials import SMALL, train

pytestmark = pytest.mark.usefixtures("compiled_once")

ARCHIVED = {**SMALL, "samples": {"every_steps": 1, "rows": 2, "columns": 2, "archive": True}}
WIDER = {**SMALL, "samples": {"every_steps": 1, "rows": 1, "columns": 4, "archive": True}}


def frames(directory: TrialDir) -> list[tuple[int, ...]]:
    """The shape of each frame of the GIF, ``(height, width)``."""
    gif = iio.imread(io.BytesIO(directory.storage.read(TrialDir.GIF)), extension=".gif", index=None)
    return [frame.shape[:2] for frame in gif]


def archived(directory: TrialDir) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(directory.storage.read(TrialDir.ARCHIVE))) as archive:
        return archive.namelist()


def names(*steps: int) -> list[str]:
    return [f"step-{step:09d}.png" for step in steps]


def test_a_changed_grid_is_shown_from_its_change_on(tmp_path: Path) -> None:
    train(tiny_trial(**ARCHIVED), tmp_path, stop_after=3)
    directory = train(tiny_trial(**WIDER), tmp_path)
    state = directory.read_state()
    assert (state.status, state.reason) == ("completed", "")
    assert frames(directory) == [(32, 122)] * 3  # 4, 5 and 6
    assert state.notes == (
        "progress.gif: 4 grids left out, torn or of another size than the last (samples.rows or columns "
        "changed)",
    )
    assert archived(directory) == names(*range(7))


def huge() -> bytes:
    """A PNG whose pixels would take a terabyte."""
    header = struct.pack(">IIBBBBB", 10**6, 10**6, 8, 0, 0, 0, 0)
    chunk = b"IHDR" + header
    start = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return start + b"\0\0\0\0IEND\xaeB`\x82"


TORN: dict[str, Callable[[Path], object]] = {
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-40]),
    "empty": lambda path: path.write_bytes(b""),
    "no picture": lambda path: path.write_bytes(b"<html>"),
    "a directory": lambda path: (path.unlink(), path.mkdir()),
    "a pipe": lambda path: (path.unlink(), os.mkfifo(path)),
    "gone": lambda path: path.unlink(),
}
OTHERS: dict[str, Callable[[Path], object]] = {
    "huge": lambda path: path.write_bytes(huge()),
    "transparent": lambda path: path.write_bytes(images.encode_png(np.zeros((128, 128, 4), np.uint8))),
    "in colour": lambda path: path.write_bytes(images.encode_png(np.zeros((128, 128, 3), np.uint8))),
}


def test_a_file_that_is_no_grid_is_left_out_and_told(tmp_path: Path) -> None:
    cases = [*TORN.values(), *OTHERS.values()]
    trial = tiny_trial(**{**ARCHIVED, "training": {"steps": len(cases)}})
    directory = train(trial, tmp_path, stop_after=len(cases) - 1)
    folder = Path(directory.storage.where(TrialDir.SAMPLES))
    for step, change in enumerate(cases):
        change(folder / names(step)[0])
    (folder / "step-999999999.png").write_bytes(huge())  # of a step that is not reached
    train(trial, tmp_path)
    state = directory.read_state()
    assert (state.status, state.reason) == ("completed", "")
    assert frames(directory) == [(62, 62)]
    gif, archive = state.notes
    assert gif.startswith("progress.gif: 8 grids left out, ")  # all but the one that is gone
    assert archive == "samples.zip: 5 grids left out, torn"


@pytest.mark.parametrize("path", [TrialDir.GIF, TrialDir.ARCHIVE])
def test_what_cannot_be_written_does_not_undo_a_training(tmp_path: Path, path: str) -> None:
    directory = train(tiny_trial(**ARCHIVED), tmp_path, stop_after=5)
    Path(directory.storage.where(path)).mkdir()
    train(tiny_trial(**ARCHIVED), tmp_path)
    state = directory.read_state()
    assert state.status == "completed"
    assert len(state.notes) == 1
    assert state.notes[0].startswith(f"not written: {directory.storage.where(path)}: ")
    assert directory.storage.exists(TrialDir.GENERATOR)
