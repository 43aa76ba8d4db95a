"""What an augmentation is."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from gandist.spec.base import Section
from gandist.spec.schedules import Clock

if TYPE_CHECKING:
    from tensorflow import Tensor

    from gandist.randomness import Randomness


class Augmentation(Section):
    """A random change of images that has a gradient, so that the generator learns through it."""

    state: ClassVar[Mapping[str, float]] = {}
    """What is remembered from update to update, with its first value; logged under these names."""

    name: str

    @property
    def strongest(self) -> Mapping[str, float]:
        """The state in which it changes most, to be looked at."""
        return self.state

    @property
    def reads_signs(self) -> bool:
        """Whether it takes D(x) > 0 for "real", which is so where ``LossOptions.sign_decides``."""
        return False

    @abstractmethod
    def apply(self, images: Tensor, randomness: Randomness, state: Mapping[str, Any]) -> Tensor:
        """The images ``[batch, height, width, channels]``, changed.

        Args:
            images: in [-1, 1].
            randomness: of this pass.
            state: float32 scalars by name.
        """
        raise TypeError(f"{type(self).__name__} changes nothing")

    def figures(self, real_logits: Tensor) -> Mapping[str, Any]:
        """What ``advance`` needs to know, per sample, of a batch of real images."""
        return {}

    def advance(
        self, state: Mapping[str, Any], figures: Mapping[str, Any], images: int, clock: Clock
    ) -> Mapping[str, Any]:
        """The next state, after an update of the discriminator.

        Args:
            state: as it was.
            figures: those of ``figures``, as means over the global batch.
            images: how many real ones the update has seen.
            clock: when it took place.
        """
        return state
