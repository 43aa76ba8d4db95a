"""What an update rule is, and what it may ask of a GAN."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol

from gandist.spec.schedules import Clock

if TYPE_CHECKING:
    from tensorflow import GradientTape, Tensor

    from gandist.randomness import Randomness

Metrics = dict[str, Any]
"""float32 scalars by name."""


class Batch(NamedTuple):
    """One replica's part of a step's real images.

    Attributes:
        images: float32 ``[n_critic, batch, height, width, channels]`` in [-1, 1].
        labels: theirs, int32 ``[n_critic, batch]``; not looked at by unconditional networks.
    """

    images: Tensor
    labels: Tensor


class Judged(NamedTuple):
    """What a discriminator says of a batch.

    Attributes:
        logits: float32 ``[batch, 1]``; of packs of images, where it takes these.
        class_logits: of an auxiliary classifier, float32 ``[batch, classes]``, where it has one.
    """

    logits: Tensor
    class_logits: Tensor | None = None


class Terms(NamedTuple):
    """What one update minimises, and what it shows: this replica's shares.

    ``real`` and ``fake`` are what was ``Judged`` of both kinds of images, for the generator's terms.
    """

    total: Tensor
    metrics: Metrics
    real: Any = None
    fake: Any = None


class Player(Protocol):
    """One of the two networks, with what updates it."""

    def prepare(self) -> None:
        """Before each update, and before images are judged in it."""

    def apply(self, tape: GradientTape, terms: Terms, update: Tensor, clock: Clock) -> Metrics:
        """Update the network by ``terms``, which ``tape`` has recorded; ``update`` came before this one."""

    def latest(self, before: Metrics, now: Metrics) -> Metrics:
        """``now``; of what was not computed this time, the value before."""


class Networks(Protocol):
    """What an update rule asks of a GAN."""

    @property
    def generator_player(self) -> Player:
        """The generator."""

    @property
    def discriminator_player(self) -> Player:
        """The discriminator."""

    def generate(self, labels: Tensor, randomness: Randomness, training: bool = True) -> Tensor:
        """Images of ``labels`` int32 ``[batch]``."""

    def discriminator_terms(
        self,
        images: Tensor,
        fake_images: Tensor,
        labels: Tensor,
        randomness: Randomness,
        update: Tensor,
        clock: Clock,
    ) -> Terms:
        """What a discriminator minimises that sees both kinds of images in one update."""

    def real_terms(self, images: Tensor, labels: Tensor, randomness: Randomness) -> Terms:
        """What a discriminator minimises that sees only real images."""

    def fake_terms(self, fake_images: Tensor, labels: Tensor, randomness: Randomness) -> Terms:
        """What a discriminator minimises that sees only generated images."""

    def generator_terms(
        self,
        fake: Judged,
        real: Judged | None,
        labels: Tensor,
        randomness: Randomness,
        clock: Clock,
    ) -> Terms:
        """What the generator minimises."""

    def update_generator(
        self, labels: Tensor, randomness: Randomness, clock: Clock, images: Tensor | None = None
    ) -> Metrics:
        """Update the generator."""


class Update(ABC):
    """How one step updates both networks."""

    name: ClassVar[str] = ""
    """What a plug-in's is called in a job file; gandist's own are called as their files."""
    joint: ClassVar[bool] = True
    """Whether real and generated images meet in one update of the discriminator."""
    several: ClassVar[bool] = True
    """Whether a step may have more than one update of the discriminator."""
    halves: ClassVar[bool] = False
    """Whether the discriminator is updated on half of a batch."""

    @abstractmethod
    def step(self, gan: Networks, batch: Batch, randomness: Randomness, clock: Clock) -> Metrics:
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
