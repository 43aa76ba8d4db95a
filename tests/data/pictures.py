"""Pictures to make folders of."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

KINDS = ("circles", "squares")
ROTTEN = {
    "rotten_empty.jpg": b"",
    "rotten_text.jpg": b"this is no picture",
    "rotten_html.png": b"<html></html>",
}


def encoded(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def shape(kind: str, number: int, shortest: int = 24) -> Image.Image:
    """A circle or a square, in a colour and on a ground of its own, of a size of its own."""
    rng = np.random.default_rng(number)
    width, height = (int(side) for side in rng.integers(shortest, 3 * shortest, 2))
    ground, colour = (
        (int(low), int(low) + 40, 200 - int(low)) for low in (rng.integers(120), rng.integers(120))
    )
    picture = Image.new("RGB", (width, height), ground)
    side = min(width, height) * 0.35
    box = (width / 2 - side, height / 2 - side, width / 2 + side, height / 2 + side)
    draw = ImageDraw.Draw(picture)
    (draw.ellipse if kind == "circles" else draw.rectangle)(box, fill=(255 - colour[0], colour[1], 30))
    return picture


def folder(root: Path, count: int = 12, rotten: bool = False, shortest: int = 24) -> Path:
    """Two classes of ``count`` JPEGs each; with ``rotten``, files among them that cannot be read."""
    for kind in KINDS:
        (root / kind).mkdir(parents=True)
        for number in range(count):
            content = encoded(shape(kind, number, shortest), "JPEG", quality=90)
            (root / kind / f"{number:04d}.jpg").write_bytes(content)
    if rotten:
        for name, content in ROTTEN.items():
            (root / "circles" / name).write_bytes(content)
        whole = (root / "squares" / "0000.jpg").read_bytes()
        (root / "squares" / "rotten_cut.jpg").write_bytes(whole[: len(whole) // 2])
    return root


def touch(path: Path, content: bytes) -> None:
    """Other bytes of the same length, a second later."""
    changed = path.stat().st_mtime_ns + 10**9
    path.write_bytes(content)
    os.utime(path, ns=(changed, changed))
