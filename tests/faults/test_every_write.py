"""A trial that dies at any change it makes to its storage goes on from the newest finished checkpoint.

With the bits of one that was left alone.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.fs as pafs
import pytest

from gandist.artifacts import tables
from gandist.artifacts.job_dir import JobDir, TrialDir
from gandist.spec.trial import TrialSpec

from .dying import Death, Snapshots, file_system
from .fingerprint import hash_samples, hash_weights

SMALL: dict[str, Any] = {
    "data": {"name": "digits", "batch_size": 4},
    "model": {"name": "mlp", "generator_widths": [4], "discriminator_widths": [4], "latent_dim": 2},
    "training": {"steps": 6},
    "samples": {"every_steps": 3, "rows": 1, "columns": 2},
    "checkpoint": {"every_steps": 2},
    "resources": {"gpus": 0, "cpus": 1},
}


@dataclass(frozen=True)
class Small:
    """A small trial, and the steps after which it is asked to stop, once each."""

    name: str
    sections: dict[str, Any] = field(default_factory=dict)
    stops: tuple[int, ...] = ()

    def __str__(self) -> str:
        return self.name


SMALL_TRIALS = [
    Small("stopped at a checkpoint", stops=(2, 4)),
    Small("stopped between checkpoints", {"checkpoint": {"every_steps": 4}}, stops=(2,)),
    Small("keep 1", {"checkpoint": {"every_steps": 2, "keep": 1}}, stops=(4,)),
    Small("evaluated", {"evaluation": {"every_steps": 2, "samples": 100}}, stops=(2,)),
    Small(
        "ended early",
        {"training": {"steps": 9, "early_stopping": {"window": 3, "d_loss_below": 99.0, "patience": 2}}},
        stops=(2,),
    ),
    Small("streamed", {"resources": {"gpus": 0, "cpus": 1, "data_memory_gb": 0.0}}),
    Small("every minutes", {"checkpoint": {"every_minutes": 1e-9, "keep": 1}}, stops=(3,)),
    Small("archived", {"samples": {"every_steps": 2, "rows": 1, "columns": 1, "archive": True}}),
]


FEW = 2
"""Deaths of each trial that every run of the tests looks at; the slow test looks at all."""


@pytest.fixture(scope="module", autouse=True)
def quick(devices: None) -> Iterator[list[int]]:
    """See ``compiled_once``: the step after which the last attempt went on."""
    from gandist.training import standing
    from tests.training.trials import compiled_once

    with pytest.MonkeyPatch.context() as patch, compiled_once() as went_on:
        patch.setattr(standing, "STATE_S", math.inf)  # by the clock: a death would not stand at its number
        yield went_on


def spec(small: Small) -> TrialSpec:
    from gandist.spec.job import JobSpec, expand

    spec = JobSpec.model_validate({"name": "small", "seeds": [0], **SMALL, **small.sections})
    return expand(spec).trials[0]


def attempt(small: Small, root: Path, stop_after: int | None = None) -> None:
    from gandist.training.trial import run_trial

    stop = threading.Event()
    for state in run_trial(spec(small), str(root), None, stop):
        if state.step == stop_after and not state.activity:
            stop.set()


def bits(root: Path) -> dict[str, Any]:
    """All that must not depend on any death."""
    directory = JobDir(str(root)).trial("base-seed0")
    state = directory.read_state()

    def table(path: str, schema: Any = None) -> Any:
        if not directory.storage.exists(path):
            return None
        written = directory.storage.read(path)
        found = tables.decode(written, schema, path) if schema else tables.decode_losses(written, path)
        return found.drop([name for name in ("wall_time",) if name in found.schema.names]).to_pydict()

    def content(path: str) -> bytes:
        return directory.storage.read(path) if directory.storage.exists(path) else b""

    generator = content(TrialDir.GENERATOR)
    return {
        "state": (state.status, state.step, state.reason, state.notes, state.activity),
        "losses": [table(path) for _, _, path in directory.losses_parts()],
        "weights": hash_weights(generator) if generator else "",
        "grids": hash_samples(directory),
        "metrics": table(TrialDir.METRICS, tables.METRICS),
        "outputs": table(TrialDir.OUTPUTS, tables.OUTPUTS),
        "gif": content(TrialDir.GIF),
        "archive": content(TrialDir.ARCHIVE),
        "left over": [path.name for path in root.rglob("*.tmp")],
        "unfinished": [
            step
            for step, path in directory.checkpoints()
            if not directory.storage.exists(f"{path}/manifest.json")
        ],
    }


def joined(found: dict[str, Any]) -> dict[str, Any]:
    """With the losses of all parts in one: where they are cut depends on where a trial went on."""
    parts = found["losses"]
    return {**found, "losses": {name: [x for part in parts for x in part[name]] for name in parts[0]}}


@pytest.fixture
def deaths(small: Small, tmp_path: Path) -> list[Death]:
    """All that ``small`` leaves if it dies while it is trained, stopped and continued."""
    root = tmp_path / "stopped"
    snapshots = Snapshots(root, tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pafs, "LocalFileSystem", file_system(snapshots.before, snapshots.after_move))
        for step in (*small.stops, None):
            attempt(small, root, step)
    print(f"{small}: {snapshots.changes} changes, {len(snapshots.deaths)} deaths that differ")
    return snapshots.deaths


def assert_survived(small: Small, tmp_path: Path, deaths: list[Death], went_on: list[int]) -> None:
    attempt(small, tmp_path / "whole")
    whole = joined(bits(tmp_path / "whole"))
    assert whole["state"][:2] == (("unstable", 6) if small.name == "ended early" else ("completed", 6))
    assert joined(bits(tmp_path / "stopped")) == whole
    for death in deaths:
        attempt(small, death.left)
        assert went_on[0] >= death.finished, f"{death}: behind a finished checkpoint"
        found = joined(bits(death.left))
        assert [name for name in whole if found[name] != whole[name]] == [], death


@pytest.mark.parametrize("small", SMALL_TRIALS, ids=str)
def test_a_trial_survives_some_of_its_deaths(
    small: Small, tmp_path: Path, deaths: list[Death], quick: list[int]
) -> None:
    assert_survived(small, tmp_path, deaths[:: len(deaths) // FEW], quick)


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("small", SMALL_TRIALS, ids=str)
def test_a_trial_survives_each_of_its_deaths(
    small: Small, tmp_path: Path, deaths: list[Death], quick: list[int]
) -> None:
    assert_survived(small, tmp_path, deaths, quick)
