"""What an optimizer is."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from gandist.spec.base import Section
from gandist.spec.schedules import Clock, Rate, Within

if TYPE_CHECKING:
    from tensorflow import Tensor

Update = Callable[[Any, list[Any], Any], None]
"""Applies a gradient, in place: takes a variable's resource handle, those of its slots, and the gradient,
summed over replicas."""


class OptimizerOptions(Section):
    """What every optimizer takes."""

    slots: ClassVar[tuple[str, ...]] = ()

    name: str
    learning_rate: Annotated[Rate, Within(gt=0)] = Field(1e-4, description="of both networks")
    discriminator_learning_rate: Annotated[Rate, Within(gt=0)] | None = Field(
        None, description="where it differs from the generator's (two time scales, Heusel et al. 2017)"
    )

    @property
    def needs_lazy_regularizers(self) -> bool:
        """Whether what was asked for has no effect without a lazy regularizer."""
        return False

    @abstractmethod
    def update(self, learning_rate: Any, count: Tensor, clock: Clock, every: int = 1) -> Update:
        """How this update applies gradients; what all variables share is computed once.

        Args:
            learning_rate: this network's: a number, or a float32 scalar.
            count: this update's number, float32 from 1.
            clock: when it takes place.
            every: updates from one use of the network's lazy regularizers to the next; 1 where none is lazy.
        """
        raise TypeError(f"{type(self).__name__} has no update")
