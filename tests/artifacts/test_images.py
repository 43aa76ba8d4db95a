"""Sample grids and GIFs."""

from __future__ import annotations

import io

import imageio.v3 as iio
import numpy as np

from gandist.artifacts import images


def tiles(count: int, channels: int = 1) -> np.ndarray:
    """Image k is filled with the value k."""
    return np.arange(count, dtype=np.uint8)[:, None, None, None] * np.ones((1, 3, 4, channels), np.uint8)


def test_a_grid_is_read_row_by_row() -> None:
    grid = images.grid(tiles(6), rows=2, columns=3)
    assert grid.shape == (2 * 5 + 2, 3 * 6 + 2)
    assert [grid[3, 3 + 6 * column] for column in range(3)] == [0, 1, 2]
    assert [grid[8, 3 + 6 * column] for column in range(3)] == [3, 4, 5]
    assert (grid[:2] == 255).all()
    assert (grid[:, :2] == 255).all()


def test_scale_makes_squares_of_pixels() -> None:
    small, large = (images.grid(tiles(4), 2, 2, scale) for scale in (1, 3))
    np.testing.assert_array_equal(large[::3, ::3], small)
    np.testing.assert_array_equal(large[2::3, 1::3], small)


def test_colour_stays() -> None:
    assert images.grid(tiles(4, channels=3), 2, 2).shape[2] == 3


def test_png_keeps_every_pixel() -> None:
    for channels in (1, 3):
        grid = images.grid(tiles(4, channels), 2, 2)
        np.testing.assert_array_equal(images.decode_png(images.encode_png(grid)), grid)


def test_a_gif_has_every_frame_loops_and_holds_the_last() -> None:
    frames = [np.full((8, 8), value, np.uint8) for value in (0, 128, 255)]
    gif = images.encode_gif(frames)
    shown = iio.imread(io.BytesIO(gif), extension=".gif", index=None)
    assert [int(frame.mean()) for frame in shown] == [0, 128, 255]
    durations = [iio.immeta(gif, extension=".gif", index=index)["duration"] for index in range(3)]
    assert durations[2] > durations[0] == durations[1]
    assert iio.immeta(gif, extension=".gif", index=0)["loop"] == 0
