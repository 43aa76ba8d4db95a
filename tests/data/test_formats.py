"""Formats x depths x tags: each shows the picture that a viewer shows, or is refused by name."""

from __future__ import annotations

import io
import struct
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gandist.data._pictures import Square, decode_all
from tests.data.formats import COMPRESSED, bmp, netpbm, packed, png, reversed_bits, tiff
from tests.data.pictures import encoded

GREY = np.array([[0, 85, 170, 255], [255, 170, 85, 0]], np.uint8)
"""Levels that 2, 4, 8, 12 and 16 bits hold exactly."""
BLACK, WHITE = np.zeros_like(GREY), np.full_like(GREY, 255)
TWO = np.where(GREY > 127, WHITE, BLACK)
RGB = np.dstack([GREY, GREY[::-1], WHITE - GREY])
CMYK = np.dstack([255 - RGB, BLACK])
RED_BLUE = np.dstack([GREY, BLACK, WHITE - GREY])
BIG = np.kron(RGB, np.ones((16, 16, 1), np.uint8))
SECOND = Image.new("RGB", (64, 32), "red")
YCBCR = np.asarray(Image.fromarray(RGB).convert("YCbCr"))
LAB = np.dstack([GREY, BLACK, BLACK])
ORDERS, COMPRESSIONS = ("<", ">"), (1, COMPRESSED)


def level(bits: int) -> np.ndarray:
    """The ramp as so many bits hold it."""
    return TWO if bits == 1 else GREY


def colours(bits: int, scale: int = 257) -> list[int]:
    """A TIFF's colour map from blue to red."""
    ramp = [step * 255 // ((1 << bits) - 1) * scale for step in range(1 << bits)]
    return [*ramp, *([0] * len(ramp)), *reversed(ramp)]


def palette(bits: int) -> bytes:
    """A PNG's."""
    red, green, blue = np.array(colours(bits, 1), np.uint8).reshape(3, -1)
    return np.dstack([red, green, blue]).tobytes()


def see_through(picture: np.ndarray, where: np.ndarray) -> np.ndarray:
    """White there."""
    return np.where(where[..., np.newaxis] if picture.ndim == 3 else where, np.uint8(255), picture)


def tiffs() -> dict[str, tuple[bytes, np.ndarray]]:
    found: dict[str, tuple[bytes, np.ndarray]] = {}
    for order, compression in product(ORDERS, COMPRESSIONS):
        how = {"order": order, "compression": compression}
        name = f"tiff {order} {'deflate' if compression == COMPRESSED else 'raw'}"
        for bits, white_is_zero in product((1, 2, 4, 8), (False, True)):
            ramp = level(bits)
            kept = WHITE - ramp if white_is_zero else ramp
            content = tiff(kept, bits=bits, photometric=int(not white_is_zero), **how)
            found[f"{name}: grey {bits}{' white is zero' * white_is_zero}"] = content, ramp
        found[f"{name}: grey 16"] = tiff(GREY, bits=16, **how), GREY
        found[f"{name}: grey, alpha"] = (
            tiff(np.dstack([GREY, TWO]), tags={338: [2]}, **how),
            see_through(GREY, TWO == 0),
        )
        found[f"{name}: grey, premultiplied alpha"] = (
            tiff(np.dstack([np.minimum(GREY, TWO), TWO]), tags={338: [1]}, **how),
            see_through(GREY, TWO == 0),
        )
        for bits in (1, 2, 4, 8):
            content = tiff(level(bits), bits=bits, photometric=3, tags={320: colours(bits)}, **how)
            found[f"{name}: palette {bits}"] = content, np.dstack([level(bits), BLACK, WHITE - level(bits)])
        for bits in (8, 16):
            found[f"{name}: rgb {bits}"] = tiff(RGB, bits=bits, photometric=2, **how), RGB
            found[f"{name}: cmyk {bits}"] = tiff(CMYK, bits=bits, photometric=5, **how), RGB
            if bits == 8 or compression == COMPRESSED:
                content = tiff(RGB, bits=bits, photometric=2, planes=True, **how)
                found[f"{name}: rgb {bits} planes"] = content, RGB
            for kind in (1, 2):
                premultiplied = np.where(TWO[..., np.newaxis] == 0, 0, RGB) if kind == 1 else RGB
                content = tiff(
                    np.dstack([premultiplied, TWO]), bits=bits, photometric=2, tags={338: [kind]}, **how
                )
                found[f"{name}: rgb {bits}, alpha {kind}"] = content, see_through(RGB, TWO == 0)
        found[f"{name}: ycbcr"] = tiff(YCBCR, photometric=6, tags={530: [1, 1]}, **how), RGB
        found[f"{name}: lab, its ends"] = tiff(np.dstack([TWO, BLACK, BLACK]), photometric=8, **how), TWO
    for compression in COMPRESSIONS:
        found[f"tiff: grey 12 {compression}"] = tiff(GREY, bits=12, compression=compression), GREY
        content = tiff(WHITE - GREY, bits=16, photometric=0, compression=compression)
        found[f"tiff: grey 16 white is zero {compression}"] = content, GREY
    for bits in (1, 2, 4, 8, 16):
        content = tiff(
            level(bits), bits=bits, tags={266: [2]}, content=reversed_bits(packed(level(bits), bits))
        )
        found[f"tiff: grey {bits}, bits reversed"] = content, level(bits)
    big = Image.fromarray(BIG)
    found["tiff: jpeg"] = encoded(big, "TIFF", compression="jpeg", quality=98), RGB
    found["tiff: lzw"] = encoded(big, "TIFF", compression="tiff_lzw"), RGB
    found["tiff: group 4"] = encoded(Image.fromarray(TWO).convert("1"), "TIFF", compression="group4"), TWO
    found["tiff: BigTIFF"] = encoded(big, "TIFF", big_tiff=True), RGB
    found["tiff: two pages"] = (
        encoded(big, "TIFF", save_all=True, append_images=[Image.new("L", (8, 4))]),
        RGB,
    )
    return found


def pngs() -> dict[str, tuple[bytes, np.ndarray]]:
    found: dict[str, tuple[bytes, np.ndarray]] = {}
    for bits in (1, 2, 4, 8, 16):
        ramp = level(bits)
        found[f"png: grey {bits}"] = png(ramp, bits, 0), ramp
        hidden = 0 if bits == 1 else 85
        key = struct.pack(">H", hidden * ((1 << bits) - 1) // 255)
        found[f"png: grey {bits}, a transparent one"] = (
            png(ramp, bits, 0, tRNS=key),
            see_through(ramp, ramp == hidden),
        )
    for bits in (8, 16):
        step = 257 if bits == 16 else 1
        found[f"png: rgb {bits}"] = png(RGB, bits, 2), RGB
        colour = RGB[0, 1]
        key = struct.pack(">HHH", *(int(value) * step for value in colour))
        found[f"png: rgb {bits}, a transparent one"] = (
            png(RGB, bits, 2, tRNS=key),
            see_through(RGB, (colour == RGB).all(-1)),
        )
        found[f"png: grey {bits}, alpha"] = (
            png(np.dstack([GREY, TWO]), bits, 4),
            see_through(GREY, TWO == 0),
        )
        found[f"png: rgb {bits}, alpha"] = png(np.dstack([RGB, TWO]), bits, 6), see_through(RGB, TWO == 0)
    for bits in (1, 2, 4, 8):
        ramp = level(bits)
        expected = np.dstack([ramp, BLACK, WHITE - ramp])
        found[f"png: palette {bits}"] = png(ramp, bits, 3, PLTE=palette(bits)), expected
        content = png(ramp, bits, 3, PLTE=palette(bits), tRNS=b"\0")
        found[f"png: palette {bits}, its first transparent"] = content, see_through(expected, ramp == 0)
    linear = np.round(255 * (GREY / 255) ** (1 / 2.2)).astype(np.uint8)
    for bits in (8, 16):
        found[f"png: linear {bits}"] = png(GREY, bits, 0, gAMA=struct.pack(">I", 100_000)), linear
    found["png: srgb says more than gAMA"] = (
        png(GREY, 8, 0, sRGB=b"\0", gAMA=struct.pack(">I", 100_000)),
        GREY,
    )
    found["png: the usual gAMA"] = png(GREY, 8, 0, gAMA=struct.pack(">I", 45_455)), GREY
    return found


def bmps() -> dict[str, tuple[bytes, np.ndarray]]:
    found: dict[str, tuple[bytes, np.ndarray]] = {}
    masks = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    bgr = RGB[..., ::-1]
    found["bmp: 24"] = bmp([row.tobytes() for row in bgr], 4, 24), RGB
    for alpha in (BLACK, WHITE, TWO):
        rows = [row.tobytes() for row in np.dstack([bgr, alpha])]
        name = "mixed" if alpha is TWO else str(alpha[0, 0])
        found[f"bmp: 32, unused bytes {name}"] = bmp(rows, 4, 32), RGB
        expected = see_through(RGB, TWO == 0) if alpha is TWO else RGB
        found[f"bmp: 32, alpha {name}"] = bmp(rows, 4, 32, 3, masks), expected
    for bits in (1, 4, 8):
        for turned in (False, True):
            steps = [step * 255 // ((1 << bits) - 1) for step in range(1 << bits)]
            after = b"".join(bytes([255 - step if turned else step] * 3 + [0]) for step in steps)
            rows = [packed(row[np.newaxis], bits) for row in level(bits)]
            expected = WHITE - level(bits) if turned else level(bits)
            found[f"bmp: palette {bits}{' from white' * turned}"] = bmp(rows, 4, bits, after=after), expected
    word = ((TWO.astype("<u2") >> 3) << 10) | ((TWO.astype("<u2") >> 3) << 5) | (TWO >> 3)
    found["bmp: 16"] = bmp([row.astype("<u2").tobytes() for row in word], 4, 16), TWO
    return found


def others() -> dict[str, tuple[bytes, np.ndarray]]:
    found: dict[str, tuple[bytes, np.ndarray]] = {}
    for magic, largest in product(("P2", "P5"), (3, 15, 255, 1023, 4095, 65535)):
        found[f"{magic} {largest}"] = netpbm(magic, GREY, largest), GREY
    for magic, largest in product(("P3", "P6"), (3, 15, 255, 1023, 4095, 65535)):
        found[f"{magic} {largest}"] = netpbm(magic, RGB, largest), RGB
    found["P1"] = b"P1\n4 2\n1 1 0 0\n0011\n", TWO
    found["P4"] = b"P4\n4 2\n" + bytes([0b11000000, 0b00110000]), TWO
    big = Image.fromarray(BIG)
    exact = {"quality": 98, "subsampling": 0}
    found["jpeg: rgb"] = encoded(big, "JPEG", **exact), RGB
    found["jpeg: grey"] = encoded(Image.fromarray(BIG[..., 0]), "JPEG", quality=98), GREY
    found["jpeg: progressive"] = encoded(big, "JPEG", progressive=True, **exact), RGB
    cmyk = encoded(Image.fromarray(np.kron(CMYK, np.ones((16, 16, 1), np.uint8)), "CMYK"), "JPEG", **exact)
    found["jpeg: cmyk of Adobe"] = cmyk, RGB
    at = cmyk.index(b"\xff\xee")
    found["jpeg: cmyk of nobody"] = cmyk[:at] + cmyk[at + 2 + int.from_bytes(cmyk[at + 2 : at + 4]) :], RGB
    # The same file but for the marker's last byte: its first three channels are then luminance and colours.
    ycc = np.asarray(Image.fromarray(255 - BIG).convert("YCbCr"))
    ycck = Image.fromarray(np.dstack([255 - ycc, np.zeros_like(ycc[..., 0])]), "CMYK")
    content = bytearray(encoded(ycck, "JPEG", **exact))
    content[content.index(b"Adobe") + 11] = 2
    found["jpeg: ycck of Adobe"] = bytes(content), RGB
    second = {"save_all": True, "append_images": [SECOND]}
    found["jpeg: mpo"] = encoded(big, "MPO", quality=98, **second), RGB
    found["gif: animated"] = (
        encoded(Image.fromarray(TWO), "GIF", save_all=True, append_images=[Image.fromarray(WHITE - TWO)]),
        TWO,
    )
    found["apng"] = encoded(big, "PNG", **second), RGB
    found["webp: animated"] = encoded(big, "WEBP", lossless=True, **second), RGB
    found["webp: alpha"] = (
        encoded(Image.fromarray(np.dstack([RGB, TWO])), "WEBP", lossless=True, exact=True),
        see_through(RGB, TWO == 0),
    )
    return found


READ = {**tiffs(), **pngs(), **bmps(), **others()}


def read(folder: Path, content: bytes, square: Square) -> np.ndarray | str:
    (folder / "picture").write_bytes(content)
    [decoded] = decode_all([folder / "picture"], square)
    return decoded


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("what", READ)
def test_is_read_as_a_viewer_shows_it(tmp_path: Path, what: str, channels: int) -> None:
    content, expected = READ[what]
    square = Square(4, 3 if channels == 3 else 1, "none")
    image = read(tmp_path, content, square)
    with Image.open(io.BytesIO(content)) as picture:  # to resample as many pixels
        as_large = Image.fromarray(expected).convert("RGB").resize(picture.size, Image.Resampling.NEAREST)
    shown = read(tmp_path, encoded(as_large), square)
    assert isinstance(image, np.ndarray), image
    assert isinstance(shown, np.ndarray)
    np.testing.assert_allclose(image.astype(int), shown.astype(int), atol=6)


def test_lab_colours_are_those_of_the_screen(tmp_path: Path) -> None:
    """L*a*b* (53, 80, 67) is the red of sRGB."""
    red = np.full((2, 4, 3), (135, 80, 67), np.uint8)
    image = read(tmp_path, tiff(red, photometric=8), Square(4, 3, "none"))
    np.testing.assert_allclose(np.asarray(image, int), np.broadcast_to((255, 0, 0), (4, 4, 3)), atol=12)


FLOAT = struct.pack("<8f", *(GREY.ravel() / 255))
JPEG = encoded(Image.fromarray(BIG), "JPEG")
REFUSED = {
    "jpeg of 12 bits": (
        JPEG.replace(b"\xff\xc0\0\x11\x08", b"\xff\xc0\0\x11\x0c"),
        "JPEG, cannot handle 12-bit layers",
    ),
    "signed 8": (tiff(GREY, tags={339: [2]}), "TIFF: a TIFF with signed or floating-point samples of 8 bits"),
    "signed 16": (tiff(GREY, bits=16, tags={339: [2]}), "signed or floating-point samples of 16 bits"),
    "signed 32": (tiff(GREY, bits=32, tags={339: [2]}), "signed or floating-point samples of 32 bits"),
    "unsigned 32": (tiff(GREY, bits=32), "32 bits"),
    "float": (tiff(GREY, bits=32, tags={339: [3]}, content=FLOAT), "floating-point samples of 32 bits"),
    "12, white is zero": (
        tiff(GREY, bits=12, photometric=0),
        "TIFF, unknown pixel mode (12 bits, photometric 0)",
    ),
    "12, big-endian": (tiff(GREY, bits=12, order=">"), "(12 bits, photometric 1)"),
    "16, white is zero, big-endian": (
        tiff(GREY, bits=16, photometric=0, order=">"),
        "(16 bits, photometric 0)",
    ),
    "10": (tiff(GREY, bits=10), "TIFF, unknown pixel mode (10 bits"),
    "rgb 10": (tiff(RGB, bits=10, photometric=2), "(10+10+10 bits, photometric 2)"),
    "planes of 16": (tiff(RGB, bits=16, photometric=2, planes=True), "uncompressed planes of 16 bits"),
    "cmyk planes of 16": (tiff(CMYK, bits=16, photometric=5, planes=True), "uncompressed planes of 16 bits"),
    "planes of ycbcr": (
        tiff(YCBCR, photometric=6, planes=True, tags={530: [1, 1]}),
        "uncompressed planes of 16 bits, YCbCr",
    ),
    "planes of grey and alpha": (
        tiff(np.dstack([GREY, TWO]), planes=True, compression=COMPRESSED, tags={338: [2]}),
        "planes of something else than RGB or CMYK",
    ),
    "subsampled": (tiff(YCBCR, photometric=6), "uncompressed YCbCr of fewer colours than greys"),
    "a colour map of 8 bits": (
        tiff(GREY, photometric=3, tags={320: colours(8, 1)}),
        "a colour map of 8 bits",
    ),
    "other inks": (tiff(CMYK, photometric=5, tags={332: [2]}), "inks that are not CMYK"),
    "ICC's lab": (tiff(RGB, photometric=9), "(8+8+8 bits, photometric 9)"),
    "a camera's mosaic": (tiff(GREY, bits=16, photometric=32803), "(16 bits, photometric 32803)"),
    "bmp of 2 bits": (bmp([b"\0"], 4, 2), "Unsupported BMP pixel depth (2)"),
    "bmp of 4-4-4-4": (
        bmp([bytes(8)], 4, 16, 3, struct.pack("<IIII", 0xF00, 0xF0, 0xF, 0xF000)),
        "Unsupported BMP bitfields layout",
    ),
    "pfm": (b"Pf\n4 2\n-1.0\n" + FLOAT, "PPM: its samples of 32 bits have no known range"),
    "pfm in colour": (b"PF\n4 2\n-1.0\n" + 3 * FLOAT, "is PFM; convert it"),
    "pam": (b"P7\nWIDTH 4\nHEIGHT 2\nDEPTH 1\nMAXVAL 255\nENDHDR\n" + GREY.tobytes(), "is PAM; convert it"),
    "heic": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "is HEIC; convert it to JPEG or PNG"),
    "avif": (encoded(Image.new("RGB", (9, 9)), "AVIF"), "is AVIF; convert it to JPEG or PNG"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_is_refused_by_name(tmp_path: Path, what: str) -> None:
    content, says = REFUSED[what]
    reason = read(tmp_path, content, Square(4, 3, "none"))
    assert isinstance(reason, str)
    assert says in reason
    assert reason.isprintable()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_a_tiff_is_turned_once(
    tmp_path: Path, orientation: int, channels: int, order: str, compression: int
) -> None:
    """As an uncompressed one is without the tag, whose rows stand as the tag says (EXIF 2.3, table 6)."""
    stored = np.array([[10, 60, 110], [160, 200, 250]], np.uint8)
    upright = {
        1: stored,
        2: stored[:, ::-1],
        3: stored[::-1, ::-1],
        4: stored[::-1],
        5: stored.T,
        6: np.rot90(stored, -1),
        7: np.rot90(stored, 2).T,
        8: np.rot90(stored),
    }[orientation]
    square = Square(6, 3 if channels == 3 else 1, "none")
    content = tiff(stored, order=order, compression=compression, tags={274: [orientation]})
    expected = read(tmp_path, encoded(Image.fromarray(np.ascontiguousarray(upright))), square)
    image = read(tmp_path, content, square)
    np.testing.assert_allclose(np.asarray(image, int), np.asarray(expected, int), atol=6)


@pytest.mark.parametrize("kind", ["WEBP", "MPO"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_what_else_has_an_orientation_is_turned(tmp_path: Path, kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = (
        {"lossless": True} if kind == "WEBP" else {"quality": 98, "save_all": True, "append_images": [SECOND]}
    )
    square = Square(8, 1, "none")
    content = encoded(Image.fromarray(BIG), kind, exif=exif, **options)
    with Image.open(io.BytesIO(content)) as picture:
        assert picture.format == kind
    image = read(tmp_path, content, square)
    expected = read(tmp_path, encoded(Image.fromarray(BIG), exif=exif), square)
    np.testing.assert_allclose(np.asarray(image, int), np.asarray(expected, int), atol=6)
