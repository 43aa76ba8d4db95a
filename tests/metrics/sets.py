"""Sets of images whose features are given."""

from __future__ import annotations

import numpy as np

from gandist.features import Seen
from gandist.metrics import Images, Judge, Sets


def images(
    features: np.ndarray, logits: np.ndarray | None = None, labels: np.ndarray | None = None
) -> Images:
    """Images 1x1x1, each of the grey of its index."""
    pixels = np.arange(len(features), dtype=np.uint8).reshape(-1, 1, 1, 1)
    return Images(pixels, labels, lambda: Seen(features.astype(np.float32), logits))


def of(
    real: np.ndarray,
    generated: np.ndarray,
    training: np.ndarray | None = None,
    judge: Judge | None = None,
    unseen: bool = True,
) -> Sets:
    """Of features ``[n, d]``."""
    trained = real if training is None else training
    return Sets(images(generated), images(real), images(trained), judge=judge, unseen=unseen)


def classified(
    real: list[int], generated: list[int], classes: int = 3, asked: list[int] | None = None
) -> Sets:
    """Labelled real images, and generated ones of which a classifier is certain."""
    logits = np.eye(classes, dtype=np.float32)
    labels = np.array(real, np.int32)
    own = images(np.zeros((len(real), 1)), logits[labels], labels)
    wanted = None if asked is None else np.array(asked, np.int32)
    made = images(np.zeros((len(generated), 1)), logits[np.array(generated)], wanted)
    return Sets(made, own, own, tuple(f"class {number}" for number in range(classes)))
