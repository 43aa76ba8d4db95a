"""How large pictures are, as text: told of a folder, and kept, for opening each takes time."""

from __future__ import annotations

import contextlib
import itertools
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from gandist.data import _cache, _pictures

KEPT = "sizes.txt"
MOST = 2000
"""Pictures that are looked at."""
MAX_LINE = 200


def told(paths: Sequence[Path], size: int, kept: Path) -> str:
    """``, sides of 100 to 4,032 pixels; 3 are smaller than 64 and were enlarged``; empty where it is unknown.

    Args:
        paths: the pictures; of many only some are looked at.
        size: of a side of what becomes of them.
        kept: the file that keeps the answer; it is a function of all that this depends on.
    """
    with contextlib.suppress(OSError, ValueError):
        text = kept.read_text(encoding="utf-8")
        if text.isprintable() and len(text) < MAX_LINE:
            return text
    text = _told(paths, size)
    with contextlib.suppress(OSError):  # then they are looked at again
        kept.write_text(text, encoding="utf-8")
    return text


def _told(paths: Sequence[Path], size: int) -> str:
    step = -(-len(paths) // MOST)
    with warnings.catch_warnings(), ThreadPoolExecutor(_cache.workers()) as threads:
        warnings.simplefilter("ignore")
        found = [sides for sides in threads.map(_sides, itertools.islice(paths, 0, None, step)) if sides]
    if not found:
        return ""
    low, high = min(map(min, found)), max(map(max, found))
    range_ = f"{low:,} to {high:,}" if low < high else f"{low:,}"
    text = f", sides of {'about ' if step > 1 else ''}{range_} pixels"
    if small := sum(min(sides) < size for sides in found):
        share = f"{small:,}" if step == 1 else f"{small / len(found):.0%}"
        text += f"; {share} of them smaller than {size} and enlarged"
    return text


def _sides(path: Path) -> tuple[int, int] | None:
    """From the file's header."""
    from PIL import Image

    try:
        with path.open("rb") as file, Image.open(file, formats=tuple(_pictures.FORMATS)) as picture:
            return picture.size
    except Exception:  # noqa: BLE001 - it is among those that are left out
        return None
