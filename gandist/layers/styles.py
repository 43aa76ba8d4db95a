"""Between latents and the layers that they style (Karras et al. 2019): mean style, truncation, mixing."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from gandist import randomness
from gandist.layers.registry import loadable


@loadable
class UnitSecondMoment(keras.layers.Layer):
    """Divides each sample by the root of its mean square."""

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Inputs ``[batch, features]``."""
        return inputs * tf.math.rsqrt(tf.reduce_mean(tf.square(inputs), axis=1, keepdims=True) + 1e-8)


@loadable
class MeanStyle(keras.layers.Layer):
    """Remembers the mean of the styles seen in training, and pulls towards it (2019, appendix B).

    Attributes:
        truncation: psi: 1 leaves styles as they are, 0 makes all of them the mean.

    Args:
        decay: of the moving average, per pass of a batch; 0.995 in the authors' code.
    """

    def __init__(self, decay: float = 0.995, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.decay, self.truncation = decay, 1.0

    def build(self, input_shape: Any) -> None:
        """Add the mean."""
        self.mean = self.add_weight(
            name="mean", shape=(input_shape[-1],), initializer="zeros", trainable=False
        )

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Inputs ``[batch, features]``."""
        if training:
            seen = tf.stop_gradient(tf.reduce_mean(inputs, axis=0))
            context = tf.distribute.get_replica_context()
            if context is not None:
                seen = context.all_reduce(tf.distribute.ReduceOp.MEAN, seen)
            self.mean.assign(self.mean + (1.0 - self.decay) * (seen - self.mean))
        if self.truncation == 1.0:
            return inputs
        return self.mean + self.truncation * (inputs - self.mean)


@loadable
class OtherLatents(keras.layers.Layer):
    """In training latents drawn anew, else the given ones."""

    def compute_output_shape(self, input_shape: Any) -> Any:
        """That of the inputs."""
        return input_shape

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Inputs ``[batch, latent_dim]``."""
        return randomness.for_layer().normal(*inputs.shape) if training else inputs


@loadable
class Repeated(keras.layers.Layer):
    """The same style for each of ``count`` layers.

    Not Keras' RepeatVector: XLA makes no gradient of its gradient within a ``tf.cond``, a lazy path length.
    """

    def __init__(self, count: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.count = count

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Inputs ``[batch, features]``, outputs ``[batch, count, features]``."""
        return _repeated(inputs, self.count)


@loadable
class Mixed(keras.layers.Layer):
    """A style for each of ``count`` layers; in training some samples change to another style on the way.

    Args:
        count: layers.
        probability: that a sample is mixed (2019, section 3.1), from a layer on that is drawn uniformly.
    """

    def __init__(self, count: int, probability: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.count, self.probability = count, probability

    def compute_output_shape(self, input_shape: Any) -> Any:
        """``[batch, count, features]``."""
        batch, features = input_shape[0]
        return (batch, self.count, features)

    def call(self, inputs: list[tf.Tensor], training: bool = False) -> tf.Tensor:
        """Inputs are two styles ``[batch, features]``."""
        first, second = inputs
        one = _repeated(first, self.count)
        if not training:
            return one
        drawn = randomness.for_layer().uniform(first.shape[0], 2)
        change = 1 + tf.cast(drawn[:, 1] * (self.count - 1), tf.int32)  # the first layer is the first style's
        change = tf.where(drawn[:, 0] < self.probability, change, self.count)
        kept = tf.range(self.count)[None] < change[:, None]
        return tf.where(kept[:, :, None], one, second[:, None])


@loadable
class Constant(keras.layers.Layer):
    """A learned feature map, the same for all samples; normal at first."""

    def __init__(self, height: int, width: int, channels: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = (height, width, channels)

    def build(self, input_shape: Any) -> None:  # noqa: ARG002 - Keras calls it so
        """Add it."""
        normal = keras.initializers.RandomNormal(stddev=1.0)
        self.map = self.add_weight(name="map", shape=self.size, initializer=normal)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """``[batch, height, width, channels]``."""
        return (input_shape[0], *self.size)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Inputs ``[batch, ...]``, of which only their number matters."""
        own = tf.convert_to_tensor(self.map)
        return own * tf.ones([tf.shape(inputs)[0], 1, 1, 1], own.dtype)


def _repeated(style: tf.Tensor, count: int) -> tf.Tensor:
    """``[batch, features]`` to ``[batch, count, features]``."""
    return style[:, None] * tf.ones([1, count, 1], style.dtype)
