"""What a job will compute, counted by hand; and that steps are tried where somebody asks for it."""

from __future__ import annotations

from typing import Any

import pytest

from gandist.data import Dataset
from gandist.spec.job import Job, JobSpec, expand
from gandist.training.forecast import forecasts
from tests.training.conftest import TINY

BATCH, PIXELS = 64, 28 * 28


def job(**fields: Any) -> Job:
    return expand(JobSpec.model_validate({**TINY, "seeds": [0, 1], **fields}))


def test_the_products_of_a_step_are_those_of_its_passes(dataset: Dataset) -> None:
    widths = {"model.discriminator_widths": [[8], [108]]}
    tiny = job(data={"name": "digits", "batch_size": BATCH}, sweep=widths)
    narrow, wide = forecasts(tiny, {tiny.trials[0].data: dataset})
    assert (narrow.seeds, narrow.steps, narrow.images, narrow.seconds) == (2, 6, 6 * BATCH, 0.0)
    assert narrow.figures["discriminator_parameters"] == (PIXELS + 1) * 8 + 8 + 1
    # Of D: both kinds of images forward, by its weights, and of the generated ones by the images.
    products = 5 * BATCH * PIXELS * 100
    added = wide.figures["gflop_per_step"] - narrow.figures["gflop_per_step"]
    assert added * 1e9 == pytest.approx(2 * products, rel=0.05)


def test_steps_are_tried_once_for_what_computes_the_same(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[int] = []
    figures = {"ms_per_step": 500.0}

    def bench(trial: object, dataset: object, steps: int) -> dict[str, float]:
        tried.append(steps)
        return figures

    monkeypatch.setattr("gandist.training.forecast.bench", bench)
    swept = job(sweep={"optimizer.learning_rate": [1e-3, 2e-3], "data.batch_size": [8, 16]})
    found = list(forecasts(swept, {trial.data: dataset for trial in swept.trials}, tried=5))
    assert tried == [5, 5]
    assert [forecast.seconds for forecast in found] == [3.0] * 4
