"""Each generated image against the real one beside it: D judges which of the two is more real.

The relativistic pairing GAN (Jolicoeur-Martineau 2019, section 3.3, equations 4 and 5, with the cross-entropy
f(t) = log(1 + exp(-t))), which has no local minima where modes are missing (Sun et al. 2020). Huang et al.
2024 (R3GAN, section 2) train it with R1 and R2: without them it need not converge.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar, Literal

from gandist import lazy_tensorflow as tf
from gandist.losses._base import LossOptions

if TYPE_CHECKING:
    from tensorflow import Tensor


class Options(LossOptions):
    """The loss section of a job file."""

    paired: ClassVar[bool] = True
    converges_with: ClassVar[tuple[str, ...]] = ("r1", "r2")
    sign_decides: ClassVar[bool] = False

    name: Literal["relativistic"] = "relativistic"

    @property
    def bounds(self) -> tuple[float, float]:
        """0, and what equal scores cost."""
        return 0.0, math.log(2.0)

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> dict[str, Tensor]:
        """log(1 + exp(-(D(x) - D(G(z))))): one part, which is not logged beside d_loss."""
        return {"d_loss": tf.math.softplus(fake_logits - real_logits)}

    def generator(self, fake_logits: Tensor, real_logits: Tensor | None) -> Tensor:
        """log(1 + exp(-(D(G(z)) - D(x)))).

        Raises:
            TypeError: no logits of real images were given.
        """
        if real_logits is None:
            raise TypeError("a paired loss needs the logits of the real images")
        return tf.math.softplus(real_logits - fake_logits)
