"""Orders and choices of images as pure functions of a seed; without TensorFlow."""

from __future__ import annotations

import hashlib

import numpy as np


def digest(*parts: object) -> int:
    """An int64 that is a function of ``parts``: equal for equal ones, and else not."""
    text = "/".join(str(part) for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little", signed=True)


def permutation(seed: int, epoch: int, size: int) -> np.ndarray:
    """The order int32 ``[size]`` in which ``epoch`` visits a data set.

    Sorts raw Philox output, whose stream NumPy guarantees, rather than calling ``Generator.permutation``,
    whose algorithm it does not.
    """
    key = np.array([digest(seed, "order"), epoch], dtype=np.int64).view(np.uint64)
    bits = np.random.Philox(key=key).random_raw(size)
    return np.argsort(bits, kind="stable").astype(np.int32)
