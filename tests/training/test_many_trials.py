"""Many trials, one after another in one process: nothing is left of a trial that has ended."""

from __future__ import annotations

import gc
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from tests.training.conftest import DCGAN, tiny_trial
from tests.training.trials import SMALL, train

MLP = {"name": "mlp", "generator_widths": [8], "discriminator_widths": [8], "latent_dim": 4}


@pytest.fixture
def said() -> Iterator[list[str]]:
    """What TensorFlow logs."""
    messages: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: messages.append(record.getMessage())  # type: ignore[method-assign]
    tf.get_logger().addHandler(handler)
    yield messages
    tf.get_logger().removeHandler(handler)


def live() -> Counter[str]:
    """How many objects of each type there are."""
    gc.collect()
    return Counter(type(thing).__name__ for thing in gc.get_objects())


def test_tensorflow_does_not_take_short_trials_for_one_function_traced_again_and_again(
    make_trainer: Callable[..., Any], said: list[str]
) -> None:
    for seed in range(6):
        make_trainer(seed=seed, model=MLP).run(1)
    assert said == []


@pytest.mark.parametrize("model", [DCGAN, MLP], ids=["dcgan", "mlp"])
def test_no_graph_outlives_its_trainer(make_trainer: Callable[..., Any], model: dict[str, Any]) -> None:
    before = live()
    make_trainer(model=model).run(1)
    assert live()["FuncGraph"] == before["FuncGraph"]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # those that pytest collects are kept
def test_the_tenth_trial_leaves_no_more_in_memory_than_the_fourth(tmp_path: Path) -> None:
    def run(seed: int) -> None:
        for model in (DCGAN, MLP):
            evaluation = {"every_steps": 3, "samples": 100}
            train(
                tiny_trial(seed, model=model, evaluation=evaluation, **SMALL),
                tmp_path / model["name"],
            )

    for seed in range(4):
        run(seed)
    after_four = live()
    for seed in range(4, 10):
        run(seed)
    more = live() - after_four
    assert more["FuncGraph"] == more["EagerTensor"] == more["ResourceVariable"] == 0
    assert more.total() <= 25 * 12, "a few small objects of each trial, where a graph would be thousands"
