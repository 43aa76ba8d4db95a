"""The generator minimises log(1 - D(G(z))): the game's own value (Goodfellow et al. 2014, equation 1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from gandist import lazy_tensorflow as tf
from gandist.losses._cross_entropy import CrossEntropy

if TYPE_CHECKING:
    from tensorflow import Tensor


class Options(CrossEntropy):
    """The loss section of a job file."""

    name: Literal["minimax"] = "minimax"

    def generator(self, fake_logits: Tensor, real_logits: Tensor | None) -> Tensor:
        """log(1 - D(G(z))), which is at most 0."""
        return -tf.math.softplus(fake_logits)
