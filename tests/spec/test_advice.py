"""Settings that are known to fail are told, and those that people use with success are not."""

from __future__ import annotations

from typing import Any

import pytest

from gandist.models import dcgan
from gandist.spec.advice import advice
from gandist.spec.job import JobSpec, expand

JOB: dict[str, Any] = {
    "name": "a-job",
    "data": {"name": "digits", "batch_size": 64},
    "model": {"name": "dcgan"},
    "training": {"steps": 1000},
}
RELATIVISTIC = {"loss": {"name": "relativistic"}}


def told(factor: float | None = None, **fields: Any) -> list[str]:
    """``factor`` is that of the rule for R1's gamma, on 28x28 images."""
    (trial,) = expand(JobSpec.model_validate({**JOB, **fields})).trials
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dcgan.Options, "r1_gamma_factor", factor)
        return list(advice(trial, (28, 28, 1), 640))


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        (
            {**RELATIVISTIC, "regularizers": {"r1": {}}},
            "regularizers: relativistic need not converge without r2; give it a gamma",
        ),
        (
            {**RELATIVISTIC, "regularizers": {"r1": {"every": 16}, "r2": {}}},
            "regularizers.r1.every: 16 is not often enough for relativistic, which is known to diverge "
            "between; give 1",
        ),
        (
            {"loss": {"name": "least_squares"}, "augmentation": {"name": "ada"}},
            "augmentation: ada follows the sign of D(real), which decides nothing under loss least_squares; "
            "give augmentation.probability, or name: diff_augment",
        ),
        (
            {"training": {"steps": 1000, "generator_ema": 0.9999}},
            "training.generator_ema: 0.9999 over 1,000 steps leaves 90% of the average to the weights before "
            "training; give a smaller decay, or generator_ema_warmup: 0.05",
        ),
    ],
    ids=["no R2", "lazy R1", "signs", "a long average"],
)
def test_what_is_known_to_fail_is_told(fields: dict[str, Any], line: str) -> None:
    assert told(**fields) == [line]


@pytest.mark.parametrize(
    "gamma", [0.025, {"linear": [0.0024, 0.00024], "kimg": 1}], ids=["a number", "the end of a schedule"]
)
def test_r1_far_from_the_rule_of_an_architecture_is_told(gamma: Any) -> None:
    far = gamma if isinstance(gamma, float) else 0.00024
    assert told(0.0002, regularizers={"r1": {"gamma": gamma}}) == [
        f"regularizers.r1.gamma: {far:g} is far from 0.0024, the rule of thumb for long trainings of dcgan: "
        "0.0002 * height * width / batch_size"
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {**RELATIVISTIC, "regularizers": {"r1": {}, "r2": {}}},
        {"regularizers": {"r1": {"every": 16}}},
        {"augmentation": {"name": "ada"}},
        {"loss": {"name": "least_squares"}, "augmentation": {"name": "ada", "probability": 0.3}},
        {"training": {"steps": 1000, "generator_ema": 0.99}},
        {"training": {"steps": 1000, "generator_ema": 0.9999, "generator_ema_warmup": 0.05}},
    ],
)
def test_what_works_is_not(fields: dict[str, Any]) -> None:
    assert told(**fields) == []


def test_r1_is_compared_only_where_there_is_a_rule() -> None:
    assert told(0.0002, regularizers={"r1": {"gamma": 0.005}}) == []
    assert told(None, regularizers={"r1": {"gamma": 100.0}}) == []
