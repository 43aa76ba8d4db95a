"""Values against GPU-seconds or core-seconds."""

from __future__ import annotations

import numpy as np
import pytest

from gandist.artifacts.trial_state import TrialState
from gandist.report.cost import cost
from gandist.report.statistics import Series
from gandist.report.thinning import Thinned
from gandist.report.trial import Trial

VALUES = Series(np.asarray([50, 100]), np.asarray([5.0, 10.0]), np.asarray([3.0, 2.0]))


def trial(device: str, train_s: float = 200.0, replicas: int = 1) -> Trial:
    made = TrialState(device=device, step=100, train_s=train_s, replicas=replicas)
    return Trial("a-seed0", "a", 0, "completed", made, Thinned())


@pytest.mark.parametrize(
    ("device", "job", "unit", "seconds"),
    [
        ("2 x NVIDIA H100", {}, "GPU-seconds", [200.0, 400.0]),
        ("1 x NVIDIA H100", {"resources": {"gpus": 0.25}}, "GPU-seconds", [25.0, 50.0]),
        ("AMD EPYC, 4 threads, inter_op", {"resources": {"gpus": None}}, "core-seconds", [400.0, 800.0]),
        ("AMD EPYC, 1 thread", {"resources": 3}, "core-seconds", [100.0, 200.0]),
        ("NVIDIA H100", {}, "device-seconds", [100.0, 200.0]),
    ],
)
def test_the_cost_is_the_time_of_training_times_the_devices(device, job, unit, seconds):
    one = trial(device)
    found = cost(job, [one])

    assert found.unit == unit
    drawn = found.against(one, VALUES)
    assert drawn.kimg.tolist() == seconds
    assert drawn.values.tolist() == [3.0, 2.0]


def test_trials_of_other_numbers_of_the_same_device_are_compared_and_of_other_devices_not():
    assert cost({}, [trial("1 x NVIDIA H100"), trial("2 x NVIDIA H100")])
    assert cost({}, [trial("EPYC, 1 thread"), trial("EPYC, 2 threads")])
    assert cost({}, [trial("1 x NVIDIA H100"), trial("1 x NVIDIA A100")]) is None
    assert cost({}, [trial("")]) is None
    assert cost({}, [trial("1 x NVIDIA H100", train_s=0.0)]) is None


def test_a_trial_that_has_not_begun_has_no_cost():
    waiting = Trial("a-seed1", "a", 1, "queued", TrialState(), Thinned())

    assert cost({}, [trial("EPYC, 1 thread")]).against(waiting, VALUES).values.size == 0
