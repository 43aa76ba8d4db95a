"""Pictures to make folders of, and reading such folders."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from gandist.data import Dataset, _pictures, image_folder, load
from gandist.errors import DataError

GREY = {"channels": 1, "image_size": 8}
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


def grey(level: int) -> bytes:
    """A picture of one grey."""
    return encoded(Image.new("L", (9, 9), level))


def write(root: Path, levels: dict[str, int]) -> Path:
    """A picture of one grey at each path."""
    for name, level in levels.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(grey(level))
    return root


def levels(dataset: Dataset) -> list[int]:
    """The grey of each image."""
    return dataset.images[:, 0, 0, 0].tolist()


def read(root: Path, **options: object) -> Dataset:
    """The folder as a data set."""
    return load(image_folder.Options(path=str(root), **options), None)


def refusal(root: Path, **options: object) -> str:
    """The one line that reading it raises."""
    with pytest.raises(DataError) as error:
        read(root, **options)
    text = str(error.value)
    assert text.isprintable()
    return text


def count_decoding(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by one for each picture that is decoded."""
    decoded: list[int] = []
    decode = _pictures._decoded
    monkeypatch.setattr(_pictures, "_decoded", lambda *a, **k: (decoded.append(1), decode(*a, **k))[1])
    return decoded
