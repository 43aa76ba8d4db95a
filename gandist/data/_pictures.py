"""Picture files of strangers, as squares of bytes.

A file is opened as one of ``FORMATS`` or not at all, whatever its name says: other readers of PIL call other
programs. One of more than PIL's limit of 89 million pixels is refused before it is unpacked.
"""

from __future__ import annotations

import contextlib
import errno
import stat
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal

import numpy as np

from gandist.data import _cache, _samples
from gandist.errors import DataError
from gandist.printable import printable

if TYPE_CHECKING:
    from PIL import Image

FORMATS = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".jfi", ".pjpeg", ".pjp", ".mpo"),
    "PNG": (".png", ".apng"),
    "BMP": (".bmp", ".dib"),
    "GIF": (".gif",),
    "WEBP": (".webp",),
    "TIFF": (".tif", ".tiff"),
    "PPM": (".ppm", ".pgm", ".pbm", ".pnm"),
}
EXTENSIONS = frozenset(extension for extensions in FORMATS.values() for extension in extensions)
OTHERS = {
    **dict.fromkeys((b"ftyphei", b"ftyphev", b"ftypmif1", b"ftypmsf1"), "HEIC"),
    b"ftypavi": "AVIF",
    b"ftypcrx": "a raw camera file",
    b"JXL ": "JPEG XL",
    b"jP  ": "JPEG 2000",
    b"8BPS": "Photoshop",
    b"%!PS": "PostScript",
    b"<svg": "SVG",
    b"P7\n": "PAM",
    b"PF\n": "PFM",
}
"""What else a picture may be, by what stands in its first bytes."""
PASSING = (errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ESTALE, errno.ETIMEDOUT)
"""Errors that say nothing of a picture: it is not left out for them, now and, by the cache, for ever."""
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
    workers = _cache.workers()
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
    from PIL import Image, UnidentifiedImageError

    kind = ""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return "is no regular file"  # opening a pipe would wait for ever
        with path.open(
            "rb"
        ) as file:  # by its name, PIL would map some TIFFs into memory with sides exchanged
            try:
                with Image.open(file, formats=tuple(FORMATS)) as picture:
                    kind = f"{picture.format}: "
                    return decode(picture, square)
            except UnidentifiedImageError:
                return _line(why_not(file))
    except Exception as error:
        if isinstance(error, OSError) and error.errno in PASSING:
            raise DataError(f"{printable(path)}: {error.strerror}; run again when that is over") from error
        return _line(f"{kind}{getattr(error, 'strerror', None) or str(error) or type(error).__name__}")


def _line(text: str) -> str:
    return " ".join(text.split())[:200]


def why_not(file: BinaryIO) -> str:
    """Why PIL identifies no picture: it keeps to itself what is wrong with one of a known format."""
    from PIL import Image

    file.seek(0)
    start = file.read(64)
    for name in FORMATS:
        factory, accepts = Image.OPEN[name]
        if accepts is None or accepts(start[:16]) is not True:
            continue
        file.seek(0)
        try:
            factory(file, b"")
        except Exception as error:  # noqa: BLE001 - as above
            facts = ""
            with contextlib.suppress(Exception):
                file.seek(0)
                facts = f" ({_samples.tiff_facts(file)})" if name == "TIFF" else ""
            return f"cannot identify image file: {name}, {error or 'damaged'}{facts}"
    for mark, name in OTHERS.items():
        if mark in start:
            return f"cannot identify image file: is {name}; convert it to JPEG or PNG"
    return "cannot identify image file"


def decode(picture: Image.Image, square: Square) -> np.ndarray:
    """uint8 ``[size, size, channels]`` of an opened picture: of its first frame, upright, on white.

    Colour profiles are not looked at.

    Raises:
        ValueError: its samples have no known meaning.
        Exception: what PIL raises on damaged files.
    """
    from PIL import Image

    size = square.size
    picture.draft(None, (int(MARGIN * size), int(MARGIN * size)))  # JPEGs unpack at a fraction of their size
    shown = _samples.on_white(picture).convert("RGB" if square.channels == 3 else "L")
    turn = _turn(picture)  # once it is loaded: a TIFF is turned in loading, and says then that it is upright
    width, height = shown.size
    side = min(width, height)
    left, top = ((width - side) / 2, (height - side) / 2) if square.crop == "center" else (0, 0)
    shown = shown.resize(
        (size, size), Image.Resampling.LANCZOS, (left, top, width - left, height - top), MARGIN
    )
    if turn is not None:  # last, when it is small: the square is about the centre, whichever side is up
        shown = shown.transpose(turn)
    return np.asarray(shown).reshape(size, size, square.channels)


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
