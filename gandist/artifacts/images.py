"""Sample grids and GIFs."""

from __future__ import annotations

import io
from collections.abc import Sequence

import imageio.v3 as iio
import numpy as np

MARGIN = 2
BACKGROUND = 255


def grid(images: np.ndarray, rows: int, columns: int, scale: int = 1) -> np.ndarray:
    """Lay images out in a grid, row by row, with a white margin of two pixels.

    Args:
        images: uint8 ``[rows * columns, height, width, channels]``, of 1 or 3 channels.
        rows: of the grid.
        columns: of the grid.
        scale: each pixel, of the margin too, becomes a square of this side.

    Returns:
        uint8 ``[height, width]`` for one channel, else ``[height, width, 3]``.
    """
    padded = np.pad(images, ((0, 0), (0, MARGIN), (0, MARGIN), (0, 0)), constant_values=BACKGROUND)
    _, height, width, channels = padded.shape
    tiled = padded.reshape(rows, columns, height, width, channels).swapaxes(1, 2)
    tiled = tiled.reshape(rows * height, columns * width, channels)
    framed = np.pad(tiled, ((MARGIN, 0), (MARGIN, 0), (0, 0)), constant_values=BACKGROUND)
    framed = framed.repeat(scale, axis=0).repeat(scale, axis=1)
    return framed[..., 0] if channels == 1 else framed


def encode_png(image: np.ndarray) -> bytes:
    """uint8 ``[height, width]`` or ``[height, width, 3]`` as PNG; equal pixels give equal bytes."""
    return bytes(iio.imwrite("<bytes>", image, extension=".png"))


def decode_png(content: bytes) -> np.ndarray:
    """The pixels of a PNG."""
    return np.asarray(iio.imread(io.BytesIO(content), extension=".png"))


def encode_gif(frames: Sequence[np.ndarray], seconds: float = 6.0, hold_s: float = 1.5) -> bytes:
    """An endless GIF of ``frames``, lasting about ``seconds`` and holding the last frame for ``hold_s``.

    Args:
        frames: uint8 images of one shape, in their order.
    """
    each_ms = min(500.0, max(20.0, 1000 * seconds / len(frames)))
    durations = [each_ms] * (len(frames) - 1) + [1000 * hold_s]
    return bytes(iio.imwrite("<bytes>", list(frames), extension=".gif", duration=durations, loop=0))
