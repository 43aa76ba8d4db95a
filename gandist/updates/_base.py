"""What an update rule is, and what it may ask of a GAN."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from gandist.spec.schedules import Clock

if TYPE_CHECKING:
    from gandist.randomness import Randomness
    from gandist.training.gan import GAN, Batch
    from gandist.training.regularization import Metrics


class Update:
    """How one step updates both networks."""

    joint: ClassVar[bool] = True
    """Whether real and generated images meet in one update of the discriminator."""
    several: ClassVar[bool] = True
    """Whether a step may have more than one update of the discriminator."""
    halves: ClassVar[bool] = False
    """Whether the discriminator is updated on half of a batch."""

    def step(self, gan: GAN, batch: Batch, randomness: Randomness, clock: Clock) -> Metrics:
        """Update both networks once, the discriminator ``n_critic`` times.

        Args:
            gan: in its replica.
            batch: this replica's.
            randomness: this step's.
            clock: its time.

        Returns:
            figures by name, means over the global batch; of the last update of each network.
        """
        raise TypeError(f"{type(self).__name__} updates nothing")
