"""Picture files of strangers, as squares of bytes.

A file is opened as one of ``FORMATS`` or not at all, whatever its name says: other readers of PIL call other
programs. One of more than PIL's limit of 89 million pixels is refused before it is unpacked.
"""

from __future__ import annotations

import os
import stat
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from PIL import Image

FORMATS = {
    "JPEG": (".jpg", ".jpeg"),
    "PNG": (".png",),
    "BMP": (".bmp",),
    "GIF": (".gif",),
    "WEBP": (".webp",),
    "TIFF": (".tif", ".tiff"),
    "PPM": (".ppm", ".pgm"),
}
EXTENSIONS = frozenset(extension for extensions in FORMATS.values() for extension in extensions)
MARGIN = 3.0
"""Large pictures are first reduced by whole factors, to this many times the size or more: much faster, and
next to indistinguishable (Pillow's documentation, ``reducing_gap``)."""
BATCH_BYTES = 16 * 10**6
"""Decoded pictures that may wait for a slower one before them."""


@dataclass(frozen=True)
class Square:
    """What becomes of each picture.

    Attributes:
        size: of a side.
        channels: 1 = luminance, 3 = red, green, blue.
        crop: ``center`` takes the largest centred square, ``none`` squeezes the whole picture into one.
    """

    size: int
    channels: Literal[1, 3]
    crop: Literal["center", "none"]


def decode_all(paths: Sequence[Path], square: Square) -> Iterator[np.ndarray | str]:
    """For each path, in order: uint8 ``[size, size, channels]``, or in one line why there is none.

    In threads: PIL decodes and resizes without Python's lock.
    """
    from PIL import Image

    Image.init()  # before there are threads
    workers = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    batch = max(4 * workers, BATCH_BYTES // (square.size**2 * square.channels))
    # Set for all threads, which end within; damaged metadata is no reason for lines on the terminal.
    with warnings.catch_warnings(), ThreadPoolExecutor(workers) as threads:
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            for start in range(0, len(paths), batch):
                yield from threads.map(partial(_decoded, square=square), paths[start : start + batch])
        finally:
            threads.shutdown(cancel_futures=True)


def _decoded(path: Path, square: Square) -> np.ndarray | str:
    from PIL import Image

    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return "is no regular file"  # opening a pipe would wait for ever
        with Image.open(path, formats=tuple(FORMATS)) as picture:
            return decode(picture, square)
    except Exception as error:  # noqa: BLE001 - on damaged files PIL raises about anything
        text = getattr(error, "strerror", None) or str(error).replace(repr(str(path)), "")
        return " ".join(text.split())[:200] or type(error).__name__


def decode(picture: Image.Image, square: Square) -> np.ndarray:
    """uint8 ``[size, size, channels]`` of an opened picture: of its first frame, upright, on white.

    Colour profiles are not looked at.

    Raises:
        ValueError: its samples have no known range.
        Exception: what PIL raises on damaged files.
    """
    from PIL import Image

    size = square.size
    picture.draft(None, (int(MARGIN * size), int(MARGIN * size)))  # JPEGs unpack at a fraction of their size
    turn = _turn(picture)
    picture = _eight_bits(picture)
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    picture = picture.convert("RGB" if square.channels == 3 else "L")
    width, height = picture.size
    side = min(width, height)
    left, top = ((width - side) / 2, (height - side) / 2) if square.crop == "center" else (0, 0)
    picture = picture.resize(
        (size, size), Image.Resampling.LANCZOS, (left, top, width - left, height - top), MARGIN
    )
    if turn is not None:  # last, when it is small: the square is about the centre, whichever side is up
        picture = picture.transpose(turn)
    return np.asarray(picture).reshape(size, size, square.channels)


def _turn(picture: Image.Image) -> Image.Transpose | None:
    """What sets it upright, by its EXIF data."""
    from PIL import ExifTags, Image

    turns = Image.Transpose
    upright = {
        **{2: turns.FLIP_LEFT_RIGHT, 3: turns.ROTATE_180, 4: turns.FLIP_TOP_BOTTOM, 5: turns.TRANSPOSE},
        **{6: turns.ROTATE_270, 7: turns.TRANSVERSE, 8: turns.ROTATE_90},
    }
    try:
        return upright.get(int(picture.getexif().get(ExifTags.Base.Orientation, 1)))
    except Exception:  # noqa: BLE001 - damaged metadata is no reason to lose a picture
        return None


def _eight_bits(picture: Image.Image) -> Image.Image:
    """Samples of 0..65535 as 0..255; PIL itself would clip them."""
    from PIL import Image

    if picture.mode.startswith("I;16") or (picture.mode == "I" and picture.format == "PPM"):
        samples = np.clip(np.asarray(picture).astype(np.int64), 0, 65535)
        return Image.fromarray(((samples + 128) // 257).astype(np.uint8))
    if picture.mode in ("I", "F"):
        raise ValueError("its samples of 32 bits have no known range; store it with 8 or 16")
    return picture
