"""The regularizers of one network at work: when each is used, how it is reduced, and what it remembers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from gandist.regularizers import Regularizer
from gandist.spec.schedules import Clock
from gandist.training.state import State
from gandist.updates import Metrics

NONE = float("nan")
"""Shown for what was not computed: a zero would look like a value."""


class Regularization:
    """Built within a strategy's scope; called in its replicas.

    Attributes:
        optional: figures that are NaN in updates without them.

    Args:
        options: the regularizers of the network, by name.
        share: reduces values per sample to this replica's share of their mean over the global batch.
    """

    def __init__(self, options: Mapping[str, Regularizer], share: Callable[[tf.Tensor], tf.Tensor]) -> None:
        self._options, self._share = options, share
        self._states = {name: State(regularizer.state) for name, regularizer in options.items()}
        self._figures: dict[str, tuple[str, ...]] = {}
        self.optional: set[str] = set()

    @property
    def every(self) -> int:
        """Updates from one use of a lazy one to the next; of several, the shortest; 1 where none is lazy."""
        return min((options.every for options in self._options.values() if options.every > 1), default=1)

    def terms(
        self, given: Callable[[], Any], update: tf.Tensor, clock: Clock
    ) -> tuple[list[tf.Tensor], Metrics]:
        """What is added to the loss, and what is shown of it: this replica's shares.

        Args:
            given: makes what the regularizers of this network take.
            update: this update's number, from 0.
            clock: when it takes place.
        """
        added: list[tf.Tensor] = []
        shown: Metrics = {}
        for name, options in self._options.items():
            value, figures = self._used(name, options, given, update, clock)
            added.append(value)
            shown |= figures
        return added, shown

    def _used(
        self, name: str, options: Regularizer, given: Callable[[], Any], update: tf.Tensor, clock: Clock
    ) -> tuple[tf.Tensor, Metrics]:
        def computed() -> tuple[tf.Tensor, Metrics]:
            per_sample, figures = options.per_sample(given(), self._states[name].read())
            self._figures[name] = tuple(figures)
            value = self._share(options.strength(clock) * options.every * per_sample)
            return value, {name: value, **{key: self._share(figure) for key, figure in figures.items()}}

        if options.every == 1:
            return computed()
        its_turn = self._is_its_turn(options, update)
        value, figures = tf.cond(
            its_turn,
            computed,
            lambda: (tf.constant(0.0), dict.fromkeys([name, *self._figures[name]], tf.constant(NONE))),
        )
        self.optional |= set(figures)
        return value, figures

    def advance(self, metrics: Metrics, update: tf.Tensor) -> None:
        """Let those that were used remember it.

        Args:
            metrics: of the update, as means over the global batch.
            update: its number.
        """
        for name, options in self._options.items():
            state = self._states[name]
            if state.variables:
                before = state.read()
                after = options.advance(before, {key: metrics[key] for key in self._figures[name]})
                its_turn = self._is_its_turn(options, update)
                state.write({key: tf.where(its_turn, after[key], before[key]) for key in before})

    def state(self) -> dict[str, list[tf.Variable]]:
        """What a continuation needs, by name."""
        return {
            f"regularizers.{name}": state.variables for name, state in self._states.items() if state.variables
        }

    @staticmethod
    def _is_its_turn(options: Regularizer, update: tf.Tensor) -> tf.Tensor:
        return update % options.every == 0
