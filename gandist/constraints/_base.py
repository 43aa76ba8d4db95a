"""What a constraint is."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from gandist.spec.base import Section

if TYPE_CHECKING:
    from tensorflow import Tensor


class Constraint(Section):
    """What each trainable weight of the discriminator becomes after an update."""

    name: ClassVar[str] = ""
    """What a plug-in's is called in a job file; gandist's own are called as their files."""
    bounds_the_slope: ClassVar[bool] = False
    """Whether it keeps the discriminator's slope bounded, which some losses need."""

    @abstractmethod
    def constrained(self, weight: Tensor) -> Tensor:
        """The weight as it must be, of the same shape and dtype."""
        raise TypeError(f"{type(self).__name__} constrains nothing")
