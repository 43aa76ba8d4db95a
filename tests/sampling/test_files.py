"""What images are written as, and what is asked for that cannot be."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest

from gandist.artifacts import images
from gandist.errors import UsageError
from gandist.sampling import files
from gandist.sampling.files import Array, Each, Film, Format, Gif, Grid
from tests.artifacts.test_images import tiles


def content(form: Format, made: np.ndarray) -> bytes:
    ((name, found),) = form.encode(made)
    assert name == ""
    return found


def test_a_png_is_a_grid_magnified_to_be_seen() -> None:
    made = tiles(5, channels=3)
    png = images.decode_png(content(Grid(), made))
    np.testing.assert_array_equal(png, images.grid(made, 2, 3, scale=21))
    smaller = images.decode_png(content(Grid(scale=2), made))
    np.testing.assert_array_equal(smaller, images.grid(made, 2, 3, scale=2))


@pytest.mark.parametrize("channels", [1, 3])
def test_a_png_of_one_image_is_that_image_without_a_frame(channels: int) -> None:
    made = 80 * tiles(3, channels)[1:2]
    png = images.decode_png(content(Grid(), made))
    np.testing.assert_array_equal(png, made[0, ..., 0] if channels == 1 else made[0])
    larger = images.decode_png(content(Grid(scale=3), made))
    np.testing.assert_array_equal(larger, images.magnified(png, 3))


def test_a_directory_gets_a_png_of_each_image_as_it_is() -> None:
    made = 80 * tiles(3, channels=3)
    written = dict(Each().encode(made))
    assert list(written) == ["00000.png", "00001.png", "00002.png"]
    for png, image in zip(written.values(), made, strict=True):
        np.testing.assert_array_equal(images.decode_png(png), image)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("form", "milliseconds"), [(Gif(), 500), (Gif(moving=True), 60), (Gif(fps=25), 40), (Gif(fps=2), 500)]
)
def test_a_gif_is_frames_that_loop(channels: int, form: Gif, milliseconds: int) -> None:
    made = 80 * tiles(3, channels)
    gif = content(form, made)
    shown = iio.imread(io.BytesIO(gif), extension=".gif", index=None)
    assert shown.shape[:3] == (3, 3 * 85, 4 * 85)
    assert [int(frame.mean()) for frame in shown] == [0, 80, 160]
    told = [iio.immeta(gif, extension=".gif", index=index) for index in range(3)]
    assert [each["duration"] for each in told] == [milliseconds] * 3
    assert told[0]["loop"] == 0


@pytest.mark.parametrize("channels", [1, 3])
def test_an_mp4_shows_each_frame_at_the_pace_that_was_asked_for(channels: int, tmp_path: Path) -> None:
    from imageio_ffmpeg import read_frames

    made = 80 * np.ones((3, 9, 15, channels), np.uint8) * np.arange(3, dtype=np.uint8)[:, None, None, None]
    with_odd_sides = content(Film(scale=7, fps=10), made)
    path = tmp_path / "film.mp4"
    path.write_bytes(with_odd_sides)
    reader = read_frames(str(path))
    told = next(reader)
    assert (told["size"], told["fps"], told["codec"]) == ((106, 64), 10.0, "h264")
    shown = [np.frombuffer(frame, np.uint8).mean() for frame in reader]
    assert shown == pytest.approx([0, 80, 160], abs=3)


def test_an_array_is_the_pixels_as_they_are() -> None:
    made = tiles(5, channels=3)
    np.testing.assert_array_equal(np.load(io.BytesIO(content(Array(), made))), made)


@pytest.mark.parametrize("form", [Grid(), Gif(), Array(), Grid(scale=9)])
def test_what_the_pixels_of_a_file_take_is_known_before_they_are_made(form: Format) -> None:
    made = np.random.default_rng(0).integers(0, 256, (50, 20, 30, 3), np.uint8)
    found = content(form, made)
    decoded = np.load(io.BytesIO(found)) if isinstance(form, Array) else iio.imread(found, index=None)
    assert form.raw_bytes(50, (20, 30, 3)) == pytest.approx(decoded.nbytes, rel=0.4)


@pytest.mark.parametrize(
    ("form", "line"),
    [
        (Grid(fps=10), "--fps 10: only a .gif or an .mp4 moves; leave it out"),
        (Gif(fps=60), "--fps 60: this file moves at 2 to 50 frames a second"),
        (Film(fps=0.5), "--fps 0.5: this file moves at 1 to 120 frames a second"),
        (Array(scale=2), "--scale 2: an .npy holds the pixels as they are; leave it out"),
    ],
)
def test_what_a_format_cannot_do_is_refused(form: Format, line: str) -> None:
    with pytest.raises(UsageError) as raised:
        form.check()
    assert str(raised.value) == line


def test_an_mp4_without_what_writes_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(UsageError, match=r"^--out: an .mp4 needs imageio-ffmpeg, .* 'gandist\[video\]'$"):
        Film().check()


def test_a_directory_is_one_that_is_there_or_ends_in_a_slash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("there").mkdir()
    for out in ("there", "there/", "new/"):
        found = files.target(out)
        assert (found.directory, found.name, found.kind) == (out.rstrip("/"), "", Each)
    Path("file").write_text("")
    Path("full").mkdir()
    Path("full", "00000.png").write_text("")
    for out, why in (
        ("full/", "holds files already; give a new directory"),
        ("new", "its name ends in none of"),
        ("file/", "a file"),
        ("a/b/", "there is no directory a"),
    ):
        with pytest.raises(UsageError, match=f"^--out {out}: {why}"):
            files.target(out)
