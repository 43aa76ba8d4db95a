"""What a process trains on."""

from __future__ import annotations

import hashlib
import platform
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import gandist
from gandist import threads
from gandist.data import Dataset
from gandist.errors import ProcessError, RunError
from gandist.runner.events import Notice, RunEvent
from gandist.spec.sections import Resources
from gandist.threads import Threads
from gandist.training import distribution
from gandist.training.bench import bench
from gandist.training.trainer import Trainer
from tests.training.conftest import IMAGES, TINY, tiny_trial

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
        distribution._set_up(Threads(1), gpus=there + 1, replicas=there + 1)
    found = f"{platform.node()}: the trial has {there + 1} GPUs, TensorFlow finds {there} among {among}: "
    assert found in str(told.value)


def test_devices_that_a_process_was_not_set_up_with_are_refused(devices: None) -> None:
    with pytest.raises(ProcessError, match=r"with 4 CPU devices, and the trial needs 5; run it in a new "):
        distribution.configure(Threads(1), gpus=0, replicas=5)


class TestAProcessThatComputesOtherwise:
    """Threads are set once; what is trained afterwards is trained all the same, and told of."""

    def test_is_told_of_where_gandist_has_set_it_for_another_trial(self, devices: None) -> None:
        assert threads.why_inexact(Threads(1)) == ""
        told = threads.why_inexact(Threads(1, deterministic=False))
        assert re.match(r"this process computes with .*: True, not with .*: False, which is set once", told)
        distribution.configure(Threads(1, deterministic=False), gpus=0, replicas=1)

    def test_is_told_of_where_tensorflow_was_in_use_before(
        self, devices: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(threads, "set_to", [])  # as if that had been somebody else
        assert threads.why_inexact(Threads(1)).startswith("this process has used TensorFlow before, which is")
        strategy = distribution.configure.__wrapped__(Threads(7), gpus=0, replicas=1)
        assert strategy.num_replicas_in_sync == 1
        assert threads.set_to == []

    def test_is_not_told_of_before_anything_was_computed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(threads, "set_to", [])
        monkeypatch.delitem(sys.modules, "tensorflow")
        assert threads.why_inexact(Threads(7)) == ""

    def test_notes_it_with_the_trial_and_tells_whoever_runs_the_job(
        self, devices: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr(threads, "set_to", [])
        why = threads.why_inexact(Threads(1))
        spec = {**TINY, "training": {"steps": 1}, "samples": {"rows": 1, "columns": 1}}
        told: list[RunEvent] = []
        ran = gandist.run(spec, tmp_path, local=True, on_event=told.append)
        assert [it.text for it in told if isinstance(it, Notice)].count(why) == 1
        assert ran.states["base-seed0"].notes == (why,)
        assert ran.states["base-seed0"].status == "completed"

    def test_is_not_measured(self, devices: None, dataset: Dataset) -> None:
        with pytest.raises(ProcessError, match=r"^resources: this process .*: measure it there"):
            bench(tiny_trial(resources={"cpus": 3}), dataset, 1)


def test_operations_at_once_have_the_same_bits_on_any_number_of_cores_and_continued(
    strategy: Callable[[int], Any], dataset: Dataset
) -> None:
    of_one = Trainer(tiny_trial(**SECTIONS), dataset, strategy(2))
    expected = digest(of_one.run(6), of_one.state())
    found = subprocess.run([sys.executable, "-c", ON_FOUR_CORES], check=True, capture_output=True, text=True)
    assert found.stdout.split() == [expected, expected]


def test_cores_share_an_operation_or_run_several() -> None:
    given = [threads.of(Resources(cpus=3, parallelism=it)) for it in ("intra_op", "inter_op")]
    assert given == [Threads(3, 1), Threads(1, 3)]


def digest(rows: dict[str, np.ndarray], state: dict[str, np.ndarray]) -> str:
    """Of the figures of the last three steps, and of all that a continuation needs."""
    last = [rows[name][-3:] for name in sorted(rows)]
    return hashlib.sha256(b"".join(array.tobytes() for array in [*last, *state.values()])).hexdigest()
