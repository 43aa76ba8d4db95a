"""What the losses of the original GAN share."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from gandist import lazy_tensorflow as tf
from gandist.losses._base import SeparableLoss

if TYPE_CHECKING:
    from tensorflow import Tensor


class CrossEntropy(SeparableLoss):
    """The discriminator's cross-entropy (Goodfellow et al. 2014, equation 1).

    ``real_label`` < 1 smooths the label of real images only (Salimans et al. 2016, section 3.4).
    """

    real_label: Annotated[float, Field(gt=0.5, le=1.0)] = Field(1.0, description="one-sided label smoothing")

    @property
    def bounds(self) -> tuple[float, float]:
        """Smoothed labels leave their entropy; who guesses says p, the share of labels that are 1."""
        p = self.real_label / 2
        parts = _entropy(self.real_label), 2 * _entropy(p)
        return self.weight_of_a_part * parts[0], self.weight_of_a_part * parts[1]

    def discriminator_real(self, logits: Tensor) -> Tensor:
        """Cross-entropy against ``real_label``."""
        loss = tf.math.softplus(-logits)
        # softplus(x) = softplus(-x) + x: smoothing costs one multiplication, and none where it is off.
        return loss + (1.0 - self.real_label) * logits if self.real_label < 1.0 else loss

    def discriminator_fake(self, logits: Tensor) -> Tensor:
        """Cross-entropy against 0."""
        return tf.math.softplus(logits)

    def output(self, logits: Tensor) -> Tensor:
        """A probability."""
        return tf.sigmoid(logits)


def _entropy(p: float) -> float:
    return -sum(share * math.log(share) for share in (p, 1.0 - p) if share > 0)
