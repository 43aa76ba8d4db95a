"""Random numbers as a pure function of (seed, stream, step, index in the global batch).

There is no generator to save, restore or keep in step between replicas: each draw is one of the global batch,
of which a replica takes its slice. N replicas therefore see exactly the numbers that one would.
"""

from __future__ import annotations

import contextlib
import contextvars
import math
from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from gandist.order import digest

PHILOX = 1
"""TensorFlow's number of the algorithm, its own choice on CPUs and GPUs."""


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
        return self._drawn(tf.raw_ops.StatelessRandomNormalV2, tf.float32, batch, shape)

    def uniform(self, batch: int, *shape: int) -> tf.Tensor:
        """Uniform float32 in [0, 1) ``[batch, *shape]``; ``batch`` is this replica's."""
        return self._drawn(tf.raw_ops.StatelessRandomUniformV2, tf.float32, batch, shape)

    def bits(self, batch: int, *shape: int) -> tf.Tensor:
        """Uniform int16 over its whole range ``[batch, *shape]``; ``batch`` is this replica's."""
        size = math.prod(shape)
        words = (-(-size // 4),)
        draw = self._drawn(tf.raw_ops.StatelessRandomUniformFullIntV2, tf.int64, batch, words)
        return tf.reshape(tf.reshape(tf.bitcast(draw, tf.int16), [batch, -1])[:, :size], [batch, *shape])

    def _drawn(self, draw: Any, dtype: tf.DType, batch: int, shape: tuple[int, ...]) -> tf.Tensor:
        """This replica's rows of what one replica would draw for the global batch.

        Philox makes 128 bits of each count (Salmon et al. 2011): a replica whose rows begin at a whole count
        draws these alone.
        """
        key, counter = tf.raw_ops.StatelessRandomGetKeyCounter(seed=self._key())
        mine = batch * math.prod(shape)
        of_a_count = 16 // dtype.size
        if self._replicas > 1 and mine % of_a_count == 0:
            first = tf.cast(self._replica, tf.uint64) * (mine // of_a_count)
            counter += tf.stack([first, tf.zeros_like(first)])
            return draw(shape=[batch, *shape], key=key, counter=counter, alg=PHILOX, dtype=dtype)
        rows = batch * self._replicas
        drawn = draw(shape=[rows, *shape], key=key, counter=counter, alg=PHILOX, dtype=dtype)
        if self._replicas == 1:
            return drawn
        start = tf.cast(self._replica, tf.int32) * batch
        return tf.ensure_shape(drawn[start : start + batch], [batch, *shape])

    def _key(self) -> tf.Tensor:
        return tf.stack(
            [tf.constant(digest(self._seed, self._stream), tf.int64), tf.cast(self._step, tf.int64)]
        )


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
