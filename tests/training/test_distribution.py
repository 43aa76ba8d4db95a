"""What a process trains on."""

from __future__ import annotations

import platform

import pytest
import tensorflow as tf

from gandist.errors import RunError
from gandist.training import distribution


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
        distribution._set_up(cpus=1, gpus=there + 1, replicas=there + 1, deterministic=True)
    found = f"{platform.node()}: the trial has {there + 1} GPUs, TensorFlow finds {there} among {among}: "
    assert found in str(told.value)


def test_a_process_is_deterministic_or_not_for_its_life(devices: None) -> None:
    with pytest.raises(RuntimeError, match="deterministic: False, needs a process of its own"):
        distribution.configure(cpus=1, gpus=0, replicas=1, deterministic=False)
