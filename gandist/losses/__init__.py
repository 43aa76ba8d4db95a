"""GAN losses, one file each: functions of logits, with one value per sample.

Reduction is not their business: the train step sums over the replica and divides by the global batch, once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gandist.losses._base import LossOptions, SeparableLoss
from gandist.losses.non_saturating import Options as NonSaturating
from gandist.spec.variants import Kind, choice

if TYPE_CHECKING:
    Loss = LossOptions
else:
    Loss = choice(Kind(__name__, LossOptions))

DEFAULT = NonSaturating()

__all__ = ["DEFAULT", "Loss", "LossOptions", "SeparableLoss"]
