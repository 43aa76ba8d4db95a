"""What a process trains on."""

from __future__ import annotations

import hashlib
import platform
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from gandist.data import Dataset
from gandist.errors import ProcessError, RunError
from gandist.spec.sections import Resources
from gandist.training import distribution, hardware
from gandist.training.trainer import Trainer
from tests.training.conftest import IMAGES, tiny_trial

SECTIONS: dict[str, Any] = {
    "model": {"name": "mlp", "generator_widths": [64, 64], "discriminator_widths": [64, 64]},
    "regularizers": {"r1": {}},
    "training": {"generator_ema": 0.9},
}
ON_FOUR_CORES = f"""
from gandist.data import Dataset, digits
from gandist.training import distribution
from gandist.training.trainer import Trainer
from tests.training.conftest import tiny_trial
from tests.training.test_distribution import digest

strategy = distribution.configure(distribution.Threads(within=1, at_once=4), gpus=0, replicas=2)
whole = digits.load(digits.Options(), None)
dataset = Dataset(whole.images[:{IMAGES}], whole.labels[:{IMAGES}], whole.class_names)
first, second = (Trainer(tiny_trial(**{SECTIONS!r}), dataset, strategy) for _ in range(2))
first.run(3)
second.load_state(first.state())
print(digest(first.run(6), first.state()), digest(second.run(6), second.state()))
"""


@pytest.mark.parametrize(
    ("allowed", "among"),
    [(None, "all of this machine"), ("", "CUDA_VISIBLE_DEVICES=''"), ("3", "CUDA_VISIBLE_DEVICES='3'")],
)
def test_gpus_that_tensorflow_does_not_find_are_told_with_where_and_what_to_do(
    devices: None, monkeypatch: pytest.MonkeyPatch, allowed: str | None, among: str
) -> None:
    there = len(tf.config.list_physical_devices("GPU"))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", allowed or "")
    if allowed is None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    with pytest.raises(RunError, match=r"^(?!.*\n).*--set resources.gpus=0$") as told:
        distribution._set_up(distribution.Threads(1), gpus=there + 1, replicas=there + 1)
    found = f"{platform.node()}: the trial has {there + 1} GPUs, TensorFlow finds {there} among {among}: "
    assert found in str(told.value)


def test_a_process_is_deterministic_or_not_for_its_life(devices: None) -> None:
    with pytest.raises(
        ProcessError, match=r"and the trial needs 1 \(.* deterministic: False\); run it in a new process$"
    ):
        distribution.configure(distribution.Threads(1, deterministic=False), gpus=0, replicas=1)


def test_operations_at_once_have_the_same_bits_on_any_number_of_cores_and_continued(
    strategy: Callable[[int], Any], dataset: Dataset
) -> None:
    of_one = Trainer(tiny_trial(**SECTIONS), dataset, strategy(2))
    expected = digest(of_one.run(6), of_one.state())
    found = subprocess.run([sys.executable, "-c", ON_FOUR_CORES], check=True, capture_output=True, text=True)
    assert found.stdout.split() == [expected, expected]


def test_cores_share_an_operation_or_run_several(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[distribution.Threads] = []
    monkeypatch.setattr(distribution, "configure", lambda threads, *_: given.append(threads))
    for parallelism in ("intra_op", "inter_op"):
        hardware.strategy(Resources(gpus=0, cpus=3, parallelism=parallelism))
    assert given == [distribution.Threads(3, 1), distribution.Threads(1, 3)]


def digest(rows: dict[str, np.ndarray], state: dict[str, np.ndarray]) -> str:
    """Of the figures of the last three steps, and of all that a continuation needs."""
    last = [rows[name][-3:] for name in sorted(rows)]
    return hashlib.sha256(b"".join(array.tobytes() for array in [*last, *state.values()])).hexdigest()
