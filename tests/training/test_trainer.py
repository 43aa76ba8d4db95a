"""Blocks of steps: the same bits however they are cut, and wherever they continue."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gandist.errors import CheckpointError
from tests.training.conftest import DCGAN, assert_same_bits
from tests.training.test_gan import N_CRITIC, R1_AND_EMA, SIMULTANEOUS, names

ROOT = Path(__file__).parents[2]


def run_in(trainer: Any, stops: list[int]) -> dict[str, np.ndarray]:
    parts = [trainer.run(stop) for stop in stops]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


@names
def test_blocks_may_be_cut_anywhere(make_trainer: Callable[..., Any], sections: dict[str, Any]) -> None:
    trainer = make_trainer(**sections)
    start = trainer.state()
    whole, end = run_in(trainer, [6]), trainer.state()
    trainer.load_state(start)
    assert_same_bits(run_in(trainer, [1, 2, 5, 6]), whole)
    assert_same_bits(trainer.state(), end)


@pytest.mark.parametrize(
    ("replicas", "sections"),
    [
        pytest.param(2, R1_AND_EMA, id="r1_ema, replicas"),
        pytest.param(1, R1_AND_EMA, id="r1_ema", marks=pytest.mark.slow),  # test_update_rules.py has the like
        pytest.param(1, N_CRITIC, id="n_critic", marks=pytest.mark.slow),
        pytest.param(2, SIMULTANEOUS, id="replicas", marks=pytest.mark.slow),
    ],
)
def test_a_continued_trainer_ends_with_the_same_bits(
    make_trainer: Callable[..., Any], replicas: int, sections: dict[str, Any]
) -> None:
    one, other = (make_trainer(replicas, **sections) for _ in range(2))
    start = one.state()
    rows, end = one.run(6), one.state()
    one.load_state(start)
    one.run(3)
    other.load_state(one.state())
    assert_same_bits({name: column[3:] for name, column in rows.items()}, other.run(6))
    assert_same_bits(end, other.state())


def test_seeds_train_differently(make_trainer: Callable[..., Any]) -> None:
    assert make_trainer(seed=0).run(2)["d_loss"][1] != make_trainer(seed=1).run(2)["d_loss"][1]


KILLED = """
import os, signal
from gandist.data import digits
from gandist.training import distribution
from gandist.training.trainer import Trainer
from tests.training.conftest import tiny_trial

trial = tiny_trial(regularizers={"r1": {"every": 2}})
strategy = distribution.configure(distribution.Threads(1), gpus=0, replicas=2)
Trainer(trial, digits.load(digits.Options(), None), strategy).run(2)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_process_that_is_killed_while_it_trains_leaves_no_temporary_files(tmp_path: Path) -> None:
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", KILLED]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_rows_count_steps_from_one(make_trainer: Callable[..., Any]) -> None:
    trainer = make_trainer()
    trainer.run(2)
    assert trainer.run(4)["step"].tolist() == [3, 4]


def test_a_state_of_another_shape_is_refused(make_trainer: Callable[..., Any]) -> None:
    other = make_trainer(model={"generator_widths": [9]}).state()
    trainer = make_trainer()
    before = trainer.state()
    with pytest.raises(CheckpointError, match="generator/"):
        trainer.load_state(other)
    assert_same_bits(trainer.state(), before)


def test_a_state_with_a_missing_part_is_refused(make_trainer: Callable[..., Any]) -> None:
    trainer = make_trainer()
    state = trainer.state()
    del state["discriminator_optimizer/0"]
    with pytest.raises(CheckpointError, match="discriminator_optimizer/0"):
        trainer.load_state(state)


@pytest.mark.slow
@pytest.mark.parametrize("replicas", [2, 4])
def test_replicas_agree_over_fifty_steps(make_trainer: Callable[..., Any], replicas: int) -> None:
    """The promise: losses within 1e-4 of one replica's, with synchronized batch norm."""
    optimizer = {"learning_rate": 1e-4, "beta_1": 0.9}
    sections = {"model": DCGAN, "optimizer": optimizer, "training": {"steps": 50}}
    one, many = make_trainer(1, **sections).run(50), make_trainer(replicas, **sections).run(50)
    for name in ("d_loss", "g_loss"):
        np.testing.assert_allclose(many[name], one[name], rtol=1e-4, err_msg=name)
