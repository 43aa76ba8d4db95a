"""Rates that change while a trial trains: a number in a job file, or a schedule of one.

``optimizer.learning_rate: {cosine: [2.0e-4, 5.0e-5], kimg: 2000}``. A schedule is a pure function of the
step, so that a resumed trial has the rates of one that was never interrupted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import (
    AfterValidator,
    Discriminator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    Tag,
    model_validator,
)
from pydantic_core import CoreSchema

from gandist import lazy_tensorflow as tf
from gandist.spec.base import Positive, Section

if TYPE_CHECKING:
    from tensorflow import Tensor

NUMBER, SCHEDULE, HALF_LIFE = "[number]", "[schedule]", "[half-life]"
"""The kinds of a rate, and of a decay, as pydantic's errors name them."""

Ends = Annotated[tuple[float, float], Field(strict=False)]


@dataclass(frozen=True)
class Clock:
    """When an update takes place.

    Attributes:
        step: generator updates done before it, int64 scalar.
        images_per_step: real images that the discriminator sees in a step.
    """

    step: Tensor
    images_per_step: int

    def kimg(self) -> Tensor:
        """Thousand real images shown before the step, float32 scalar."""
        return tf.cast(self.step, tf.float32) * (self.images_per_step / 1000)


class Schedule(Section):
    """From a first value to a last one, over a length; the last one from then on."""

    linear: Ends | None = Field(None, description="first and last value, evenly between")
    cosine: Ends | None = Field(
        None, description="first and last value, along half a cosine (Loshchilov & Hutter 2017, equation 5)"
    )
    kimg: Annotated[float, Field(gt=0)] | None = Field(None, description="its length in thousand real images")
    steps: Positive | None = Field(None, description="its length in generator updates")

    @model_validator(mode="after")
    def _one_of_each(self) -> Schedule:
        for names in (("linear", "cosine"), ("kimg", "steps")):
            if sum(getattr(self, name) is not None for name in names) != 1:
                raise ValueError(f"a schedule has exactly one of {' and '.join(names)}")
        return self

    @property
    def ends(self) -> tuple[float, float]:
        """The first and the last value."""
        ends = self.linear or self.cosine
        assert ends is not None  # noqa: S101 - validated
        return ends

    def at(self, clock: Clock) -> Tensor:
        """The value at a step, float32 scalar."""
        done, length = (
            (tf.cast(clock.step, tf.float32), float(self.steps))
            if self.steps is not None
            else (clock.kimg(), float(self.kimg or 0))
        )
        progress = tf.minimum(done / length, 1.0)
        if self.cosine is not None:
            progress = 0.5 - 0.5 * tf.cos(math.pi * progress)
        first, last = self.ends
        return first + (last - first) * progress


Rate = float | Schedule


def value(rate: Rate | HalfLife, clock: Clock) -> Any:
    """What ``rate`` is at a step: a constant as it stands, else a float32 scalar tensor."""
    return rate.at(clock) if isinstance(rate, Schedule | HalfLife) else rate


def _kind(given: Any) -> str:
    return SCHEDULE if isinstance(given, dict | Schedule) else NUMBER


def _kind_of_decay(given: Any) -> str:
    begins = isinstance(given, dict) and any(str(key).startswith("half") for key in given)
    return HALF_LIFE if begins or isinstance(given, HalfLife) else _kind(given)


@dataclass(frozen=True)
class Within:
    """Metadata of a ``Rate``'s type: the bounds of its values, as in ``Field``."""

    gt: float = -math.inf
    ge: float = -math.inf
    lt: float = math.inf

    def __get_pydantic_core_schema__(self, _: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return handler.generate_schema(self._type())

    def _type(self) -> Any:
        return Annotated[self._rate(), Discriminator(_kind)]

    def _rate(self) -> Any:
        bounds = {name: bound for name, bound in vars(self).items() if math.isfinite(bound)}
        number = Annotated[float, Field(**bounds), Tag(NUMBER)]
        return number | Annotated[Schedule, AfterValidator(self._checked), Tag(SCHEDULE)]

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"anyOf" if key == "oneOf" else key: part for key, part in handler(schema).items()}

    def _checked(self, schedule: Schedule) -> Schedule:
        for end in schedule.ends:
            if not (end > self.gt and end >= self.ge and end < self.lt):
                signs = {"gt": ">", "ge": ">=", "lt": "<"}
                words = [
                    f"{signs[name]} {bound:g}" for name, bound in vars(self).items() if math.isfinite(bound)
                ]
                raise ValueError(
                    f"{end:g} is out of range; a schedule's values are numbers {' and '.join(words)}"
                )
        return schedule


class HalfLife(Section):
    """A decay per step, by how many real images it takes to forget half."""

    half_life_kimg: Annotated[Rate, Within(ge=0)] = Field(
        description="thousand real images after which a half is left; 0: nothing is, from step to step"
    )

    def at(self, clock: Clock) -> Tensor:
        """The decay of a step, float32 scalar (in the code of Karras et al. 2020)."""
        half_life = tf.maximum(value(self.half_life_kimg, clock), 1e-8)
        return tf.pow(0.5, clock.images_per_step / 1000 / half_life)


Decay = Rate | HalfLife


class WithinOrHalfLife(Within):
    """Metadata of a ``Decay``'s type: the bounds of its values where they are given per step."""

    def _type(self) -> Any:
        kinds = self._rate() | Annotated[HalfLife, Tag(HALF_LIFE)]
        return Annotated[kinds, Discriminator(_kind_of_decay)]
