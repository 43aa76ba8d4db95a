"""The pruning section of a job file: which configurations are worth training on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, field_validator

from gandist.metrics import MetricName
from gandist.spec.base import Section
from gandist.spec.sections import Evaluation


class Pruning(Section):
    """Successive halving of configurations (Jamieson & Talwalkar 2016), each judged by all of its seeds.

    Trials wait at a rung for each other. Then the configurations are ranked by the median over their seeds,
    where one that has failed counts as the worst, and the best ones go on.
    """

    name: Literal["halving"] = "halving"
    metric: MetricName = Field("frechet", description="one of evaluation.metrics, or evaluation.select")
    rungs_kimg: Annotated[
        tuple[Annotated[float, Field(gt=0)], ...], Field(strict=False, min_length=1, max_length=20)
    ] = Field(description="where trials wait for each other, increasing; thousand real images")
    keep: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.5, description="share of the configurations that go on after a rung, rounded up"
    )

    @field_validator("rungs_kimg")
    @classmethod
    def _increasing(cls, rungs: tuple[float, ...]) -> tuple[float, ...]:
        if any(one >= other for one, other in pairwise(rungs)):
            raise ValueError("the rungs must increase; give each once, the smallest one first")
        return rungs

    def problems(self, evaluations: Mapping[str, Evaluation | None]) -> Iterator[str]:
        """Why configurations with these evaluation sections cannot be compared by it."""
        first, *_ = evaluations.items()
        for config, evaluation in evaluations.items():
            if evaluation is None or self.metric not in (*evaluation.metrics, evaluation.select):
                measured = ", ".join(evaluation.metrics) if evaluation else "none"
                yield (
                    f"pruning.metric: {self.metric} is not measured: evaluation.metrics of {config}: "
                    f"{measured}; name one of them, or add it there"
                )
            elif evaluation != first[1]:
                yield (
                    f"pruning: {first[0]} and {config} have two evaluation sections, whose values are not "
                    "comparable; give all configurations the same"
                )
