"""What a process trains on."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
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
        distribution._set_up(distribution.Threads(1), gpus=there + 1, replicas=there + 1)
    found = f"{platform.node()}: the trial has {there + 1} GPUs, TensorFlow finds {there} among {among}: "
    assert found in str(told.value)


def test_a_process_is_deterministic_or_not_for_its_life(devices: None) -> None:
    with pytest.raises(RuntimeError, match=r"deterministic=False\) needs a process of its own"):
        distribution.configure(distribution.Threads(1, deterministic=False), gpus=0, replicas=1)


def test_operations_at_once_have_the_same_bits_on_any_number_of_cores_and_continued(tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_text(
        "name: job\ndata: {name: digits, batch_size: 16}\ntraining: {steps: 8, generator_ema: 0.9}\n"
        "model: {name: dcgan, width: 4, kernel_size: 3, latent_dim: 6}\nregularizers: {r1: {}}\n"
        "samples: {every_steps: 4}\ncheckpoint: {every_steps: 4}\n"
        "resources: {gpus: 0, cpus: 4, replicas: 2, parallelism: inter_op}\n"
    )

    def run(storage: str, *overrides: str) -> None:
        sets = [argument for override in overrides for argument in ("--set", override)]
        command = [sys.executable, "-m", "gandist", "run", "job.yaml", "--local", "--storage", storage, *sets]
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)

    run("one", "resources.cpus=1")
    run("continued", "training.steps=4")
    run("continued")
    of_one, continued = (_outcome(tmp_path / storage / "job") for storage in ("one", "continued"))
    assert continued == of_one


def _outcome(job_dir: Path) -> tuple[pa.Table, list[bytes]]:
    losses = pq.read_table(job_dir / "losses.parquet")
    grids = sorted((job_dir / "trials/base-seed0/samples").glob("*.png"))
    return losses.drop_columns("wall_time"), [grid.read_bytes() for grid in grids]
