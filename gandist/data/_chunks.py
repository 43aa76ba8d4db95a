"""A set in the making, kept chunk by chunk: who goes on after a kill finds what is whole of it.

Images stand one after another in one file; a line a chunk in another, its journal, says what the chunk
holds and what it must hash to, along with all chunks before it.
"""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import numpy as np
from pydantic import BaseModel, NonNegativeInt, ValidationError

from gandist.activity import Activity, Tell

Item = tuple[NonNegativeInt, np.ndarray] | str
"""A label and an image, or in one line what is left out and why."""
CHUNK_BYTES = 16 * 10**6
CHUNK_S = 2.0


class _Chunk(BaseModel):
    labels: list[NonNegativeInt]
    rejected: list[str]
    digest: str


class Chunks:
    """What was made so far; more is added in order.

    Args:
        images: the file of images; made if it is missing.
        journal: as well.
        image_bytes: of each image.
        tell: told how much of it is looked through.
    """

    def __init__(self, images: Path, journal: Path, image_bytes: int, tell: Tell) -> None:
        self.labels: list[int] = []
        self.rejected: list[str] = []
        self._image_bytes, self._tell = image_bytes, tell
        self._digest = ""
        self._images, self._journal = (_opened(path) for path in (images, journal))
        self._recover()
        self._clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._images.close()
        self._journal.close()

    @property
    def items(self) -> int:
        """How many are kept."""
        return len(self.labels) + len(self.rejected)

    def add(self, item: Item) -> None:
        """Take in an item; it is kept with the others of its chunk."""
        if isinstance(item, str):
            self._rejected.append(item)
        else:
            label, image = item
            self._labels.append(label)
            self._pixels += image.tobytes()
        if len(self._pixels) >= CHUNK_BYTES or time.monotonic() - self._began >= CHUNK_S:
            self.keep()

    def keep(self) -> None:
        """Keep what was added."""
        digest = _digest(self._digest, self._labels, self._rejected, self._pixels)
        chunk = _Chunk(labels=self._labels, rejected=self._rejected, digest=digest)
        self._images.write(self._pixels)
        self._images.flush()  # images first: a line stands for bytes that are there
        self._journal.write(chunk.model_dump_json().encode() + b"\n")
        self._journal.flush()
        self._take(chunk)
        self._clear()

    def _clear(self) -> None:
        self._labels: list[int] = []
        self._rejected: list[str] = []
        self._pixels = bytearray()
        self._began = time.monotonic()

    def _take(self, chunk: _Chunk) -> None:
        self.labels += chunk.labels
        self.rejected += chunk.rejected
        self._digest = chunk.digest

    def _recover(self) -> None:
        """Read what is whole, cut off the rest, and stand behind it."""
        whole = images = 0
        for line in self._journal:
            try:
                chunk = _Chunk.model_validate_json(line)
            except ValidationError:
                break
            pixels = self._images.read(self._image_bytes * len(chunk.labels))
            if chunk.digest != _digest(self._digest, chunk.labels, chunk.rejected, pixels):
                break
            self._take(chunk)
            whole += len(line)
            images += len(pixels)
            self._tell(Activity("checking decoded pictures", self.items))
        for file, size in ((self._images, images), (self._journal, whole)):
            file.seek(size)
            file.truncate()


def _digest(before: str, labels: list[int], rejected: list[str], pixels: bytes | bytearray) -> str:
    digest = hashlib.sha256(repr((before, labels, rejected, len(pixels))).encode())
    digest.update(pixels)
    return digest.hexdigest()


def _opened(path: Path) -> BinaryIO:
    path.touch()
    return path.open("r+b")
