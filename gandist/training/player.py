"""One of the two networks with all that updates it: its optimizer, its regularizers and its constraints."""

from __future__ import annotations

from collections.abc import Callable, Collection

import keras
import tensorflow as tf

from gandist.constraints import Constraint
from gandist.layers.walk import layers_of
from gandist.optimizers import OptimizerOptions
from gandist.spec.schedules import Clock, Rate
from gandist.training.distribution import assign, sum_over_replicas
from gandist.training.optimizer import Optimizer
from gandist.training.regularization import Regularization
from gandist.updates import Metrics, Terms


class Player:
    """Built within a strategy's scope; ``apply`` runs in its replicas.

    Args:
        network: generator or discriminator.
        prefix: of its figures: ``g`` or ``d``.
        options: the optimizer section of a trial.
        learning_rate: this network's.
        regularization: its regularizers.
        constraints: on its weights, after each update.
        remember: called with the metrics of each update, as means over the global batch.
    """

    def __init__(
        self,
        network: keras.Model,
        prefix: str,
        options: OptimizerOptions,
        learning_rate: Rate,
        regularization: Regularization,
        constraints: Collection[Constraint] = (),
        remember: Callable[[Metrics, Clock], None] | None = None,
    ) -> None:
        self.network, self._prefix = network, prefix
        self.optimizer = Optimizer(options, network.trainable_variables, learning_rate, regularization.every)
        self.regularization, self._constraints, self._remember = regularization, constraints, remember
        self._normalized = [layer for layer in layers_of(network) if hasattr(layer, "power_iteration")]

    def prepare(self) -> None:
        """One power iteration of spectral norm, where the network has it; before each update."""
        for layer in self._normalized:
            for variable, value in layer.power_iteration():
                assign(variable, value)

    def apply(self, tape: tf.GradientTape, terms: Terms, update: tf.Tensor, clock: Clock) -> Metrics:
        """Update the network with the gradient of the global batch.

        Args:
            tape: that has recorded ``terms.total``.
            terms: this replica's shares.
            update: how many of its updates came before.
            clock: when it takes place.

        Returns:
            the figures of ``terms``, as means over the global batch, and the gradient's norm.
        """
        gradients = tape.gradient(
            terms.total, [variable.value for variable in self.network.trainable_variables]
        )
        gradients, metrics = sum_over_replicas((gradients, terms.metrics))
        self.optimizer.apply(gradients, tf.cast(update + 1, tf.float32), clock)
        for constraint in self._constraints:
            for variable in self.network.trainable_variables:
                assign(variable.value, constraint.constrained(tf.convert_to_tensor(variable.value)))
        self.regularization.advance(metrics, update)
        if self._remember is not None:
            self._remember(metrics, clock)
        return {**metrics, f"{self._prefix}_grad_norm": tf.linalg.global_norm(gradients)}

    def latest(self, before: Metrics, now: Metrics) -> Metrics:
        """``now``; of what was not computed this time, the value before."""
        kept = {
            name: tf.where(tf.math.is_nan(now[name]), before[name], now[name])
            for name in self.regularization.optional
            if name in before
        }
        return now | kept
