"""Whether the discriminator tells the images that it was trained on from others: then it overfits."""

from __future__ import annotations

import numpy as np

from gandist.metrics._base import Need, Sets, Value
from gandist.order import permutation

HEADLINE = "discriminator_gap"
HAS_FLOOR = False
NEEDS = frozenset({Need.HELD_OUT, Need.UNCONDITIONAL})


def measure(sets: Sets) -> list[Value]:
    """``discriminator_gap``: its mean output on training images less that on as many held-out ones.

    0 where it generalises. In probabilities under a cross-entropy, else in scores. None where no images are
    held out, and of a conditional discriminator: it needs their classes.
    """
    if sets.judge is None or not sets.unseen or sets.generated.labels is not None:
        return []
    some = np.sort(permutation(0, 0, len(sets.training))[: len(sets.real)])
    shown = np.asarray(sets.training.pixels[some]), sets.real.pixels
    seen, unseen = (sets.judge(images, np.zeros(len(images), np.int32)) for images in shown)
    error = np.sqrt(seen.var() / len(seen) + unseen.var() / len(unseen))
    gap = float(seen.mean() - unseen.mean())
    return [Value("discriminator_gap", gap, lower_is_better=True, error=float(error), floor=0.0)]
