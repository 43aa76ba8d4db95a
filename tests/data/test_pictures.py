"""What becomes of one picture: its colours, its sides, and what is refused."""

from __future__ import annotations

import io
import os
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from gandist.data._pictures import Square, decode, decode_all
from tests.data.pictures import encoded

COLOUR, GREY = Square(8, 3, "center"), Square(8, 1, "center")
TRANSPARENT = Image.new("RGBA", (9, 9), (0, 0, 0, 0))
HALF = Image.new("RGBA", (9, 9), (255, 0, 0, 128))
PALETTE = Image.new("P", (9, 9), 1)
PALETTE.putpalette([0, 0, 0, 10, 200, 30])
SIXTEEN = Image.fromarray(np.full((9, 9), 0x8080, np.uint16))


def from_bytes(content: bytes, square: Square = COLOUR) -> np.ndarray:
    with Image.open(io.BytesIO(content)) as picture:
        return decode(picture, square)


# What it is, its file, the colour that it has all over, how exactly.
COLOURS = [
    ("rgb", encoded(Image.new("RGB", (9, 9), (10, 200, 30))), (10, 200, 30)),
    ("grey", encoded(Image.new("L", (9, 9), 77)), (77, 77, 77)),
    ("black and white", encoded(Image.new("1", (9, 9), 1)), (255, 255, 255)),
    ("palette", encoded(PALETTE), (10, 200, 30)),
    ("transparent", encoded(TRANSPARENT), (255, 255, 255)),
    ("half transparent", encoded(HALF), (255, 127, 127)),
    ("grey, transparent", encoded(Image.new("LA", (9, 9), (0, 0))), (255, 255, 255)),
    (
        "a transparent colour",
        encoded(Image.new("RGB", (9, 9), (1, 2, 3)), transparency=(1, 2, 3)),
        (255, 255, 255),
    ),
    ("a transparent place of the palette", encoded(PALETTE, transparency=1), (255, 255, 255)),
    ("a transparent webp", encoded(TRANSPARENT, "WEBP", lossless=True), (255, 255, 255)),
    ("cmyk", encoded(Image.new("CMYK", (9, 9), (255, 0, 0, 0)), "JPEG"), (0, 255, 255)),
    ("cmyk, tiff", encoded(Image.new("CMYK", (9, 9), (0, 0, 255, 0)), "TIFF"), (255, 255, 0)),
    ("16 bits", encoded(SIXTEEN), (128, 128, 128)),
    ("16 bits, tiff", encoded(SIXTEEN, "TIFF"), (128, 128, 128)),
    ("16 bits, pgm", encoded(SIXTEEN, "PPM"), (128, 128, 128)),
    ("16 bits, a transparent grey", encoded(SIXTEEN, transparency=5), (128, 128, 128)),
    ("gif", encoded(PALETTE, "GIF"), (10, 200, 30)),
    ("bmp", encoded(Image.new("RGB", (9, 9), (10, 200, 30)), "BMP"), (10, 200, 30)),
]


@pytest.mark.parametrize(("what", "content", "colour"), COLOURS, ids=[case[0] for case in COLOURS])
def test_colours(what: str, content: bytes, colour: tuple[int, int, int]) -> None:
    image = from_bytes(content)
    assert (image.shape, image.dtype) == ((8, 8, 3), np.uint8)
    np.testing.assert_allclose(image, np.broadcast_to(colour, image.shape), atol=2)
    grey = from_bytes(content, GREY)
    assert grey.shape == (8, 8, 1)
    np.testing.assert_allclose(grey, np.dot(colour, (0.299, 0.587, 0.114)), atol=2)


def test_the_ends_of_16_bits_are_those_of_8() -> None:
    picture = Image.fromarray(np.array([[0, 65535]] * 2, np.uint16))
    image = from_bytes(encoded(picture), Square(2, 1, "center"))
    assert image[..., 0].tolist() == [[0, 255], [0, 255]]


@pytest.mark.parametrize("mode", ["I", "F"])
def test_32_bits_are_refused(mode: str) -> None:
    with pytest.raises(ValueError, match="32 bits"):
        from_bytes(encoded(Image.new(mode, (9, 9)), "TIFF"))


@pytest.mark.parametrize("size", [(40, 20), (20, 40), (41, 20)])
def test_the_centre_is_kept(size: tuple[int, int]) -> None:
    """White in the centred square, black beside it."""
    picture = Image.new("L", size)
    left, top = ((side - 20) // 2 for side in size)
    picture.paste(255, (left, top, left + 20, top + 20))
    image = from_bytes(encoded(picture), Square(10, 1, "center"))
    assert image[1:-1, 1:-1].min() >= 250
    assert image.min() > 150
    squeezed = from_bytes(encoded(picture), Square(10, 1, "none"))
    assert 100 < squeezed.mean() < 160


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("size", [(31, 16), (16, 31)])
def test_pictures_are_set_upright(orientation: int, kind: str, size: tuple[int, int]) -> None:
    corners = Image.fromarray(np.array([[0, 90], [170, 255]], np.uint8)).resize(
        size, Image.Resampling.NEAREST
    )
    exif = Image.Exif()
    exif[0x0112] = orientation
    turned = encoded(corners, kind, exif=exif)
    with Image.open(io.BytesIO(turned)) as picture:
        upright = encoded(ImageOps.exif_transpose(picture))
    np.testing.assert_allclose(
        from_bytes(turned, GREY).astype(int), from_bytes(upright, GREY).astype(int), atol=6
    )


def test_damaged_metadata_is_no_reason_to_refuse() -> None:
    content = encoded(Image.new("RGB", (9, 9), "white"), exif=b"nonsense")
    assert from_bytes(content).min() == 255


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_fine_patterns_become_their_mean(kind: str) -> None:
    """Where a resampling that skips pixels would give black and white."""
    board = (np.indices((600, 600)).sum(axis=0) % 2 * 255).astype(np.uint8)
    image = from_bytes(encoded(Image.fromarray(board), kind, quality=95), Square(16, 1, "center"))
    assert np.abs(image.astype(int) - 127.5).max() < 6


def write(folder: Path, name: str, content: bytes) -> Path:
    (folder / name).write_bytes(content)
    return folder / name


def png(width: int, height: int) -> bytes:
    """That says it is so large."""

    def chunk(content: bytes) -> bytes:
        return struct.pack(">I", len(content) - 4) + content + struct.pack(">I", zlib.crc32(content))

    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(head) + chunk(b"IDAT" + zlib.compress(bytes(10_000))) + chunk(b"IEND")


REFUSED = [
    ("empty", b"", "cannot identify image file"),
    ("text", b"hello", "cannot identify image file"),
    ("cut short", encoded(Image.effect_noise((99, 99), 50), "JPEG")[:2000], "truncated"),
    ("a bomb", png(10_000, 10_000), "decompression bomb"),
    ("a large bomb", png(2**30, 2**30), "decompression bomb"),
    (
        "a program for Ghostscript",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n",
        "cannot identify",
    ),
]


@pytest.mark.parametrize(("what", "content", "says"), REFUSED, ids=[case[0] for case in REFUSED])
def test_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], what: str, content: bytes, says: str
) -> None:
    path = write(tmp_path, "a.jpg", content)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        [reason] = decode_all([path], COLOUR)
    assert isinstance(reason, str)
    assert says in reason
    assert "\n" not in reason
    assert str(tmp_path) not in reason
    assert capfd.readouterr().err == ""


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "dead.jpg").symlink_to("nowhere")
    reasons = list(decode_all([tmp_path / "pipe.jpg", tmp_path / "dead.jpg"], COLOUR))
    assert reasons == ["is no regular file", "No such file or directory"]


def test_a_name_may_lie_about_the_format(tmp_path: Path) -> None:
    path = write(tmp_path, "a.jpg", encoded(Image.new("RGB", (9, 9), "red")))
    [image] = decode_all([path], COLOUR)
    assert isinstance(image, np.ndarray)
    assert image[0, 0].tolist() == [255, 0, 0]


def test_many_come_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over several batches, large ones first in each, so that later ones are done before them."""
    monkeypatch.setattr("gandist.data._pictures.BATCH_BYTES", 1)
    paths = [
        write(tmp_path, f"{n}.png", encoded(Image.new("L", (900 if n % 4 == 0 else 9,) * 2, n)))
        for n in range(40)
    ]
    images = decode_all(paths, GREY)
    assert [int(image[0, 0, 0]) for image in images if isinstance(image, np.ndarray)] == list(range(40))
