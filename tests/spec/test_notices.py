"""What is allowed and probably not meant is told, once, and never what is as it should be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gandist.data import Dataset
from gandist.spec.job import JobSpec, expand
from gandist.spec.notices import notices

JOB: dict[str, Any] = {
    "name": "a-job",
    "data": {"name": "digits", "batch_size": 64},
    "model": {"name": "dcgan"},
    "training": {"epochs": 10},
}


def told(images: int | None = None, **fields: Any) -> list[str]:
    job = expand(JobSpec.model_validate({**JOB, **fields}))
    found = {} if images is None else {trial.data: range(images) for trial in job.trials}
    return notices(job, job.trials, found)


EPOCHS, STEPS, KIMG = {"epochs": 10}, {"steps": 100}, {"kimg": 6.4}
ENDS = "beyond the end of training.epochs: 10"
LAST = ": only the last step counts"
TOLD: list[tuple[dict[str, Any], int | None, str]] = [
    ({"seeds": 3}, None, "seeds: one seed, number 3; for 3 seeds write 0..2"),
    ({"samples": {"every_epochs": 11}}, None, f"samples.every_epochs: 11 is {ENDS}{LAST}"),
    ({"samples": {"at_epochs": [1, 12]}}, None, f"samples.at_epochs: 12 is {ENDS}"),
    ({"checkpoint": {"every_epochs": 50}}, None, f"checkpoint.every_epochs: 50 is {ENDS}{LAST}"),
    ({"evaluation": {"every_epochs": 50}}, None, f"evaluation.every_epochs: 50 is {ENDS}{LAST}"),
    ({"samples": {"every_steps": 101}}, 640, f"samples.every_steps: 101 is {ENDS}{LAST}"),
    (
        {"training": STEPS, "samples": {"every_steps": 101}},
        None,
        f"samples.every_steps: 101 is beyond the end of training.steps: 100{LAST}",
    ),
    (
        {"training": STEPS, "checkpoint": {"every_epochs": 11}},
        640,
        f"checkpoint.every_epochs: 11 is beyond the end of training.steps: 100{LAST}",
    ),
    (
        {"training": KIMG, "evaluation": {"every_steps": 101}},
        640,
        f"evaluation.every_steps: 101 is beyond the end of training.kimg: 6.4{LAST}",
    ),
    ({"checkpoint": {"every_kimg": 6.5}}, 640, f"checkpoint.every_kimg: 6.5 is {ENDS}{LAST}"),
    (
        {"training": KIMG, "evaluation": {"every_kimg": 7}},
        None,
        f"evaluation.every_kimg: 7.0 is beyond the end of training.kimg: 6.4{LAST}",
    ),
    (
        {"training": {**STEPS, "early_stopping": {"g_loss_above": 9.0, "window": 101}}},
        None,
        "training.early_stopping.window: 101 steps is beyond the end of training.steps: 100: it never "
        "applies",
    ),
    (
        {"evaluation": {"features": "pixels", "metrics": ["frechet", "modes"]}},
        None,
        "evaluation.metrics: modes gives no values without features of a classifier",
    ),
    (
        {"evaluation": {"features": "pixels", "select": "conditional_accuracy"}},
        None,
        "evaluation.select: conditional_accuracy gives no values without features of a classifier and "
        "model.conditional: true",
    ),
    (
        {"evaluation": {"metrics": ["discriminator_gap"]}, "model": {"name": "dcgan", "conditional": True}},
        None,
        "evaluation.metrics: discriminator_gap gives no values without model.conditional: false",
    ),
    (
        {"model": {"name": "dcgan", "embedding_dim": 20}},
        None,
        "model.embedding_dim has no effect without conditional: true",
    ),
    (
        {"model": {"name": "dcgan", "conditional": True, "classifier_weight": 0.5}},
        None,
        "model.classifier_weight has no effect without class_conditioning: auxiliary_classifier",
    ),
    (
        {"augmentation": {"name": "ada", "probability": 0.2, "kimg": 100}},
        None,
        "augmentation.kimg has no effect beside probability",
    ),
    ({}, 60, "data.batch_size: 64 is more than the 60 images: a step sees some of them twice"),
]


@pytest.mark.parametrize(("fields", "images", "line"), TOLD, ids=[line for _, _, line in TOLD])
def test_it_is_told_in_a_line(fields: dict[str, Any], images: int | None, line: str) -> None:
    assert told(images, **fields) == [line]


@pytest.mark.parametrize(
    "fields",
    [
        {"seeds": [0, 3]},
        {"seeds": 0},
        {"seeds": 20_240_101},
        {"samples": {"every_epochs": 10}},
        {"samples": {"at_epochs": [1, 10]}},
        {"samples": {"every_steps": 100}},
        {"training": STEPS, "samples": {"every_epochs": 10}},
        {"training": KIMG, "samples": {"every_steps": 100}},
        {"training": KIMG, "samples": {"every_kimg": 6.4}},
        {"checkpoint": {"every_minutes": 600.0}},
        {"data": {"name": "digits", "batch_size": 640}, "samples": {"every_epochs": 3}},
        {"evaluation": {"metrics": ["modes", "memorization", "discriminator_gap"]}},
        {"evaluation": {"metrics": ["modes"], "features": {"name": "file", "path": "own.keras"}}},
    ],
)
@pytest.mark.parametrize("images", [640, None])
def test_nothing_is_told_of_what_is_as_it_should_be(fields: dict[str, Any], images: int | None) -> None:
    assert told(images, **fields) == []


def test_what_is_so_in_some_configurations_is_told_with_the_first() -> None:
    sweep = {"data.batch_size": [32, 64, 128]}
    assert told(60, sweep=sweep) == [
        "batch_size=64: data.batch_size: 64 is more than the 60 images: a step sees some of them twice",
        "batch_size=128: data.batch_size: 128 is more than the 60 images: a step sees some of them twice",
    ]
    widths = {"model.width": [2, 4], "samples.every_epochs": [1, 20]}
    [line] = told(sweep=widths)
    assert line.startswith("width=2,every_epochs=20 and 1 more: samples.every_epochs: 20 is beyond")


def test_metrics_that_need_held_out_images_are_named_where_the_data_has_none() -> None:
    evaluation = {"metrics": ["frechet", "memorization", "discriminator_gap"]}
    job = expand(JobSpec.model_validate({**JOB, "evaluation": evaluation}))
    images, labels = np.zeros((100, 8, 8, 1), np.uint8), np.zeros(100, np.int32)
    some = Dataset(images, labels)
    assert notices(job, job.trials, {job.trials[0].data: some}) == [
        f"evaluation.metrics: {name} gives no values without data with held-out images"
        for name in ("memorization", "discriminator_gap")
    ]
    held_out = Dataset(images, labels, held_out=images)
    assert notices(job, job.trials, {job.trials[0].data: held_out}) == []
