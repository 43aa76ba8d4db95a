"""Early stopping of a trial whose losses are out of bounds."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from gandist.spec.sections import EarlyStopping

LOSSES = ("d_loss", "g_loss")


class Stability:
    """Averages the losses over windows of steps; its state belongs into checkpoints.

    Args:
        options: the bounds; None = nothing is ever out of bounds.
    """

    def __init__(self, options: EarlyStopping | None) -> None:
        self._options = options
        self._window = np.empty((0, len(LOSSES)), np.float32)
        self._strikes = 0

    def next_stop(self, step: int) -> int | None:
        """The end of the window that holds the step after ``step``; None without bounds."""
        return None if self._options is None else (step // self._options.window + 1) * self._options.window

    def add(self, columns: Mapping[str, np.ndarray]) -> str:
        """Take the losses of consecutive steps, which must not pass ``next_stop``.

        Returns:
            why the trial has to end; empty where it has not.
        """
        if (options := self._options) is None:
            return ""
        self._window = np.concatenate([self._window, np.stack([columns[name] for name in LOSSES], axis=1)])
        if len(self._window) < options.window:
            return ""
        # fsum: the same sum however the window was cut into blocks.
        d_loss, g_loss = (math.fsum(column) / len(column) for column in self._window.T)
        self._window = self._window[:0]
        found = []
        if options.d_loss_below is not None and d_loss < options.d_loss_below:
            found.append(f"d_loss averaged {d_loss:.4g}, below {options.d_loss_below:g}")
        if options.g_loss_above is not None and g_loss > options.g_loss_above:
            found.append(f"g_loss averaged {g_loss:.4g}, above {options.g_loss_above:g}")
        self._strikes = self._strikes + 1 if found else 0
        if self._strikes < options.patience:
            return ""
        times = f" for the {options.patience}th window in a row" if options.patience > 1 else ""
        step = int(columns["step"][-1])
        return f"{' and '.join(found)}, over the {options.window} steps up to {step}{times}"

    def state(self) -> dict[str, np.ndarray]:
        """What a continuation needs, by name."""
        return {"stability/window": self._window, "stability/strikes": np.asarray(self._strikes, np.int64)}

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Continue from what ``state()`` gave."""
        self._window = state["stability/window"]
        self._strikes = int(state["stability/strikes"])
