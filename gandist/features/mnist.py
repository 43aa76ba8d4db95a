"""A small classifier of handwritten digits that gandist ships: 128 features a channel.

``benchmarks/train_mnist_features.py`` has trained it; ``mnist.json`` beside this file says how, and how good
it is. Of images 28x28x3, as in stacked MNIST, each channel is looked at by itself.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from gandist.activity import Tell, silent
from gandist.data import Dataset
from gandist.errors import DataError
from gandist.features._base import FeatureOptions, Seen

if TYPE_CHECKING:
    from gandist.features._classifier import Classifier

WEIGHTS = Path(__file__).with_name("mnist.npz")
SHAPE, CLASSES = (28, 28, 1), tuple("0123456789")


class Options(FeatureOptions):
    """The features section of a job file."""

    classifies: ClassVar[bool | None] = True
    name: Literal["mnist"] = "mnist"


class Channels:
    """Looks at each channel by itself.

    Args:
        classifier: of images of one channel.
        classifies: whether its classes are those of the data.
    """

    about = ""

    def __init__(self, classifier: Classifier, classifies: bool) -> None:
        self.id = f"mnist-{classifier.hash}"
        self._classifier, self._classifies = classifier, classifies

    def look(self, images: np.ndarray, tell: Tell = silent) -> Seen:
        """Features ``[n, channels * 128]``; logits ``[n, 10]``, of several channels ``[n, channels, 10]``."""
        count, height, width, channels = images.shape
        apart = images.transpose(0, 3, 1, 2).reshape(count * channels, height, width, 1)
        seen = self._classifier.look(apart, tell)
        logits = seen.logits if self._classifies else None
        if logits is not None and channels > 1:
            logits = logits.reshape(count, channels, -1)
        return Seen(seen.features.reshape(count, -1), logits)


def load(options: Options, dataset: Dataset, tell: Tell = silent) -> Channels:
    """The classifier; of a data set with other classes than the ten digits, its features only.

    Raises:
        DataError: the images are of another shape.
    """
    from gandist.features._classifier import Classifier

    *size, channels = dataset.image_shape
    if size != [28, 28] or channels not in (1, 3):
        raise DataError(
            f"evaluation.features: mnist looks at images 28x28x1 or 28x28x3, and these are "
            f"{'x'.join(map(str, dataset.image_shape))}; use classifier, pixels or inception"
        )
    classifier = Classifier(SHAPE, len(CLASSES))
    classifier.load(WEIGHTS)
    classifies = channels > 1 or dataset.class_names in ((), CLASSES)
    return Channels(classifier, classifies)
