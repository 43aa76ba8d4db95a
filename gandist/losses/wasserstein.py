"""The difference of mean scores (Arjovsky et al. 2017, equation 2): -d_loss estimates the distance.

That holds for a critic of bounded slope only, so one of its limits is required.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from gandist.losses._base import SeparableLoss

if TYPE_CHECKING:
    from tensorflow import Tensor


class Options(SeparableLoss):
    """The loss section of a job file."""

    needs_a_lipschitz_critic: ClassVar[bool] = True
    sign_decides: ClassVar[bool] = False

    name: Literal["wasserstein"] = "wasserstein"

    def discriminator_real(self, logits: Tensor) -> Tensor:
        """-D(x)."""
        return -logits

    def discriminator_fake(self, logits: Tensor) -> Tensor:
        """D(G(z))."""
        return logits

    def generator(self, fake_logits: Tensor, real_logits: Tensor | None) -> Tensor:
        """-D(G(z))."""
        return -fake_logits
