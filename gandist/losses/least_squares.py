"""Half the squared distance to 1 for real, to 0 for generated (Mao et al. 2017, equation 9)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from gandist.losses._base import SeparableLoss

if TYPE_CHECKING:
    from tensorflow import Tensor


class Options(SeparableLoss):
    """The loss section of a job file."""

    sign_decides: ClassVar[bool] = False

    name: Literal["least_squares"] = "least_squares"

    @property
    def bounds(self) -> tuple[float, float]:
        """0, and what 1/2 costs."""
        return 0.0, 0.25 * self.weight_of_a_part

    def discriminator_real(self, logits: Tensor) -> Tensor:
        """(D(x) - 1)^2 / 2."""
        return 0.5 * (logits - 1.0) ** 2

    def discriminator_fake(self, logits: Tensor) -> Tensor:
        """D(G(z))^2 / 2."""
        return 0.5 * logits**2

    def generator(self, fake_logits: Tensor, real_logits: Tensor | None) -> Tensor:
        """(D(G(z)) - 1)^2 / 2."""
        return 0.5 * (fake_logits - 1.0) ** 2
