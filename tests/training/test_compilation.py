"""XLA, layers in bfloat16, and runs that need not have the same bits twice."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gandist.artifacts.job_dir import JobDir
from gandist.errors import SpecError
from tests.training.conftest import DCGAN, assert_same_bits, tiny_trial

LAZY = {"r1": {"gamma": 0.5, "every": 2}}
MLP = {"name": "mlp", "generator_widths": [8], "discriminator_widths": [8], "latent_dim": 6}
BFLOAT16 = {"precision": "mixed_bfloat16"}


@pytest.mark.parametrize(
    ("model", "training"),
    [
        (MLP, {"xla": True}),
        (MLP, BFLOAT16),
        pytest.param(DCGAN, BFLOAT16, marks=pytest.mark.slow),
        pytest.param(DCGAN, {**BFLOAT16, "xla": True}, marks=pytest.mark.slow),
    ],
    ids=["xla", "bfloat16", "dcgan, bfloat16", "dcgan, both"],
)
def test_a_continued_trainer_ends_with_the_same_bits(
    make_trainer: Callable[..., Any], model: dict[str, Any], training: dict[str, Any]
) -> None:
    given = {"training": {**training, "steps": 4, "generator_ema": 0.9}, "regularizers": LAZY}
    sections = {**given, "model": model}
    first, second = (make_trainer(**sections) for _ in range(2))
    start = first.state()
    rows, end = first.run(4), first.state()
    first.load_state(start)
    first.run(2)
    second.load_state(first.state())
    assert_same_bits(second.state(), first.state())
    again = second.run(4)
    assert_same_bits({name: rows[name][2:] for name in rows}, again)
    assert_same_bits(end, second.state())


def test_xla_trains_as_without_where_nothing_is_drawn(make_trainer: Callable[..., Any]) -> None:
    """Of what the discriminator makes of real images; XLA draws other latents."""
    plain, compiled = (make_trainer(model=MLP, training={"xla": xla}).run(1) for xla in (False, True))
    for name in ("d_loss_real", "d_real"):
        np.testing.assert_allclose(compiled[name], plain[name], rtol=1e-5, err_msg=name)


def test_xla_is_for_one_replica() -> None:
    with pytest.raises((SpecError, ValueError), match=r"training\.xla: compiles for one replica, not for 2"):
        tiny_trial(training={"xla": True}, resources={"replicas": 2})


@pytest.mark.parametrize(
    "sections",
    [
        pytest.param({"model": DCGAN}, marks=pytest.mark.slow),
        {"model": {**DCGAN, "spectral_norm": True, "conditional": True}, "loss": {"name": "hinge"}},
        {"model": MLP, "training": {"update": "alternating"}, "regularizers": {"r1": {}, "path_length": {}}},
    ],
    ids=["dcgan", "conditional, spectral norm", "regularized mlp"],
)
def test_bfloat16_layers_train_as_float32_ones_up_to_their_precision(
    make_trainer: Callable[..., Any], sections: dict[str, Any]
) -> None:
    training = {**sections.get("training", {}), "steps": 3}
    plain = make_trainer(**{**sections, "training": training})
    half = make_trainer(**{**sections, "training": {**training, **BFLOAT16}})
    expected, rows = plain.run(3), half.run(3)
    for name in expected:
        np.testing.assert_allclose(rows[name], expected[name], rtol=0.08, atol=0.02, err_msg=name)
    assert any((rows[name] != expected[name]).any() for name in expected)
    assert {array.dtype for name, array in half.state().items() if name != "step"} == {np.dtype(np.float32)}


def test_bfloat16_is_for_the_networks_that_were_asked_for(make_trainer: Callable[..., Any]) -> None:
    make_trainer(training=BFLOAT16)
    assert {layer.compute_dtype for layer in make_trainer().gan.generator.layers} == {"float32"}


def test_a_run_that_is_not_deterministic_says_so(tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_text(
        "name: loose\ndata: {name: digits, batch_size: 8}\ntraining: {steps: 2}\n"
        "model: {name: mlp, generator_widths: [4], discriminator_widths: [4]}\n"
        "resources: {gpus: 0, cpus: 1, deterministic: false}\n"
    )
    command = [sys.executable, "-m", "gandist", "run", "job.yaml", "--local", "--storage", "runs"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    job_dir = JobDir(str(tmp_path / "runs" / "loose"))
    state = job_dir.trial("base-seed0").read_state()
    assert state.status == "completed"
    assert any(note.startswith("resources.deterministic is false: ") for note in state.notes)
    assert "resources.deterministic is false" in (tmp_path / "runs/loose/report.html").read_text("utf-8")
