"""The generator maximises log D(G(z)) (Goodfellow et al. 2014, section 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from gandist import lazy_tensorflow as tf
from gandist.losses._cross_entropy import CrossEntropy

if TYPE_CHECKING:
    from tensorflow import Tensor


class Options(CrossEntropy):
    """The loss section of a job file."""

    name: Literal["non_saturating"] = "non_saturating"

    def generator(self, fake_logits: Tensor, real_logits: Tensor | None) -> Tensor:
        """Cross-entropy against 1."""
        return tf.math.softplus(-fake_logits)
