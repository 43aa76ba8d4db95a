"""TensorBoard's event files: scalars and images, in the records that TensorFlow writes.

Many scalars are encoded at once with numpy: a job has millions. TensorBoard's own writer takes them one by
one, and loads TensorFlow where that is installed. The format is that of ``event.proto`` and ``summary.proto``
of github.com/tensorflow/tensorboard; a record is a length, its checksum, a message, and its checksum.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

import numpy as np

from gandist.report.statistics import Floats, Ints

_STEP = 9
"""Bytes of a step: enough for any of 63 bits. A varint may end in groups that are zero."""
_MASK = 0xA282EAD8


def _table() -> np.ndarray:
    """Of CRC-32C (Castagnoli), by byte: uint32 ``[256]``."""
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = (table >> np.uint32(1)) ^ np.where(table & 1, np.uint32(0x82F63B78), np.uint32(0))
    return table


_CRC = _table()
_CRC_BYTES = _CRC.tolist()


def version() -> bytes:
    """What a file of events begins with."""
    return _record(b"\x09" + struct.pack("<d", 0.0) + _field(3, b"brain.Event:2"))


def scalars(values: Mapping[str, Floats], steps: Ints, times: Floats) -> bytes:
    """An event for each step, with all ``values``.

    Args:
        values: by tag, ``[n]``; written as float32.
        steps: int64 ``[n]``, not negative.
        times: float64 ``[n]``, Unix seconds.
    """
    heads = {tag: _field(1, tag.encode()) + b"\x15" for tag in values}  # a field of four bytes follows
    each = {tag: b"\x0a" + _varint(len(head) + 4) + head for tag, head in heads.items()}
    summary = b"\x2a" + _varint(sum(len(head) + 4 for head in each.values()))
    parts: list[bytes | np.ndarray] = [b"\x09", _bytes(times, "<f8"), b"\x10", _varints(steps), summary]
    for tag, head in each.items():
        parts += [head, _bytes(values[tag], "<f4")]
    constant = (
        np.tile(np.frombuffer(it, np.uint8), (len(steps), 1)) for it in parts if isinstance(it, bytes)
    )
    messages = np.hstack([next(constant) if isinstance(it, bytes) else it for it in parts])
    length = struct.pack("<Q", messages.shape[1])
    framed = _repeated(length + _checksum(length), len(steps))
    return np.hstack([framed, messages, _checksums(messages)]).tobytes()


def image(tag: str, step: int, time: float, png: bytes, height: int, width: int) -> bytes:
    """An event with one image, which is a PNG."""
    size = b"\x08" + _varint(height) + b"\x10" + _varint(width)
    value = _field(1, tag.encode()) + _field(4, size + _field(4, png))
    stepped = b"\x09" + struct.pack("<d", time) + b"\x10" + _varint(step)
    return _record(stepped + _field(5, _field(1, value)))


def _record(message: bytes) -> bytes:
    length = struct.pack("<Q", len(message))
    return length + _checksum(length) + message + _checksum(message)


def _checksum(content: bytes) -> bytes:
    crc = 0xFFFFFFFF
    for byte in content:
        crc = _CRC_BYTES[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", (((crc >> 15) | (crc << 17)) + _MASK) & 0xFFFFFFFF)


def _checksums(rows: np.ndarray) -> np.ndarray:
    """The same of each row of uint8 ``[n, length]``: uint8 ``[n, 4]``."""
    crc = np.full(len(rows), 0xFFFFFFFF, np.uint32)
    for column in np.ascontiguousarray(rows.T):
        crc = _CRC[(crc ^ column) & np.uint32(0xFF)] ^ (crc >> np.uint32(8))
    crc = ~crc
    return _bytes(((crc >> np.uint32(15)) | (crc << np.uint32(17))) + np.uint32(_MASK), "<u4")


def _field(number: int, content: bytes) -> bytes:
    """A field of bytes or of a message."""
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    groups = []
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*groups, value])


def _varints(values: Ints) -> np.ndarray:
    """uint8 ``[n, _STEP]``."""
    groups = (values[:, None] >> (7 * np.arange(_STEP))) & 0x7F
    groups[:, :-1] |= 0x80
    return groups.astype(np.uint8)


def _repeated(content: bytes, times: int) -> np.ndarray:
    """uint8 ``[times, length]``."""
    return np.tile(np.frombuffer(content, np.uint8), (times, 1))


def _bytes(values: np.ndarray, kind: str) -> np.ndarray:
    """uint8 ``[n, bytes of one]``."""
    with np.errstate(over="ignore", invalid="ignore"):  # beyond float32 is infinite there
        converted = np.ascontiguousarray(values.astype(kind))
    return converted.view(np.uint8).reshape(len(values), -1)
