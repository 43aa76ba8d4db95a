"""Random numbers as a pure function of (seed, stream, step, index in the global batch).

There is no generator to save, restore or keep in step between replicas: each draw covers the global batch,
and a replica takes its slice. N replicas therefore see exactly the numbers that one would.
"""

from __future__ import annotations

import contextlib
import contextvars
import hashlib
import math
from collections.abc import Iterator

import numpy as np
import tensorflow as tf


def _digest(*parts: object) -> int:
    text = "/".join(str(part) for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little", signed=True)


def permutation(seed: int, epoch: int, size: int) -> np.ndarray:
    """The order int32 ``[size]`` in which ``epoch`` visits a data set.

    Sorts raw Philox output, whose stream NumPy guarantees, rather than calling ``Generator.permutation``,
    whose algorithm it does not.
    """
    key = np.array([_digest(seed, "order"), epoch], dtype=np.int64).view(np.uint64)
    bits = np.random.Philox(key=key).random_raw(size)
    return np.argsort(bits, kind="stable").astype(np.int32)


class Randomness:
    """The random numbers of one step, as one replica sees them.

    Args:
        seed: the trial's.
        step: int64 scalar tensor.
        replica: this replica's index: an int or an int32 scalar tensor.
        replicas: how many there are.
        stream: what the numbers are for; streams are independent of one another.
    """

    def __init__(
        self, seed: int, step: tf.Tensor, replica: int | tf.Tensor = 0, replicas: int = 1, stream: str = ""
    ) -> None:
        self._seed, self._step, self._stream = seed, step, stream
        self._replica, self._replicas = replica, replicas
        self._children = 0

    def stream(self, name: str) -> Randomness:
        """Independent numbers under ``name``."""
        return Randomness(self._seed, self._step, self._replica, self._replicas, f"{self._stream}/{name}")

    def next_stream(self) -> Randomness:
        """Independent numbers for the next caller that has no name of its own, in the order of the calls."""
        self._children += 1
        return self.stream(str(self._children))

    def normal(self, batch: int, *shape: int) -> tf.Tensor:
        """Standard normal float32 ``[batch, *shape]``; ``batch`` is this replica's."""
        draw = tf.random.stateless_normal([batch * self._replicas, *shape], self._key())
        return self._slice(draw, batch)

    def uniform(self, batch: int, *shape: int) -> tf.Tensor:
        """Uniform float32 in [0, 1) ``[batch, *shape]``; ``batch`` is this replica's."""
        draw = tf.random.stateless_uniform([batch * self._replicas, *shape], self._key())
        return self._slice(draw, batch)

    def bits(self, batch: int, *shape: int) -> tf.Tensor:
        """Uniform int16 over its whole range ``[batch, *shape]``; ``batch`` is this replica's."""
        size, total = math.prod(shape), batch * self._replicas
        draw = tf.random.stateless_uniform(
            [total, -(-size // 4)], self._key(), minval=None, maxval=None, dtype=tf.int64
        )
        draw = tf.reshape(tf.bitcast(draw, tf.int16), [total, -1])[:, :size]
        return self._slice(tf.reshape(draw, [total, *shape]), batch)

    def _key(self) -> tf.Tensor:
        return tf.stack(
            [tf.constant(_digest(self._seed, self._stream), tf.int64), tf.cast(self._step, tf.int64)]
        )

    def _slice(self, draw: tf.Tensor, batch: int) -> tf.Tensor:
        if self._replicas == 1:
            return draw
        start = tf.cast(self._replica, tf.int32) * batch
        return tf.ensure_shape(draw[start : start + batch], [batch, *draw.shape[1:]])


_layers: contextvars.ContextVar[Randomness | None] = contextvars.ContextVar("layers", default=None)


@contextlib.contextmanager
def layers_draw_from(randomness: Randomness) -> Iterator[None]:
    """Within this context, stochastic layers draw from ``randomness``, one stream a layer call."""
    token = _layers.set(randomness)
    try:
        yield
    finally:
        _layers.reset(token)


def for_layer() -> Randomness:
    """The stream of the layer call that asks.

    Raises:
        RuntimeError: outside ``layers_draw_from``: there is nothing that the numbers could be a function of.
    """
    randomness = _layers.get()
    if randomness is None:
        raise RuntimeError("a stochastic layer was called in training mode outside layers_draw_from()")
    return randomness.next_stream()
