"""Evaluations of a trial: when, against what, and the same after any interruption."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gandist import data
from gandist.artifacts.job_dir import TrialDir
from gandist.sampling.sampler import Sampler
from gandist.spec.sections import Evaluation
from gandist.training.evaluation import Evaluator
from tests.training.conftest import tiny_trial
from tests.training.trials import SMALL, losses, train

pytestmark = pytest.mark.usefixtures("compiled_once")

EVALUATED = {**SMALL, "evaluation": {"every_steps": 3, "samples": 100}}


def rows(directory: TrialDir) -> list[dict[str, Any]]:
    return [{k: v for k, v in row.items() if k != "wall_time"} for row in directory.read_metrics()]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, compiled_once: None) -> TrialDir:
    return train(tiny_trial(**{**EVALUATED, "training": {"steps": 7}}), tmp_path_factory.mktemp("whole"))


def test_it_is_due_at_its_cadence_and_at_the_end(whole: TrialDir) -> None:
    found = rows(whole)
    assert [(row["step"], row["metric"]) for row in found] == [(step, "fd_pixels") for step in (3, 6, 7)]
    assert all(row["value"] > 0 and row["lower_is_better"] for row in found)
    assert found[0]["trial"] == whole.id
    assert found[0]["kimg"] == pytest.approx(0.024)


def test_the_protocol_says_what_was_compared(whole: TrialDir) -> None:
    (protocol,) = {row["protocol"] for row in rows(whole)}
    assert protocol == (
        "32 whitened principal components of the real pixels; 100 generated images against 100 training ones"
    )


@pytest.mark.parametrize("kill_after", [2, 5])
def test_a_killed_trial_ends_with_the_same_rows(tmp_path: Path, whole: TrialDir, kill_after: int) -> None:
    trial = tiny_trial(**{**EVALUATED, "training": {"steps": 7}})
    train(trial, tmp_path, kill_after=kill_after)
    resumed = train(trial, tmp_path)
    assert rows(resumed) == rows(whole)


def test_a_trial_that_was_evaluated_by_a_metric_s_former_name_goes_on_with_one_series(
    tmp_path: Path, whole: TrialDir
) -> None:
    trial = tiny_trial(**{**EVALUATED, "training": {"steps": 7}})
    directory = train(trial, tmp_path, kill_after=5)
    directory.write_metrics([{**row, "metric": "frechet"} for row in directory.read_metrics()])
    before = directory.parse_trial()
    directory.write_trial({**before, "evaluation": {**before["evaluation"], "metrics": ["frechet"]}})
    assert b"frechet" in directory.storage.read(TrialDir.METRICS)
    assert rows(train(trial, tmp_path)) == rows(whole)
    assert b"frechet" not in directory.storage.read(TrialDir.METRICS)


def test_training_does_not_notice_it(tmp_path: Path, whole: TrialDir) -> None:
    plain = train(tiny_trial(**{**SMALL, "training": {"steps": 7}}), tmp_path)
    assert losses(plain).equals(losses(whole))
    assert rows(plain) == []


def test_a_torn_table_is_written_anew(tmp_path: Path) -> None:
    trial = tiny_trial(**EVALUATED)
    directory = train(trial, tmp_path, stop_after=4)
    directory.storage.write(TrialDir.METRICS, b"PAR1 torn")
    assert [row["step"] for row in rows(train(trial, tmp_path))] == [6]


def test_held_out_images_are_preferred() -> None:
    trial = tiny_trial()
    whole = data.load(trial.data, None)
    split = dataclasses.replace(whole, images=whole.images[:1500], held_out=whole.images[1500:])
    sampler = Sampler(trial, whole.image_shape)
    (row,) = Evaluator(Evaluation(samples=250), split).evaluate(sampler)
    assert row["protocol"].endswith("250 generated images against 250 held-out ones")
    (row,) = Evaluator(Evaluation(samples=400), split).evaluate(sampler)
    assert row["protocol"].endswith("400 generated images against 297 held-out ones")


def test_every_seed_is_compared_with_the_same_images(monkeypatch: pytest.MonkeyPatch) -> None:
    from gandist import metrics

    seen: list[np.ndarray] = []
    prepare = metrics.prepare
    monkeypatch.setattr(metrics, "prepare", lambda name, real: seen.append(real) or prepare(name, real))
    for seed in (0, 1):
        trial = tiny_trial(seed)
        whole = data.load(trial.data, None)
        Evaluator(Evaluation(samples=100), whole).evaluate(Sampler(trial, whole.image_shape))
    np.testing.assert_array_equal(*seen)
