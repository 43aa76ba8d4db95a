"""Expansion of a job into trials, and what identifies a trial."""

from __future__ import annotations

import itertools
import re
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gandist.errors import SpecError
from gandist.spec.job import JobSpec, expand
from gandist.spec.overrides import BUDGETS, leaves
from gandist.spec.trial import TrialSpec
from gandist.spec.yaml import dump, parse

TRAINING = {"update": "alternating", "generator_ema": 0.9, "early_stopping": {"d_loss_below": 0.1}}
JOB: dict[str, Any] = {
    "name": "a-job",
    "data": {"name": "digits", "batch_size": 64},
    "model": {"name": "dcgan", "width": 8},
    "regularizers": {"r1": {}, "path_length": {}},
    "constraints": {"weight_clipping": {}},
    "augmentation": {"name": "ada"},
    "training": {**TRAINING, "epochs": 1},
}

NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._=+-]{0,20}", fullmatch=True)
GRID = {
    "model.width": st.integers(1, 1024),
    "model.dropout": st.floats(0, 0.99).map(lambda x: round(x, 4)),
    "optimizer.learning_rate": st.sampled_from([1e-5, 2e-4, 3e-4, 1e-3]),
    "loss.combine": st.sampled_from(["sum", "mean"]),
    "training.steps": st.integers(1, 10**9),
    "regularizers.r2": st.sampled_from([None, {"gamma": 0.1, "every": 1}]),
    "regularizers.r1.gamma": st.sampled_from([0.1, 10.0]),
    "training.generator_ema": st.sampled_from([None, 0.99, {"linear": [0.5, 0.9], "steps": 9}]),
}


@st.composite
def jobs(draw: st.DrawFn) -> JobSpec:
    paths = draw(st.lists(st.sampled_from(sorted(GRID)), unique=True, max_size=3))
    sweep = {path: draw(st.lists(GRID[path], min_size=1, max_size=3, unique_by=repr)) for path in paths}
    names = draw(st.lists(NAMES, unique=True, max_size=3))
    configs = {name: {"model.latent_dim": draw(st.integers(1, 200))} for name in names}
    seeds = draw(st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=4, unique=True))
    return JobSpec.model_validate({**JOB, "sweep": sweep, "configs": configs, "seeds": seeds})


@settings(max_examples=40, deadline=None)
@given(jobs())
def test_expansion(job: JobSpec) -> None:
    trials = expand(job).trials
    points = list(itertools.product(*job.sweep.values()))
    assert len(trials) == max(1, len(job.configs)) * len(points) * len(job.seeds)
    assert len({trial.id for trial in trials}) == len(trials)
    assert all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._=,+-]*-seed\d+", trial.id) for trial in trials)
    assert max(len(trial.id) for trial in trials) < 200  # file systems end at 255
    assert [trial.seed for trial in trials] == list(job.seeds) * (len(trials) // len(job.seeds))
    latents = [config["model.latent_dim"] for config in job.configs.values()] or [100]
    expected = [latent for latent in latents for _ in range(len(points) * len(job.seeds))]
    assert [trial.model.latent_dim for trial in trials] == expected
    dumped = trials[-1].model_dump(mode="json")
    assert [written(dumped, path) for path in job.sweep] == list(points[-1])


def written(dumped: dict[str, Any], path: str) -> Any:
    """What stands at ``path``, without what a section leaves out."""
    value: Any = dumped
    for name in path.split("."):
        value = value[name]
    return {key: of for key, of in value.items() if of is not None} if isinstance(value, dict) else value


@settings(max_examples=20, deadline=None)
@given(jobs())
def test_a_dumped_job_expands_to_the_same_trials(job: JobSpec) -> None:
    dumped = job.model_dump(mode="json")
    for read in (parse, yaml.safe_load):
        again = JobSpec.model_validate(read(dump(dumped)))
        assert expand(again) == expand(job)


@settings(max_examples=20, deadline=None)
@example(JobSpec.model_validate({**JOB, "configs": {"0E0": {}}}))  # a number, were it not in quotes
@given(jobs())
def test_a_dumped_trial_is_the_same_trial(job: JobSpec) -> None:
    trial = expand(job).trials[-1]
    again = TrialSpec.model_validate(parse(dump(trial.model_dump(mode="json"))))
    assert again == trial
    assert again.identity() == trial.identity()


def trial(**changes: Any) -> TrialSpec:
    (only,) = expand(JobSpec.model_validate({**JOB, **changes})).trials
    return only


@pytest.mark.parametrize(
    "changes",
    [
        {"training": {**TRAINING, "epochs": 9}},
        {"training": {**TRAINING, "steps": 9}},
        {"training": {**TRAINING, "kimg": 9.5}},
        {"training": {**TRAINING, "epochs": 9, "discriminator_won": {"margin": 0.1}}},
        {"samples": {"every_steps": 3, "rows": 2, "columns": 8}},
        {"evaluation": {"every_steps": 3, "samples": 500}},
        {"checkpoint": {"every_epochs": 3, "keep": 9}},
        {"resources": {"gpus": 2, "cpus": 8, "replicas": 2}},
        {"schedule": {"max_concurrent": 1, "max_failures": 0}},
        {"description": "words"},
    ],
)
def test_a_continuation_may_change_budget_cadence_and_resources(changes: dict[str, Any]) -> None:
    assert trial(**changes).identity() == trial().identity()


def hyper_parameters() -> list[str]:
    """Every leaf of a trial that shapes the numbers of a step, whatever fields the sections have."""
    dumped = trial().model_dump(mode="json")
    free = {"samples", "checkpoint", "resources", "evaluation"}
    fixed = {key: value for key, value in dumped.items() if key not in free}
    return [
        path
        for path, _ in leaves(fixed)
        if path.rsplit(".", 1)[-1] != "name"
        and path not in {f"training.{budget}" for budget in BUDGETS}
        and not path.startswith("training.discriminator_won.")
    ]


NEEDED = {
    "model.class_conditioning": {"model": {**JOB["model"], "conditional": True}},
    "optimizer.lazy_correction": {"regularizers": {"r1": {"every": 2}}},
}
"""What a job has to have for another value of a path."""


@pytest.mark.parametrize("path", hyper_parameters())
def test_every_hyper_parameter_is_part_of_the_identity(path: str) -> None:
    before = trial(**NEEDED.get(path, {}))
    values = before.model_dump(mode="json")
    *sections, field = path.split(".")
    section = values
    for name in sections:
        section = section[name]
    old = section[field]
    candidates: list[Any] = [not old] if isinstance(old, bool) else [0.51, 0.25, 3, 2, 7, True, "other"]
    candidates += ["sum", "mean", "simultaneous", "alternating", "synchronized", "per_replica", "nearest"]
    candidates += ["mixed_bfloat16", "auxiliary_classifier", ["flip"], {}]
    for value in candidates:
        section[field] = value
        try:
            changed = TrialSpec.model_validate(values)
        except ValueError:
            continue
        if changed != before:
            assert changed.identity() != before.identity()
            return
    pytest.fail(f"no other value of {path} is known to this test: add one")


def test_another_variant_is_another_identity() -> None:
    assert trial(data={"name": "mnist", "batch_size": 64}).identity() != trial().identity()
    for section in ("regularizers", "constraints"):
        assert trial(**{section: {}}).identity() != trial().identity()
    assert trial(augmentation=None).identity() != trial().identity()
    assert trial(regularizers={"r1": {}, "path_length": {}, "r2": {}}).identity() != trial().identity()


def test_a_variant_that_is_not_used_is_null_whether_or_not_it_is_written() -> None:
    written = trial(regularizers={"r1": {}, "path_length": {}, "r2": None})
    assert written == trial()
    assert written.identity() == trial().identity()


def test_a_schedule_is_part_of_the_identity() -> None:
    def of(**schedule: Any) -> str:
        return trial(optimizer={"learning_rate": schedule}).identity()

    falling = of(linear=[2e-4, 1e-4], steps=5)
    assert falling == of(linear=(2e-4, 1e-4), steps=5)
    others = [
        of(linear=[2e-4, 1e-5], steps=5),
        of(cosine=[2e-4, 1e-4], steps=5),
        of(linear=[2e-4, 1e-4], steps=6),
        of(linear=[2e-4, 1e-4], kimg=5),
        trial(optimizer={"learning_rate": 2e-4}).identity(),
    ]
    assert len({falling, *others}) == 6


def test_the_seed_is_part_of_the_identity() -> None:
    assert trial(seeds=1).identity() != trial(seeds=2).identity()


def test_too_many_trials_are_counted_before_any_is_made() -> None:
    sweep = {f"model.x{i}": list(range(100)) for i in range(20)}
    with pytest.raises(SpecError, match="at most 10000 are allowed"):
        expand(JobSpec.model_validate({**JOB, "sweep": sweep}))


def test_the_largest_job() -> None:
    assert len(expand(JobSpec.model_validate({**JOB, "seeds": "0..9999"})).trials) == 10_000


@pytest.mark.parametrize("gpus", [0, 1, 2, 0.5, 0.25, 1 / 3, 0.3333333, 0.01])
def test_gpus_that_ray_can_place(gpus: float) -> None:
    assert trial(resources={"gpus": gpus}).resources.gpus == gpus


def test_a_gradient_per_sample_needs_a_discriminator_without_batch_norm(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(type(trial().model), "discriminator_has_batch_norm", True)
    with pytest.raises(SpecError, match=r"^regularizers: r1 is a gradient per sample: it needs a "):
        trial()
    assert trial(regularizers={"path_length": {}})  # the generator's


@pytest.mark.parametrize(
    ("checkpoint", "kept"),
    [
        ({}, 1),
        ({"keep": 1}, 1),
        ({"keep": 9}, 9),
        ({"keep_finished": 2}, 2),
        ({"keep": 9, "keep_finished": 3}, 3),
    ],
)
def test_a_finished_trial_needs_no_spare_checkpoint(checkpoint: dict[str, int], kept: int) -> None:
    assert trial(checkpoint=checkpoint).checkpoint.kept_of_finished == kept
