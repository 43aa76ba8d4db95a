"""Sections that were written otherwise: what a trial was trained with is read, a job file is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gandist.spec.job import JobSpec, expand
from gandist.spec.renamed import advice, migrated
from gandist.spec.trial import TrialSpec
from tests.spec.mistakes import refused

JOB: dict[str, Any] = {
    "name": "a-job",
    "data": {"name": "digits"},
    "model": {"name": "dcgan"},
    "training": {"epochs": 1},
}
FORMER: list[tuple[Any, dict[str, Any]]] = [
    (None, {}),
    ({"name": "r1", "gamma": 0.5, "every": 2}, {"regularizers": {"r1": {"gamma": 0.5, "every": 2}}}),
    (
        {"name": "gradient_penalty", "weight": 10.0},
        {"regularizers": {"gradient_penalty": {"weight": 10.0}}},
    ),
    (
        {"name": "weight_clipping", "limit": 0.05},
        {"constraints": {"weight_clipping": {"limit": 0.05}}},
    ),
]


def trial(**sections: Any) -> TrialSpec:
    return expand(JobSpec.model_validate({**JOB, **sections})).trials[0]


@pytest.mark.parametrize(("penalty", "today"), FORMER)
def test_a_trial_that_was_written_with_a_penalty_is_that_of_today(
    penalty: Any, today: dict[str, Any]
) -> None:
    now = trial(**today)
    old = now.model_dump(mode="json")
    del old["regularizers"], old["constraints"]
    assert TrialSpec.model_validate({**old, "penalty": penalty}) == now


def test_a_trial_that_was_evaluated_by_a_metric_s_former_name_is_that_of_today() -> None:
    now = trial(evaluation={"metrics": ["frechet"], "features": "pixels", "samples": 500})
    old = now.model_dump(mode="json")
    old["evaluation"]["metrics"] = ["fd_pixels"]
    del old["evaluation"]["features"]
    assert TrialSpec.model_validate(old) == now
    assert old["evaluation"]["metrics"] == ["fd_pixels"], "what was given is left alone"


@pytest.mark.parametrize("evaluation", [None, "frechet", {"metrics": "frechet"}, {"metrics": [[1]]}])
def test_an_evaluation_that_is_none_stays_as_it_is(evaluation: Any) -> None:
    assert migrated({"evaluation": evaluation}) == {"evaluation": evaluation}


def test_today_s_sections_stay_as_they_are() -> None:
    sections = {"regularizers": {"r2": {}}, "loss": {"name": "hinge"}}
    assert migrated(sections) == sections


def test_what_is_no_penalty_is_none() -> None:
    for penalty in ("r1", [1], {}, {"name": [1]}, {"gamma": 1}):
        assert migrated({"penalty": penalty, "seed": 1}) == {"regularizers": {}, "constraints": {}, "seed": 1}


@pytest.mark.parametrize(
    ("penalty", "today"),
    [
        ({"name": "r1", "gamma": 0.5, "every": 2}, "write regularizers: {r1: {gamma: 0.5, every: 2}}"),
        ({"name": "gradient_penalty"}, "write regularizers: {gradient_penalty: {}}"),
        ({"name": "weight_clipping", "limit": 0.1}, "write constraints: {weight_clipping: {limit: 0.1}}"),
        ({"limit": 0.1}, "write constraints: {weight_clipping: {limit: 0.1}}"),
        ({"weight": 1}, "write regularizers: {gradient_penalty: {weight: 1}}"),
        ({"gamma": None}, "write regularizers: {r1: {gamma: null}}"),
        ("weight_clipping", "write constraints: {weight_clipping: {}}"),
        ({"name": "spam", "gamma": 1}, "write regularizers: {r1: {gamma: 1}}"),
        ([1], "write regularizers: {r1: {}}"),
        (None, "leave it out"),
    ],
)
def test_how_it_is_written_today(penalty: Any, today: str) -> None:
    assert advice(penalty) == f"is no section any more; {today}"


# As in ``test_malformed_jobs.py``.
GONE = [
    (
        "penalty: {name: r1, gamma: 1.0, every: 4}",
        "penalty: is no section any more; write regularizers: {r1: {gamma: 1, every: 4}}",
    ),
    ("penalty: {name: r1}", "penalty: is no section any more; write regularizers: {r1: {}}"),
    (
        "penalty: {name: gradient_penalty, weight: 10}",
        "penalty: is no section any more; write regularizers: {gradient_penalty: {weight: 10}}",
    ),
    (
        "penalty: {name: weight_clipping, limit: 0.05}",
        "penalty: is no section any more; write constraints: {weight_clipping: {limit: 0.05}}",
    ),
    ("penalty:", "penalty: is no section any more; leave it out"),
    ("penalty: r1", "penalty: is no section any more; write regularizers: {r1: {}}"),
    (
        "configs: {a: {}, b: {penalty: {name: r1, gamma: 1}}}",
        "configs.b.penalty: is no section any more; write regularizers: {r1: {gamma: 1}}",
    ),
    (
        "configs: {b: {penalty.limit: 0.1, penalty.name: weight_clipping}}",
        "configs.b.penalty: is no section any more; write constraints: {weight_clipping: {limit: 0.1}}",
    ),
    ("configs: {b: {penalty: null}}", "configs.b.penalty: is no section any more; leave it out"),
    (
        "sweep: {penalty.gamma: [1, 10]}",
        "sweep.penalty.gamma: is no section any more; write regularizers: {r1: {gamma: 1}}",
    ),
    (
        "sweep: {penalty: {weight: [1, 10]}}",
        "sweep.penalty.weight: is no section any more; write regularizers: {gradient_penalty: {weight: 1}}",
    ),
    (
        "sweep: {penalty: [null, {name: r1, gamma: 1}]}",
        "sweep.penalty: is no section any more; write regularizers: {r1: {gamma: 1}}",
    ),
]


@pytest.mark.parametrize(("lines", "expected"), GONE)
def test_a_job_file_of_an_earlier_version_is_told_what_to_write_now(
    tmp_path: Path, lines: str, expected: str
) -> None:
    assert expected in refused(tmp_path, lines)
