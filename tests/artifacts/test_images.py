"""Sample grids and GIFs."""

from __future__ import annotations

import io

import imageio.v3 as iio
import numpy as np
import pytest

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


def test_cells_that_are_left_over_are_white() -> None:
    grid = images.grid(tiles(4), rows=2, columns=3)
    assert grid.shape == (2 * 5 + 2, 3 * 6 + 2)
    assert grid[8, 3] == 3
    assert (grid[7:, 8:] == 255).all()


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7, 12, 13, 64, 100, 9_999])
def test_a_layout_is_near_square_and_holds_them_all(count: int) -> None:
    rows, columns = images.layout(count)
    assert (rows - 1) * columns < count <= rows * columns
    assert 0 <= columns - rows <= 1


@pytest.mark.parametrize(("height", "factor"), [(8, 8), (28, 2), (32, 2), (64, 1), (256, 1)])
def test_small_images_are_magnified(height: int, factor: int) -> None:
    assert images.magnification(height) == factor


@pytest.mark.parametrize("mode", [None, "RGB"])
def test_frames_with_other_greys_than_the_first_are_read_as_they_are(mode: str | None) -> None:
    few, all_greys = np.full((16, 16), 7, np.uint8), np.arange(256, dtype=np.uint8).reshape(16, 16)
    shown = iio.imread(images.encode_gif([few, all_greys]), extension=".gif", index=None, mode=mode)
    for frame, expected in zip(shown, (few, all_greys), strict=True):
        np.testing.assert_array_equal(frame if mode is None else frame[..., 0], expected)


def test_a_single_frame_is_a_gif_too() -> None:
    content = images.encode_gif([np.full((4, 4), 7, np.uint8)])
    assert content[:6] == b"GIF89a"
    assert iio.imread(content, extension=".gif").shape[-2:] == (4, 4)
