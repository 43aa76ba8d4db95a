"""Rates that change: their values, their bounds, and that they depend on the step alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from pydantic import ValidationError

from gandist.optimizers.adam import Options as Adam
from gandist.spec.schedules import Clock, Schedule, value

pytestmark = pytest.mark.usefixtures("devices")


def at(schedule: Schedule, step: int, images_per_step: int = 64) -> float:
    return float(schedule.at(Clock(tf.constant(step, tf.int64), images_per_step)))


@pytest.mark.parametrize(
    ("step", "expected"), [(0, 4.0), (1, 3.8), (5, 3.0), (10, 2.0), (11, 2.0), (10**9, 2.0)]
)
def test_linear_is_evenly_between_and_stays_at_the_end(step: int, expected: float) -> None:
    assert at(Schedule(linear=(4.0, 2.0), steps=10), step) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("step", [0, 1, 3, 5, 9, 10, 11, 10**9])
def test_cosine_is_the_formula(step: int) -> None:
    """Loshchilov & Hutter 2017, equation 5."""
    expected = 2.0 + 0.5 * (4.0 - 2.0) * (1 + np.cos(np.pi * min(step / 10, 1)))
    assert at(Schedule(cosine=(4.0, 2.0), steps=10), step) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("shape", ["linear", "cosine"])
def test_a_rate_may_rise(shape: str) -> None:
    schedule = Schedule(**{shape: (0.0, 1.0)}, steps=4)
    found = [at(schedule, step) for step in range(6)]
    assert found == sorted(found)
    assert (found[0], found[2]) == (0.0, pytest.approx(0.5))
    assert found[4] == found[5] == pytest.approx(1.0)


@pytest.mark.parametrize(("images_per_step", "step"), [(500, 10), (64, 78), (320, 25)])
def test_kimg_counts_the_images_that_the_discriminator_sees(images_per_step: int, step: int) -> None:
    by_images = Schedule(linear=(1.0, 0.0), kimg=10.0)
    shown = images_per_step * step / 1000
    assert at(by_images, step, images_per_step) == pytest.approx(1 - shown / 10, rel=1e-5)


def test_steps_do_not() -> None:
    schedule = Schedule(linear=(1.0, 0.0), steps=10)
    assert at(schedule, 3, images_per_step=1) == at(schedule, 3, images_per_step=1000)


def test_values_depend_on_the_step_alone() -> None:
    """In any order, in a graph and without one."""
    schedule = Schedule(cosine=(2e-4, 5e-5), kimg=3.0)
    forth = [at(schedule, step) for step in range(60)]
    assert [at(schedule, step) for step in reversed(range(60))][::-1] == forth
    traced = tf.function(lambda step: schedule.at(Clock(step, 64)))
    np.testing.assert_allclose([traced(tf.constant(s, tf.int64)) for s in range(60)], forth, rtol=1e-6)


def test_a_number_is_itself_at_any_time() -> None:
    assert value(3e-4, Clock(tf.constant(5, tf.int64), 64)) == 3e-4
    schedule = Schedule(linear=(1.0, 0.0), steps=10)
    assert float(value(schedule, Clock(tf.constant(5, tf.int64), 64))) == 0.5


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"linear": (1, 0)},
        {"steps": 5},
        {"linear": (1, 0), "cosine": (1, 0), "steps": 5},
        {"linear": (1, 0), "steps": 5, "kimg": 5},
        {"linear": (1,), "steps": 5},
        {"linear": (1, 0, 1), "steps": 5},
        {"linear": (1, 0), "steps": 0},
        {"linear": (1, 0), "kimg": 0},
        {"linear": (1, float("inf")), "kimg": 1},
        {"linear": (1, "0"), "kimg": 1},
        {"linear": (1, 0), "kimg": 1, "epochs": 1},
    ],
)
def test_what_is_no_schedule_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Schedule(**given)


@pytest.mark.parametrize("ends", [(1e-3, 0.0), (0.0, 1e-3), (-1.0, 1e-3)])
def test_both_ends_keep_the_bounds_of_their_rate(ends: tuple[float, float]) -> None:
    with pytest.raises(ValidationError, match=r"out of range; a schedule's values are numbers > 0"):
        Adam(learning_rate=Schedule(linear=ends, steps=5))


def test_a_bound_that_belongs_to_the_range_is_allowed() -> None:
    rising = Schedule(linear=(0.0, 0.5), steps=5)
    assert Adam(beta_1=rising).beta_1 == rising
    with pytest.raises(ValidationError, match=r"1 is out of range; .* numbers >= 0 and < 1"):
        Adam(beta_1=Schedule(linear=(0.0, 1.0), steps=5))


def test_a_rate_is_read_back_as_it_was_dumped() -> None:
    options = Adam(learning_rate=Schedule(cosine=(2e-4, 5e-5), kimg=2000.0), discriminator_learning_rate=1e-4)
    assert Adam.model_validate(options.model_dump(mode="json")) == options
