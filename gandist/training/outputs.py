"""What a trained discriminator says of single images, for a histogram."""

from __future__ import annotations

import numpy as np

from gandist.data import Dataset
from gandist.metrics import Judge
from gandist.order import permutation
from gandist.sampling.sampler import Sampler
from gandist.spec.trial import TrialSpec

IMAGES = 1000
"""Of each kind."""


def discriminator_outputs(
    trial: TrialSpec, judge: Judge, dataset: Dataset, sampler: Sampler
) -> dict[str, np.ndarray]:
    """The outputs in inference mode, float32 ``[n]``, of each of ``tables.OUTPUT_KINDS`` that there is.

    Args:
        trial: the trial.
        judge: its discriminator.
        dataset: ``real`` and ``held_out`` images. Held-out ones have no labels, which a conditional
            discriminator needs: it judges none of them.
        sampler: makes as many ``generated`` ones as there are real ones, of their classes.
    """
    chosen = permutation(trial.seed, 0, len(dataset))[:IMAGES]
    labels = dataset.labels[chosen]
    generated = sampler.generate(sampler.latents(len(chosen), "outputs"), labels)
    shown = {"real": dataset.images[chosen], "generated": generated}
    if len(dataset.held_out) and not sampler.classes:
        some = permutation(trial.seed, 0, len(dataset.held_out))[:IMAGES]
        shown["held_out"] = dataset.held_out[np.sort(some)]
    return {kind: judge(images, labels).astype(np.float32) for kind, images in shown.items()}
