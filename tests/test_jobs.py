"""The shipped job files: each says what it is, and trains."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from gandist.spec.loading import load_job

JOBS = sorted((Path(__file__).parents[1] / "jobs").glob("*.yaml"))
SMALL = ["data={name: digits, batch_size: 8}", "training.steps=2", "resources={gpus: 0, cpus: 1}"]
NARROW = {
    "dcgan": ["model.width=2", "model.depth=2"],
    "mlp": ["model.generator_widths=[4]", "model.discriminator_widths=[4]"],
    "resnet": ["model.generator_widths=[4,4]", "model.discriminator_widths=[4,4]", "training.n_critic=1"],
    "stylegan2": ["model.latent_dim=4", "model.channel_max=2", "model.mapping_layers=1"],
    "r3gan": ["model.widths=[4,4]", "model.blocks=1", "model.group_size=4"],
}

SLOW = ("faces_stylegan2", "mnist_stylegan2")
"""Whose step takes long to trace, and has nothing that another job's has not."""

every_job = pytest.mark.parametrize("path", JOBS, ids=lambda path: path.stem)


@every_job
def test_a_job_is_named_like_its_file(path: Path) -> None:
    assert load_job(path).spec.name == path.stem


@every_job
def test_a_job_is_headed_by_what_a_reader_wants_to_know(path: Path) -> None:
    head = [line for line in path.read_text().splitlines() if line.startswith("#")]
    for word in ("Source", "Command", "Hardware", "Expected"):
        assert any(line.startswith(f"# {word}") for line in head), word


@pytest.mark.parametrize(
    "place", [pytest.param(0, marks=pytest.mark.slow, id="first"), pytest.param(-1, id="last")]
)
@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=path.stem, marks=[pytest.mark.slow] if path.stem in SLOW else [])
        for path in JOBS
    ],
)
def test_a_scaled_down_trial_of_a_configuration_trains(
    path: Path, place: int, tmp_path: Path, devices: None
) -> None:
    from gandist.training.trial import run_trial

    job = load_job(path).spec
    small = [*SMALL, *NARROW[job.model.name], *(["evaluation.samples=100"] if job.evaluation else [])]
    trial = load_job(path, small).trials[place]
    *_, last = run_trial(trial, str(tmp_path), None, threading.Event())
    assert (last.meaning.exported, last.step) == (True, 2)  # after two steps it may be a collapse
