"""A GAN that is made to collapse is told as such, on every seed, and one that is not, on none."""

from __future__ import annotations

from pathlib import Path

import pytest

import gandist

JOB = Path(__file__).parents[1] / "jobs" / "mode_collapse.yaml"


@pytest.mark.slow
@pytest.mark.usefixtures("devices")
def test_the_collapsing_configuration_is_reported_as_collapsed_and_the_healthy_one_is_not(
    tmp_path: Path,
) -> None:
    ran = gandist.run(gandist.load_job(JOB, ["seeds=[0, 1]"]), storage=tmp_path, local=True)
    assert {trial: state.status for trial, state in ran.states.items()} == {
        "healthy-seed0": "completed",
        "healthy-seed1": "completed",
        "collapsing-seed0": "mode_collapse",
        "collapsing-seed1": "mode_collapse",
    }
