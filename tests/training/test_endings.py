"""How a trial ends whose training went its way: early, collapsed, won by the discriminator; killed or not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gandist.artifacts.job_dir import TrialDir
from gandist.spec.trial import TrialSpec
from gandist.training.evaluation import Evaluator
from tests.training.conftest import tiny_trial
from tests.training.trials import SMALL, generated, losses, train, weights

pytestmark = pytest.mark.usefixtures("compiled_once")

DISTANCES = [9.0, 5.0, 6.0, 4.0, 4.0, 7.0]
MODES = [9.0, 9.0, 9.0, 2.0, 1.0, 1.0]


@pytest.fixture(scope="module", autouse=True)
def measured() -> Iterator[None]:
    """As if step k had the k-th of ``DISTANCES`` and ``MODES``."""
    row = {
        "features": "f",
        "samples": 100,
        "weights": "live",
        "protocol": "p",
        "error": None,
        "wall_time": 0.0,
    }
    distance = row | {"metric": "frechet", "floor": None, "lower_is_better": True, "split": "selection"}
    modes = row | {"metric": "modes", "floor": 10.0, "lower_is_better": False, "split": "training"}

    def evaluate(_: Evaluator, sampler: Any, *__: Any) -> list[dict[str, Any]]:
        at = sampler._step - 1
        return [modes | {"value": MODES[at]}, distance | {"value": DISTANCES[at]}]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Evaluator, "evaluate", evaluate)
        yield


def evaluated(**options: Any) -> TrialSpec:
    evaluation = {"every_steps": 1, "samples": 100, "select": "frechet", **options}
    return tiny_trial(**{**SMALL, "evaluation": evaluation})


def how(directory: TrialDir) -> tuple[Any, ...]:
    state = directory.read_state()
    return state.status, state.reason, state.step, state.total_steps


def test_a_trial_whose_last_evaluations_have_collapsed_is_told_and_leaves_a_generator(tmp_path: Path) -> None:
    directory = train(evaluated(), tmp_path)
    assert how(directory) == ("mode_collapse", "1 of 10 classes at step 6, too little since step 4", 6, 6)
    assert directory.storage.exists(TrialDir.GENERATOR)


PATIENCE = (
    {"patience": 1, "mode_collapse": None},
    ("completed", "before step 6: no better frechet in 1 evaluations since step 2", 3, 3),
)
COLLAPSE = (
    {"mode_collapse": {"evaluations": 2, "ends": True}},
    ("mode_collapse", "1 of 10 classes at step 5, too little since step 4", 5, 6),
)


@pytest.mark.parametrize(("options", "ended"), [PATIENCE, COLLAPSE], ids=["patience", "collapse"])
def test_training_ends_early_by_what_was_measured_and_the_same_after_a_kill(
    tmp_path: Path, options: dict[str, Any], ended: tuple[Any, ...]
) -> None:
    whole = train(evaluated(**options), tmp_path / "whole")
    assert how(whole) == ended
    assert whole.samples()[-1][0] == whole.checkpoints()[-1][0] == ended[2]
    train(evaluated(**options), tmp_path / "killed", kill_after=ended[2] - 1)
    resumed = train(evaluated(**options), tmp_path / "killed")
    assert how(resumed) == ended
    assert resumed.read_metrics() == whole.read_metrics()
    assert losses(resumed).equals(losses(whole))
    assert (generated(resumed), weights(resumed)) == (generated(whole), weights(whole))


def test_a_discriminator_that_has_won_is_told_and_leaves_a_generator(tmp_path: Path) -> None:
    training = {"steps": 12, "discriminator_won": {"margin": 0.98, "steps": 10}}
    fast = {"optimizer": {"discriminator_learning_rate": 0.05, "learning_rate": 1e-6}}
    directory = train(tiny_trial(**{**SMALL, **fast, "training": training}), tmp_path)
    state = directory.read_state()
    assert (state.status, state.step) == ("discriminator_won", 12)
    assert state.reason.startswith("d_loss 0.0")
    assert directory.storage.exists(TrialDir.GENERATOR)
