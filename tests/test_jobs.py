"""The shipped job files: each says what it is, and trains."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gandist.spec.loading import load_job

JOBS = sorted((Path(__file__).parents[1] / "jobs").glob("*.yaml"))
SMALL = [
    "data={name: digits, batch_size: 32}",
    "training.steps=2",
    "training.n_critic=1",
    "resources={gpus: 0, cpus: 1}",
]
NARROW: dict[str, dict[str, Any]] = {
    "dcgan": {"width": 2, "depth": 2},
    "mlp": {"generator_widths": (4,), "discriminator_widths": (4,)},
    "resnet": {"generator_widths": (4, 4), "discriminator_widths": (4, 4)},
    "stylegan2": {"latent_dim": 4, "channel_max": 2, "mapping_layers": 1},
    "r3gan": {"widths": (4, 4), "blocks": 1, "group_size": 4},
}

every_job = pytest.mark.parametrize("path", JOBS, ids=lambda path: path.stem)


@every_job
def test_a_job_is_named_like_its_file(path: Path) -> None:
    assert load_job(path).spec.name == path.stem


@every_job
def test_a_job_is_headed_by_what_a_reader_wants_to_know(path: Path) -> None:
    head = [line for line in path.read_text().splitlines() if line.startswith("#")]
    for word in ("Source", "Command", "Hardware", "Expected"):
        assert any(line.startswith(f"# {word}") for line in head), word


def trials() -> Iterator[Any]:
    """The first and last of each job; but for one of each architecture they are slow to trace, and alike."""
    seen: set[str] = set()
    for path in JOBS:
        for place, name in ((-1, "last"), (0, "first")):
            model = load_job(path).trials[place].model.name
            marks = [pytest.mark.slow] if model in seen else []
            yield pytest.param(path, place, model, id=f"{path.stem}-{name}", marks=marks)
            seen.add(model)


@pytest.mark.parametrize(("path", "place", "model"), list(trials()))
def test_a_scaled_down_trial_of_a_configuration_trains(
    path: Path, place: int, model: str, tmp_path: Path, devices: None
) -> None:
    from gandist.training.trial import run_trial

    evaluated = load_job(path).trials[place].evaluation is not None
    trial = load_job(path, [*SMALL, *(["evaluation.samples=100"] if evaluated else [])]).trials[place]
    trial = trial.model_copy(update={"model": trial.model.model_copy(update=NARROW[model])})
    *_, last = run_trial(trial, str(tmp_path), None, threading.Event())
    assert (last.meaning.exported, last.step) == (True, 2)  # after two steps it may be a collapse
