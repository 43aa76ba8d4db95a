"""The best checkpoint: chosen by rows of its own, kept, exported, and the same after any interruption."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gandist.artifacts.job_dir import TrialDir
from gandist.training.evaluation import Evaluator
from tests.training.conftest import tiny_trial
from tests.training.trials import SMALL, losses, train, weights

pytestmark = pytest.mark.usefixtures("compiled_once")

EVALUATED = {"every_steps": 1, "samples": 100, "select": "frechet"}
CHOSEN = {**SMALL, "evaluation": EVALUATED, "checkpoint": {"every_steps": 2, "keep": 1}}
VALUES = [9.0, 5.0, math.nan, 4.0, 4.0, 7.0]
BEST = 4


def rows(step: int, value: float) -> list[dict[str, Any]]:
    row = {"error": None, "floor": None, "features": "f", "samples": 100, "weights": "live", "wall_time": 0.0}
    shared = {**row, "metric": "frechet", "lower_is_better": True, "protocol": "p"}
    reported, chosen = {"value": float(step), "split": "training"}, {"value": value, "split": "selection"}
    return [shared | reported, shared | chosen]


@pytest.fixture(scope="module")
def measured() -> Iterator[None]:
    """As if step k had the k-th of ``VALUES``."""

    def evaluate(_: Evaluator, sampler: Any, *__: Any) -> list[dict[str, Any]]:
        return rows(sampler._step, VALUES[sampler._step - 1])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Evaluator, "evaluate", evaluate)
        yield


@pytest.fixture(scope="module")
def whole(compiled_once: None, measured: None, tmp_path_factory: pytest.TempPathFactory) -> TrialDir:
    return train(tiny_trial(**CHOSEN), tmp_path_factory.mktemp("whole"))


def remains(directory: TrialDir) -> dict[str, Any]:
    """What selection leaves."""
    state = directory.read_state()
    return {
        "checkpoints": [step for step, _ in directory.checkpoints()],
        "best": (state.best_step, state.best_value),
        "weights": weights(directory, TrialDir.BEST),
        "rows": repr(directory.read_metrics()),
    }


def test_the_best_step_keeps_its_checkpoint_and_its_generator(tmp_path: Path, whole: TrialDir) -> None:
    assert remains(whole)["checkpoints"] == [BEST, 6]
    assert remains(whole)["best"] == (BEST, 4.0)
    short = tiny_trial(**{**CHOSEN, "training": {**SMALL["training"], "steps": BEST}})
    assert weights(whole, TrialDir.BEST) == weights(train(short, tmp_path))
    assert weights(whole, TrialDir.BEST) != weights(whole)


@pytest.mark.parametrize("kill_after", [3, 4, 5])
def test_killed_anywhere_it_ends_with_the_same_choice(
    tmp_path: Path, whole: TrialDir, kill_after: int
) -> None:
    train(tiny_trial(**CHOSEN), tmp_path, kill_after=kill_after)
    resumed = train(tiny_trial(**CHOSEN), tmp_path)
    assert resumed.read_state().attempts == 2
    assert remains(resumed) == remains(whole)
    assert losses(resumed).equals(losses(whole))


def test_an_attempt_that_died_before_the_export_is_made_up_for(tmp_path: Path, measured: None) -> None:
    directory = train(tiny_trial(**CHOSEN), tmp_path, stop_after=BEST)
    directory.storage.delete(TrialDir.BEST)
    assert remains(train(tiny_trial(**CHOSEN), tmp_path))["best"] == (BEST, 4.0)


def test_nothing_is_chosen_unless_asked_for(tmp_path: Path, measured: None) -> None:
    trial = tiny_trial(**{**CHOSEN, "evaluation": {"every_steps": 3, "samples": 100}})
    directory = train(trial, tmp_path)
    assert directory.read_state().best_step is None
    assert not directory.storage.exists(TrialDir.BEST)
    assert [step for step, _ in directory.checkpoints()] == [6]
