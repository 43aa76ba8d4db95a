"""The order in which a trial sees its images: a pure function of the seed."""

from __future__ import annotations

import numpy as np

from gandist.order import permutation
from gandist.spec.budget import Budget


def indices(budget: Budget, seed: int, first: int, stop: int) -> np.ndarray:
    """The images of the steps ``first`` .. ``stop - 1``, from 0: int32 ``[steps, images_per_step]``."""
    begin, end = first * budget.images_per_step, stop * budget.images_per_step
    first_epoch, last_epoch = begin // budget.size, (end - 1) // budget.size
    epochs = range(first_epoch, last_epoch + 1)
    order = np.concatenate([permutation(seed, epoch, budget.size) for epoch in epochs])
    offset = first_epoch * budget.size
    return order[begin - offset : end - offset].reshape(stop - first, budget.images_per_step)
