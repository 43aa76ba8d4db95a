"""Only scores within the margin of 1 count (Lim & Ye 2017, equations 14 and 15)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from gandist import lazy_tensorflow as tf
from gandist.losses._base import SeparableLoss

if TYPE_CHECKING:
    from tensorflow import Tensor


class Options(SeparableLoss):
    """The loss section of a job file."""

    name: Literal["hinge"] = "hinge"

    @property
    def bounds(self) -> tuple[float, float]:
        """0 beyond the margins, and what any score within them costs."""
        return 0.0, 2.0 * self.weight_of_a_part

    def discriminator_real(self, logits: Tensor) -> Tensor:
        """max(0, 1 - D(x))."""
        return tf.nn.relu(1.0 - logits)

    def discriminator_fake(self, logits: Tensor) -> Tensor:
        """max(0, 1 + D(G(z)))."""
        return tf.nn.relu(1.0 + logits)

    def generator(self, fake_logits: Tensor, real_logits: Tensor | None) -> Tensor:
        """-D(G(z))."""
        return -fake_logits
