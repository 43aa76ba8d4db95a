"""The images of a job directory as ``data:`` URIs, until a page has enough of them."""

from __future__ import annotations

import base64
import io
import struct
from dataclasses import dataclass
from typing import Any

from gandist.artifacts.job_dir import TrialDir
from gandist.errors import StorageError

_PNG, _PNG_END = b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"
_GIF, _GIF_END = (b"GIF87a", b"GIF89a"), b";"
MAX_SIDE = 10_000
MAX_PIXELS = 2**24
"""Of an image that is unpacked here."""


@dataclass(frozen=True)
class Picture:
    """An image for an ``<img>``."""

    uri: str
    width: int
    """Pixels."""
    height: int


class Pictures:
    """Reads images, which may be missing, torn, or no images at all.

    Args:
        each: bytes of one image: larger ones stay in the trial's directory.
        total: bytes of all: a page that no browser opens shows nothing.
    """

    def __init__(self, each: int, total: int) -> None:
        self._each, self._left = each, total
        self._too_large = self._damaged = 0

    @property
    def left_out(self) -> dict[str, Any]:
        """How many images were there but are not in the page, for ``_left_out.html``."""
        return {"too_large": self._too_large, "damaged": self._damaged}

    def grids(self, directory: TrialDir) -> list[tuple[int, str]]:
        """``(step, path)`` of the trial's sample grids; none where they cannot be listed."""
        try:
            return directory.samples()
        except StorageError:
            self._damaged += 1
            return []

    def read(self, directory: TrialDir, path: str) -> bytes | None:
        """The file at ``path``, empty where the storage refuses; None where there is none."""
        try:
            return directory.storage.read(path)
        except FileNotFoundError:
            return None
        except StorageError:
            return b""

    def embed(self, content: bytes | None) -> Picture | None:
        """A PNG or GIF; None for None, and where it is left out."""
        if content is None:
            return None
        kind, size = look(content)
        if size is None:
            self._damaged += 1
            return None
        if len(content) > min(self._each, self._left):
            self._too_large += 1
            return None
        self._left -= len(content)
        return Picture(f"data:image/{kind};base64,{base64.b64encode(content).decode()}", *size)


def cropped(content: bytes, rows: int, kept: int) -> bytes:
    """The first ``kept`` of the ``rows`` of a sample grid; nothing of what is no PNG of a sensible size."""
    from PIL import Image  # here, for only large grids need it

    kind, size = look(content)
    if kind != "png" or size is None or size[0] * size[1] > MAX_PIXELS:
        return b""
    try:
        whole = Image.open(io.BytesIO(content), formats=["PNG"])
        part = io.BytesIO()
        whole.crop((0, 0, size[0], size[1] * kept // rows)).save(part, "PNG")
        return part.getvalue()
    except Exception:  # noqa: BLE001 - there is no end to what a decoder raises on a stranger's file
        return b""


def archive(directory: TrialDir) -> str:
    """The path from the report to the zip of all of the trial's grids; empty where there is none."""
    try:
        there = directory.storage.exists(TrialDir.ARCHIVE)
    except StorageError:
        there = False
    return f"trials/{directory.id}/{TrialDir.ARCHIVE}" if there else ""


def look(content: bytes) -> tuple[str, tuple[int, int] | None]:
    """The kind of a whole image, and its width and height; None for what is none."""
    kind, size = "", (0, 0)
    if content.startswith(_PNG) and content.endswith(_PNG_END) and len(content) > 24:
        kind, size = "png", struct.unpack(">II", content[16:24])
    elif content[:6] in _GIF and content.endswith(_GIF_END) and len(content) > 10:
        kind, size = "gif", struct.unpack("<HH", content[6:10])
    return kind, size if all(0 < side < MAX_SIDE for side in size) else None
