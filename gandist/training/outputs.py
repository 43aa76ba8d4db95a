"""What a trained discriminator says of single images, for a histogram."""

from __future__ import annotations

import numpy as np

from gandist import models
from gandist.data import Dataset
from gandist.order import permutation
from gandist.sampling.sampler import Sampler
from gandist.spec.job import TrialSpec
from gandist.training.gan import GAN

IMAGES = 1000
"""Of each kind."""
BATCH = 256


def discriminator_outputs(
    trial: TrialSpec, gan: GAN, dataset: Dataset, sampler: Sampler
) -> dict[str, np.ndarray]:
    """The outputs in inference mode, float32 ``[n]``, of each of ``tables.OUTPUT_KINDS`` that there is.

    Probabilities under a cross-entropy, else scores.

    Args:
        trial: the trial.
        gan: its networks.
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
    height, width, channels = dataset.image_shape
    # A plain copy: the networks themselves live in the strategy's scope.
    network = models.build_discriminator(trial.model, (height, width, channels), sampler.classes)
    for own, live in zip(network.variables, gan.discriminator.variables, strict=True):
        own.assign(live.value.numpy())

    def judged(images: np.ndarray) -> np.ndarray:
        found = []
        for start in range(0, len(images), BATCH):
            part = images[start : start + BATCH].astype(np.float32) / 127.5 - 1.0
            inputs = [part, labels[start : start + BATCH]] if sampler.classes else part
            found.append(np.ravel(trial.loss.output(network(inputs, training=False))))
        return np.concatenate(found).astype(np.float32)

    return {kind: judged(images) for kind, images in shown.items()}
