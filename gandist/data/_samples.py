"""The samples of an opened picture as a viewer shows them: 8 bits, on white. Or why not, by name.

JPEG: grey, YCbCr, RGB, CMYK and YCCK (inverted, as all programs write it), MPO. Refused: 12 bits.
PNG: 1 to 16 bits, palettes, alpha, tRNS, gAMA; of an APNG the first picture.
TIFF: grey of 1, 2, 4, 8, 12 and 16 bits, also WhiteIsZero; RGB, RGBA and CMYK of 8 and 16; palettes, grey
    with alpha, YCbCr and L*a*b* of 8; alpha multiplied or not; strips, tiles, planes; libtiff's compressions;
    either byte order; of several pages the first. Refused: signed and floating-point samples, 32 bits, all
    other combinations of depth and colour, inks other than CMYK, colour maps of 8 bits; uncompressed
    planes of 16 bits and subsampled YCbCr.
BMP: 1, 4, 8, 16, 24 and 32 bits, RLE; alpha, unless it is 0 throughout. Refused: 2 bits, 4-4-4-4, JPEG in it.
PPM: P1 to P6 with any maxval. Refused: PFM, PAM.
GIF, WebP: all; of an animation the first frame.

Orientation tags 1 to 8 are followed in all that have them. Colour profiles (ICC) are not looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from PIL import Image

BITS, COMPRESSION, PHOTOMETRIC, PLANES = 258, 259, 262, 284
COLORMAP, INKS, EXTRA, FORMAT, SUBSAMPLING = 320, 332, 338, 339, 530
"""Tags of TIFF 6.0."""
WHITE_IS_ZERO, YCBCR = 0, 6
SRGB_GAMMA = 1 / 2.2
GREYS = {"L;2": 85, "L;4": 17}
"""What a step of a PNG's shallow grey becomes in 8 bits."""


def on_white(picture: Image.Image) -> Image.Image:
    """In mode L or RGB, loaded.

    Raises:
        ValueError: its samples have no known meaning.
        Exception: what PIL raises on damaged files.
    """
    from PIL import Image

    gamma = _gamma(picture)
    picture = _READERS.get(picture.format or "", _read)(picture)
    if picture.mode == "La":  # alpha that has been multiplied with
        picture = picture.convert("LA")
    if not picture.has_transparency_data:
        return _with_gamma(picture if picture.mode == "L" else picture.convert("RGB"), gamma)
    picture = _with_gamma(picture.convert("RGBA"), gamma)
    white = Image.new("RGBA", picture.size, "white")
    return Image.alpha_composite(white, picture).convert("RGB")


def _read(picture: Image.Image) -> Image.Image:
    picture.load()
    if picture.mode.startswith("I;16") or (picture.mode == "I" and picture.format == "PPM"):
        return _eight_bits(picture)
    if picture.mode in ("I", "F"):
        raise ValueError("its samples of 32 bits have no known range; store it with 8 or 16")
    return picture.convert("L") if picture.mode == "1" and "transparency" not in picture.info else picture


def _eight_bits(picture: Image.Image, largest: int = 65535) -> Image.Image:
    """Samples of 0 to ``largest`` as 0 to 255; PIL itself would clip them."""
    from PIL import Image

    samples = np.asarray(picture).astype(np.uint32).clip(0, largest)
    return Image.fromarray(((samples * 255 + largest // 2) // largest).astype(np.uint8))


def _read_png(picture: Any) -> Image.Image:
    """PIL compares the transparent grey with samples of another depth."""
    from PIL import Image

    transparent = picture.info.get("transparency")
    if picture.mode == "L" and isinstance(transparent, int):
        picture.info["transparency"] = transparent * GREYS.get(str(picture.tile[0][3]), 1)
    read = _read(picture)
    if picture.mode.startswith("I;16") and isinstance(transparent, int):
        there = np.asarray(picture) != transparent
        return Image.merge("LA", (read, Image.fromarray(there.astype(np.uint8) * 255)))
    return read


def _read_bmp(picture: Image.Image) -> Image.Image:
    """Programs that know of no alpha leave it 0 throughout."""
    read = _read(picture)
    return read.convert("RGB") if read.mode == "RGBA" and not read.getchannel("A").getbbox() else read


def _read_tiff(picture: Any) -> Image.Image:
    """PIL looks neither at how deep a sample of 16 bits is nor at which end of it is white."""
    from PIL import ImageOps

    tags = picture.tag_v2
    bits, photometric = tags.get(BITS, (1,)), tags.get(PHOTOMETRIC, WHITE_IS_ZERO)
    raw, planes = tags.get(COMPRESSION, 1) == 1, tags.get(PLANES, 1) == 2 and len(bits) > 1
    alpha = tuple(tags.get(EXTRA, ()))
    wrong = {
        f"signed or floating-point samples of {bits[0]} bits": any(f != 1 for f in tags.get(FORMAT, (1,))),
        "planes of something else than RGB or CMYK": planes
        and picture.mode not in ("RGB", "RGBA", "CMYK", "YCbCr"),
        "uncompressed planes of 16 bits, YCbCr, or with such an alpha": planes
        and raw
        and (max(bits) > 8 or photometric == YCBCR or alpha not in ((), (2,))),
        "uncompressed YCbCr of fewer colours than greys": photometric == YCBCR
        and raw
        and len(bits) > 1
        and tuple(tags.get(SUBSAMPLING, (2, 2))) != (1, 1),
        "a colour map of 8 bits instead of 16": picture.mode in ("P", "PA")
        and 0 < max(tags.get(COLORMAP, (0,))) < 256,
        "inks that are not CMYK": picture.mode == "CMYK" and tags.get(INKS, 1) != 1,
    }
    for what, found in wrong.items():
        if found:
            raise ValueError(f"a TIFF with {what}; store it as RGB or grey with 8 bits, or as PNG")
    picture.load()
    if not picture.mode.startswith("I;16"):
        return _read(picture)
    read = _eight_bits(picture, (1 << bits[0]) - 1)
    return ImageOps.invert(read) if photometric == WHITE_IS_ZERO else read


_READERS = {"PNG": _read_png, "BMP": _read_bmp, "TIFF": _read_tiff}


def _gamma(picture: Image.Image) -> float:
    """The exponent that makes its samples those of a screen: of a PNG that says no more than its gAMA."""
    gamma = picture.info.get("gamma")
    if not gamma or not {"srgb", "icc_profile"}.isdisjoint(picture.info):
        return 1.0
    exponent = SRGB_GAMMA / float(gamma)
    return exponent if abs(exponent - 1) > 0.05 else 1.0


def _with_gamma(picture: Image.Image, exponent: float) -> Image.Image:
    if exponent == 1.0:
        return picture
    curve = [round(255 * (level / 255) ** exponent) for level in range(256)]
    bands = picture.getbands()
    return picture.point([value for band in bands for value in (range(256) if band == "A" else curve)])


def tiff_facts(file: Any) -> str:
    """What a TIFF says of its samples that PIL cannot read, as ``10 bits, photometric 1``."""
    from PIL import TiffImagePlugin

    tags = TiffImagePlugin.ImageFileDirectory_v2(file.read(8))
    file.seek(tags.next)
    tags.load(file)
    bits = "+".join(str(depth) for depth in tags.get(BITS, (1,))[:6])
    facts = {"photometric": PHOTOMETRIC, "sample format": FORMAT, "extra samples": EXTRA}
    return ", ".join(
        [f"{bits} bits", *(f"{name} {tags[tag]}" for name, tag in facts.items() if tags.get(tag) is not None)]
    )
