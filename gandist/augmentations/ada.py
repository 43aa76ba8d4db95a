"""Adaptive discriminator augmentation (Karras et al. 2020a, "Training GANs with limited data").

With probability p each, an image is changed in brightness, shifted, and loses a square, or whatever else
``changes`` names: changes of Zhao et al. 2020 ("DiffAugment"), which suit small images; the authors have 18
of their own. p grows where the discriminator is sure of the real images, r_t = E[sign(D(x))] (equation 1),
and shrinks where it is not (section 2.3): in each update, where the authors' code takes the mean of four.
While p is below about 0.8 the changes do not leak into generated images (section 2.2): it is held there,
where the authors' code has no upper bound.

Where a ``probability`` is given, p is that: for losses under which the sign of D(x) means nothing, as the
relativistic one of Huang et al. 2024, who let it rise along a cosine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator

from gandist import lazy_tensorflow as tf
from gandist.augmentations._base import Augmentation
from gandist.augmentations._changes import CHANGES, distinct
from gandist.spec.schedules import Clock, Rate, Schedule, Within, value

if TYPE_CHECKING:
    from tensorflow import Tensor

    from gandist.randomness import Randomness

    ChangeName = str
else:
    ChangeName = Literal[tuple(CHANGES)]

MOST = 0.8


class Options(Augmentation):
    """The augmentation section of a job file."""

    state: ClassVar[Mapping[str, float]] = {"ada_p": 0.0}

    name: Literal["ada"] = "ada"
    target: Annotated[Rate, Within(ge=-1, lt=1)] = Field(0.6, description="of E[sign(D(x))] on real images")
    kimg: Annotated[float, Field(gt=0)] = Field(
        500.0, description="thousand real images in which the probability can go from 0 to 1"
    )
    probability: Annotated[Rate, Within(ge=0, lt=1)] | None = Field(
        None, description="of each change, from the second update on; unless given, it follows the signs"
    )
    changes: Annotated[tuple[ChangeName, ...], Field(strict=False)] = Field(
        ("brightness", "translation", "cutout"), description="one after the other, each with the probability"
    )

    @property
    def strongest(self) -> Mapping[str, float]:
        """The largest probability that is given, or can be reached."""
        given = self.probability
        return {
            "ada_p": MOST if given is None else max(given.ends if isinstance(given, Schedule) else (given,))
        }

    @property
    def reads_signs(self) -> bool:
        """Unless the probability is given."""
        return self.probability is None

    def idle(self) -> Iterator[tuple[str, str]]:
        """See ``Section.idle``."""
        if self.probability is not None:
            yield "target", "beside probability"
            yield "kimg", "beside probability"

    @field_validator("changes")
    @classmethod
    def _distinct(cls, changes: tuple[str, ...]) -> tuple[str, ...]:
        return distinct(changes)

    def apply(self, images: Tensor, randomness: Randomness, state: Mapping[str, Any]) -> Tensor:
        """Each change on its own with the probability of the state."""
        draw = randomness.stream("augmentation")
        chosen = tf.cast(
            draw.stream("chosen").uniform(images.shape[0], len(self.changes)) < state["ada_p"], tf.float32
        )
        for at, name in enumerate(self.changes):
            images = CHANGES[name](images, draw, chosen[:, at : at + 1])
        return images

    def figures(self, real_logits: Tensor) -> Mapping[str, Any]:
        """The signs of D(x): r_t is their mean."""
        return {"d_sign_real": tf.sign(real_logits)}

    def advance(
        self, state: Mapping[str, Any], figures: Mapping[str, Any], images: int, clock: Clock
    ) -> Mapping[str, Any]:
        """A step of fixed length towards the target, within [0, 0.8]; or the probability that is given."""
        if self.probability is not None:
            return {"ada_p": tf.cast(value(self.probability, clock), tf.float32)}
        step = tf.sign(figures["d_sign_real"] - value(self.target, clock)) * (images / (1000 * self.kimg))
        return {"ada_p": tf.clip_by_value(state["ada_p"] + step, 0.0, MOST)}
