"""Images beside what an augmentation makes of them, to look at."""

from __future__ import annotations

from gandist import tensorflow_start  # isort: skip  # noqa: F401 - before whatever loads TensorFlow

import numpy as np
import tensorflow as tf

from gandist.artifacts.images import BACKGROUND, MARGIN
from gandist.augmentations import Augmentation
from gandist.randomness import Randomness
from gandist.sampling.sampler import quantised


def beside_augmented(images: np.ndarray, augmentation: Augmentation) -> np.ndarray:
    """Each image, a white margin, and the image as ``augmentation`` changes it where it changes most.

    Args:
        images: uint8 ``[n, height, width, channels]``.
        augmentation: a trial's.

    Returns:
        uint8 ``[n, height, 2 * width + 2, channels]``; the same each time.
    """
    real = tf.cast(images, tf.float32) / 127.5 - 1.0
    draw = Randomness(0, tf.constant(0, tf.int64))
    changed = quantised(augmentation.apply(real, draw, augmentation.strongest).numpy())
    margin = ((0, 0), (0, 0), (0, MARGIN), (0, 0))
    return np.concatenate([np.pad(images, margin, constant_values=BACKGROUND), changed], axis=2)
