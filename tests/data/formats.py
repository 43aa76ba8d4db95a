"""Picture files byte by byte: the depths and tags that PIL reads but does not write."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping, Sequence

import numpy as np

TYPES = {"H": 3, "I": 4}
COMPRESSED = 8
"""Deflate, which libtiff unpacks; 1 = not compressed, which PIL reads by itself."""


def packed(samples: np.ndarray, bits: int, order: str = "<") -> bytes:
    """Rows of samples 0..255 as so many bits each, rows padded to bytes."""
    largest = (1 << bits) - 1
    values = np.round(samples.reshape(len(samples), -1) / 255 * largest).astype(np.int64)
    if bits % 8 == 0:
        return values.astype(f"{order}u{bits // 8}").tobytes()
    rows = ("".join(f"{value:0{bits}b}" for value in row) for row in values)
    padded = (row + "0" * (-len(row) % 8) for row in rows)
    return b"".join(int(row, 2).to_bytes(len(row) // 8, "big") for row in padded)


def reversed_bits(content: bytes) -> bytes:
    """As FillOrder 2 has them."""
    return bytes(int(f"{byte:08b}"[::-1], 2) for byte in content)


def tiff(
    samples: np.ndarray,
    *,
    bits: int = 8,
    photometric: int = 1,
    order: str = "<",
    compression: int = 1,
    planes: bool = False,
    tags: Mapping[int, Sequence[int]] | None = None,
    content: bytes | None = None,
) -> bytes:
    """A TIFF of samples 0..255, ``[height, width]`` or ``[height, width, channels]``.

    Args:
        samples: what it holds.
        bits: of a sample.
        photometric: 0 WhiteIsZero, 1 BlackIsZero, 2 RGB, 3 palette, 5 CMYK, 6 YCbCr, 8 L*a*b*.
        order: < or >.
        compression: 1 or ``COMPRESSED``.
        planes: a strip for each channel.
        tags: more of them, or others.
        content: instead of the samples.
    """
    height, width, channels = np.atleast_3d(samples).shape
    parts = [samples[..., i] for i in range(channels)] if planes else [samples]
    strips = [content] if content is not None else [packed(part, bits, order) for part in parts]
    if compression == COMPRESSED:
        strips = [zlib.compress(strip) for strip in strips]
    entries: dict[int, tuple[str, Sequence[int]]] = {
        256: ("I", [width]),
        257: ("I", [height]),
        258: ("H", [bits] * channels),
        259: ("H", [compression]),
        262: ("H", [photometric]),
        277: ("H", [channels]),
        278: ("I", [height]),
        284: ("H", [2 if planes else 1]),
        **{tag: ("H", values) for tag, values in (tags or {}).items()},
    }
    start = 8 + 2 + 12 * (len(entries) + 2) + 4
    rest = b""

    def keep(part: bytes) -> int:
        nonlocal rest
        at = start + len(rest)
        rest += part + bytes(len(part) % 2)
        return at

    entries[273] = ("I", [keep(strip) for strip in strips])
    entries[279] = ("I", [len(strip) for strip in strips])
    listed = b""
    for tag, (kind, values) in sorted(entries.items()):
        value = struct.pack(f"{order}{len(values)}{kind}", *values)
        value = value.ljust(4, b"\0") if len(value) <= 4 else struct.pack(f"{order}I", keep(value))
        listed += struct.pack(f"{order}HHI", tag, TYPES[kind], len(values)) + value
    head = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HIH", 42, 8, len(entries))
    return head + listed + bytes(4) + rest


def png(samples: np.ndarray, bits: int, colour: int, **chunks: bytes) -> bytes:
    """A PNG of samples 0..255; ``colour``: 0 grey, 2 RGB, 3 palette, 4 and 6 with alpha."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        )

    height, width = samples.shape[:2]
    rows = b"".join(b"\0" + packed(row[np.newaxis], bits, ">") for row in samples)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)),
            *(chunk(name.encode(), content) for name, content in chunks.items()),
            chunk(b"IDAT", zlib.compress(rows)),
            chunk(b"IEND", b""),
        )
    )


def bmp(rows: Sequence[bytes], width: int, bits: int, compression: int = 0, after: bytes = b"") -> bytes:
    """A BMP of rows from the top; ``after`` its header of 40 bytes stand masks or colours."""
    content = b"".join(row + bytes(-len(row) % 4) for row in reversed(rows))
    longer = 16 if compression == 3 and len(after) == 16 else 0  # masks with alpha make the header one of 56
    header = struct.pack(
        "<IiiHHIIiiII", 40 + longer, width, len(rows), 1, bits, compression, len(content), 0, 0, 0, 0
    )
    at = 14 + len(header) + len(after)
    return b"BM" + struct.pack("<IHHI", at + len(content), 0, 0, at) + header + after + content


def netpbm(magic: str, samples: np.ndarray, largest: int) -> bytes:
    """A PGM or PPM: plain (P2, P3) or raw (P5, P6)."""
    values = np.round(samples / 255 * largest).astype(np.int64)
    head = f"{magic}\n# a comment\n{samples.shape[1]} {samples.shape[0]}\n{largest}\n".encode()
    if magic in ("P2", "P3"):
        return head + " ".join(str(value) for value in values.ravel()).encode()
    return head + values.astype("u1" if largest < 256 else ">u2").tobytes()
