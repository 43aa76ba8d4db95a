"""Sample grids and GIFs."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import Any

import imageio.v3 as iio
import numpy as np

MARGIN = 2
BACKGROUND = 255
GRID_PIXELS = 64
"""Small images are magnified to about this height in grids."""
FRAME_PIXELS = 256
"""And to about this one where a frame is a single image."""


def magnification(height: int, pixels: int = GRID_PIXELS) -> int:
    """The whole factor that brings ``height`` closest to ``pixels``, at least 1."""
    return max(1, round(pixels / height))


def layout(count: int) -> tuple[int, int]:
    """``(rows, columns)`` of a near-square grid for ``count`` images; only the last row may not be full."""
    columns = math.isqrt(count - 1) + 1
    return -(-count // columns), columns


def grid(images: np.ndarray, rows: int, columns: int, scale: int = 1) -> np.ndarray:
    """Lay images out in a grid, row by row, with a white margin of two pixels; cells left over are white.

    Args:
        images: uint8 ``[n, height, width, channels]``, of 1 or 3 channels; at most ``rows * columns``.
        rows: of the grid.
        columns: of the grid.
        scale: each pixel, of the margin too, becomes a square of this side.

    Returns:
        uint8 ``[height, width]`` for one channel, else ``[height, width, 3]``.
    """
    empty = rows * columns - len(images)
    padded = np.pad(images, ((0, empty), (0, MARGIN), (0, MARGIN), (0, 0)), constant_values=BACKGROUND)
    _, height, width, channels = padded.shape
    tiled = padded.reshape(rows, columns, height, width, channels).swapaxes(1, 2)
    tiled = tiled.reshape(rows * height, columns * width, channels)
    framed = np.pad(tiled, ((MARGIN, 0), (MARGIN, 0), (0, 0)), constant_values=BACKGROUND)
    framed = magnified(framed, scale)
    return framed[..., 0] if channels == 1 else framed


def magnified(image: np.ndarray, scale: int) -> np.ndarray:
    """``[height, width, ...]`` with each pixel a square of side ``scale``."""
    return image.repeat(scale, axis=0).repeat(scale, axis=1)


def encode_png(image: np.ndarray) -> bytes:
    """uint8 ``[height, width]`` or ``[height, width, 3]`` as PNG; equal pixels give equal bytes."""
    return bytes(iio.imwrite("<bytes>", image, extension=".png"))


def decode_png(content: bytes, shape: tuple[int, ...] | None = None) -> np.ndarray:
    """The pixels of a grid: uint8 ``[height, width]`` or ``[height, width, 3]``.

    Args:
        content: the file.
        shape: what it must have; looked at before memory is taken for the pixels.

    Raises:
        ValueError: it is torn, no such PNG, or of another shape.
    """
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content), formats=["PNG"]) as picture:
            found = (picture.height, picture.width, *((3,) if picture.mode == "RGB" else ()))
            fits = picture.mode in ("L", "RGB") and shape in (None, found)
            pixels = np.asarray(picture) if fits else None
    except Exception as error:
        raise ValueError(f"no PNG: {error}") from error  # there is no end to what a decoder raises
    if pixels is None:
        raise ValueError(f"a PNG of {found}, {picture.mode}, where {shape} is wanted")
    return pixels


def is_whole_png(content: bytes) -> bool:
    """Whether ``content`` begins and ends like a PNG."""
    return content.startswith(b"\x89PNG\r\n\x1a\n") and content.endswith(b"IEND\xaeB`\x82")


def encode_gif(frames: Sequence[np.ndarray], seconds: float = 6.0, hold_s: float = 1.5) -> bytes:
    """An endless GIF of ``frames``, lasting about ``seconds`` and holding the last frame for ``hold_s``.

    Args:
        frames: uint8 images of one shape, in their order.
    """
    each_ms = min(500, max(20, 10 * round(100 * seconds / len(frames))))  # a GIF counts hundredths
    durations = [each_ms] * (len(frames) - 1) + [1000 * hold_s]
    duration = durations if len(frames) > 1 else durations[0]  # Pillow takes no list for a single frame
    # All frames share one palette: where the first had one of its own, some readers took it for the others'.
    options: dict[str, Any] = {"duration": duration, "loop": 0, "optimize": False}
    return bytes(iio.imwrite("<bytes>", list(frames), extension=".gif", **options))
