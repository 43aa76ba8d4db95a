"""All sample grids of a trial in one file: as a GIF, and as an archive."""

from __future__ import annotations

import io
import zipfile

import numpy as np

from gandist.artifacts import images
from gandist.artifacts.job_dir import TrialDir
from gandist.errors import StorageError

FRAMES = 100


def gif(directory: TrialDir, step: int, shape: tuple[int, ...], scale: int) -> tuple[bytes, int]:
    """The grids up to ``step`` as a GIF, and how many were left out: a GIF has frames of one size.

    Args:
        directory: the trial's.
        step: the last.
        shape: of the pixels of a frame, before ``scale`` is taken out again: a viewer magnifies as well, and
            a GIF of squares is several times larger.
        scale: by which grids are magnified.

    Returns:
        empty where no grid can be used.

    Raises:
        StorageError: the directory cannot be listed.
    """
    paths = [path for at, path in directory.samples() if at <= step]
    frames = [_pixels(directory, path, shape) for path in _spread(paths)]
    left_out = 0
    if any(frame is None for frame in frames):
        # The grid was changed, or a file is damaged: of those that can be used as many as ever are shown.
        usable = [path for path in paths if _pixels(directory, path, shape) is not None]
        left_out = len(paths) - len(usable)
        frames = [_pixels(directory, path, shape) for path in _spread(usable)]
    pixels = [frame[::scale, ::scale] for frame in frames if frame is not None]
    return (images.encode_gif(pixels) if pixels else b""), left_out


def archive(directory: TrialDir) -> tuple[bytes, int]:
    """The grids as they are in a zip, of whatever size, and how many were left out because they are torn.

    Raises:
        StorageError: the directory cannot be listed.
    """
    buffer, left_out = io.BytesIO(), 0
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as zipped:  # PNGs are compressed already
        for _, path in directory.samples():
            content = _read(directory, path)
            if not images.is_whole_png(content):
                left_out += 1
                continue
            # A fixed date: equal grids give equal archives.
            zipped.writestr(zipfile.ZipInfo(path.rpartition("/")[2]), content)
    return buffer.getvalue(), left_out


def _spread(paths: list[str]) -> list[str]:
    """At most ``FRAMES`` of them, evenly."""
    if not paths:
        return []
    return [paths[i] for i in np.unique(np.linspace(0, len(paths) - 1, FRAMES).round().astype(int))]


def _pixels(directory: TrialDir, path: str, shape: tuple[int, ...]) -> np.ndarray | None:
    try:
        return images.decode_png(_read(directory, path), shape)
    except ValueError:
        return None


def _read(directory: TrialDir, path: str) -> bytes:
    """Empty where the file cannot be read."""
    try:
        return directory.storage.read(path)
    except (FileNotFoundError, StorageError):
        return b""
