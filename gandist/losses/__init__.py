"""GAN losses, one file each: functions of logits, with one value per sample.

Reduction is not their business: the train step sums over the replica and divides by the global batch, once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gandist.losses._base import LossOptions, SeparableLoss
from gandist.losses.non_saturating import Options as NonSaturating
from gandist.spec.base import choice, options

if TYPE_CHECKING:
    Loss = LossOptions
else:
    Loss = choice(options(__name__))

DEFAULT = NonSaturating()

__all__ = ["DEFAULT", "Loss", "LossOptions", "SeparableLoss"]
