"""Steps, epochs and kimg."""

from __future__ import annotations

import pytest

from gandist.spec.budget import Budget
from gandist.spec.sections import Cadence, Checkpoint, Samples, Training


def budget(batch_size: int = 4, size: int = 10, **training: object) -> Budget:
    return Budget(Training(**(training or {"epochs": 3})), batch_size, size)


@pytest.mark.parametrize(
    ("training", "steps"),
    [
        ({"epochs": 1}, 3),  # 10 images in batches of 4: the third batch completes the epoch
        ({"epochs": 2}, 5),
        ({"steps": 7}, 7),
        ({"kimg": 0.04}, 10),
        ({"epochs": 2, "update": "alternating", "n_critic": 5}, 1),  # 20 images a step
    ],
)
def test_total_steps(training: dict[str, object], steps: int) -> None:
    assert budget(**training).total_steps == steps


def test_half_batches_show_half_as_many_real_images() -> None:
    halves = budget(epochs=1, update="half_batches")
    assert (halves.images_per_step, halves.total_steps) == (2, 5)


def test_images_count_every_discriminator_update() -> None:
    assert budget(steps=3, update="alternating", n_critic=2).images == 24


def test_epoch_cadence_is_due_when_the_epoch_is_complete() -> None:
    due = [step for step in range(1, 9) if budget().is_due(step, Cadence(every_epochs=1))]
    assert due == [3, 5, 8]


def test_step_cadence_is_due_every_so_many_steps_and_at_the_end() -> None:
    due = [step for step in range(1, 9) if budget().is_due(step, Cadence(every_steps=3))]
    assert due == [3, 6, 8]


@pytest.mark.parametrize(
    ("every_kimg", "steps"),
    [(0.01, [3, 5, 8]), (0.1, [25, 50, 75, 80]), (0.001, [1, 2, 3]), (9, [80])],
)
def test_kimg_cadence_is_due_when_the_images_were_shown(every_kimg: float, steps: list[int]) -> None:
    of_80_steps = budget(steps=80)  # of 4 images
    due = [step for step in range(1, 81) if of_80_steps.is_due(step, Cadence(every_kimg=every_kimg))]
    assert due[: len(steps)] == steps


def test_an_interval_that_no_float_holds_is_not_a_step_late() -> None:
    assert 1000 * 2.007 > 2007
    one_a_step = budget(batch_size=1, steps=5000)
    assert one_a_step.next_stop(0, Cadence(every_kimg=2.007)) == 2007
    assert one_a_step.next_stop(2007, Cadence(every_kimg=2.007)) == 4014


def test_chosen_epochs_are_due_when_they_are_complete_and_the_end_is() -> None:
    chosen = Samples(at_epochs=(2, 1, 9))
    assert [step for step in range(1, 9) if budget().is_due(step, chosen)] == [3, 5, 8]


def test_a_cadence_of_minutes_ends_no_block() -> None:
    assert budget().next_stop(1, Checkpoint(every_minutes=0.001)) == 8


def test_nothing_is_due_before_the_first_step() -> None:
    assert not budget().is_due(0, Cadence())
