"""Numbers that regularizers and augmentations remember from update to update."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf

from gandist.training.distribution import assign


class State:
    """Scalars by name; made within the strategy's scope, so that no checkpoint can miss them.

    Args:
        initial: their first values.
    """

    def __init__(self, initial: Mapping[str, float]) -> None:
        self._variables = {
            name: tf.Variable(value, trainable=False, dtype=tf.float32) for name, value in initial.items()
        }

    def read(self) -> dict[str, tf.Tensor]:
        """float32 scalars by name."""
        return {name: tf.convert_to_tensor(variable) for name, variable in self._variables.items()}

    def write(self, values: Mapping[str, tf.Tensor]) -> None:
        """Set this replica's copy; every replica must write the same."""
        for name, variable in self._variables.items():
            assign(variable, values[name])

    @property
    def variables(self) -> list[tf.Variable]:
        """All of them, in a fixed order."""
        return list(self._variables.values())
