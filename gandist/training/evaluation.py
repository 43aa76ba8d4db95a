"""How good a trial's images are, measured against real ones; nothing here touches the training."""

from __future__ import annotations

import time
from functools import cached_property
from typing import Any

import numpy as np

from gandist import metrics
from gandist.activity import Activity, Tell, silent
from gandist.data import Dataset
from gandist.randomness import permutation
from gandist.sampling.sampler import Sampler
from gandist.spec.sections import Evaluation

ORDER_SEED = 0
"""Every trial of a job is compared with the same real images, and has the same shares of classes."""


class Evaluator:
    """Compares a generator's images with the held-out ones, or with training images where none are.

    Args:
        options: the evaluation section of a trial.
        dataset: the real images.
    """

    def __init__(self, options: Evaluation, dataset: Dataset) -> None:
        self.options, self._dataset = options, dataset
        self._prepared: dict[str, metrics.Reference] = {}

    def evaluate(self, sampler: Sampler, tell: Tell = silent) -> list[dict[str, Any]]:
        """One row a metric: ``metric``, ``value``, ``lower_is_better``, ``protocol``, ``wall_time``."""
        count, names = self.options.samples, self.options.metrics
        against = f"{count:,} generated images against {self._real_count:,} {self._source[1]} ones"
        latents, rows = sampler.latents(count, "evaluation"), []
        generated = sampler.generate(latents, self._labels(count), tell=tell)
        for done, name in enumerate(names):
            tell(Activity("computing metrics", done, len(names)))
            reference = self._reference(name)
            rows.append(
                {
                    "metric": name,
                    "value": reference.compare(generated),
                    "lower_is_better": metrics.lower_is_better(name),
                    "protocol": f"{reference.protocol}; {against}",
                    "wall_time": time.time(),
                }
            )
        return rows

    def _reference(self, name: str) -> metrics.Reference:
        """The metric with the real images prepared, at the first evaluation."""
        if name not in self._prepared:
            self._prepared[name] = metrics.prepare(name, self._real)
        return self._prepared[name]

    @cached_property
    def _real(self) -> np.ndarray:
        images, _ = self._source
        return np.asarray(images[np.sort(permutation(ORDER_SEED, 0, len(images))[: self._real_count])])

    @property
    def _source(self) -> tuple[np.ndarray, str]:
        held_out = self._dataset.held_out
        return (held_out, "held-out") if len(held_out) else (self._dataset.images, "training")

    @property
    def _real_count(self) -> int:
        return min(self.options.samples, len(self._source[0]))

    def _labels(self, count: int) -> np.ndarray:
        """int32 ``[count]``, with the data's shares of classes."""
        order = permutation(ORDER_SEED, 0, len(self._dataset))
        return np.resize(self._dataset.labels[order], count)
