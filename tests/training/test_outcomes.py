"""What recorded rows and losses say of how a training has ended."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gandist.artifacts.selection import Best
from gandist.losses import (
    LossOptions,
    hinge,
    least_squares,
    minimax,
    non_saturating,
    relativistic,
    wasserstein,
)
from gandist.spec.sections import DiscriminatorWon, Evaluation, ModeCollapse
from gandist.training import outcomes

CE = non_saturating.Options()


def row(step: int, metric: str, value: float, **columns: Any) -> dict[str, Any]:
    return {"step": step, "metric": metric, "value": value, "floor": 10.0, "split": "held_out", **columns}


def modes(*values: float, **columns: Any) -> list[dict[str, Any]]:
    return [row(10 * at, "modes", value, **columns) for at, value in enumerate(values, 1)]


def collapsed(rows: list[dict[str, Any]], *, at_the_end: bool = True, **options: Any) -> str:
    found = outcomes.mode_collapse(rows, ModeCollapse(**options), at_the_end=at_the_end)
    assert found is None or found.status == "mode_collapse"
    return found.reason if found else ""


def test_too_few_classes_up_to_the_end_are_a_collapse_and_since_when() -> None:
    assert collapsed(modes(9, 2, 1, 3)) == "3 of 10 classes at step 40, too little since step 20"


def test_images_that_recover_have_not_collapsed() -> None:
    assert collapsed(modes(1, 1, 1, 1, 9)) == ""


def test_it_takes_several_evaluations_in_a_row() -> None:
    assert collapsed(modes(9, 9, 1, 1)) == ""
    assert collapsed(modes(9, 9, 1, 1), evaluations=2) != ""


def test_at_the_end_all_of_the_few_evaluations_do_and_before_none() -> None:
    assert collapsed(modes(1)) != ""
    assert collapsed(modes(1, 1), at_the_end=False) == ""
    assert collapsed(modes(1, 1, 1), at_the_end=False) != ""


def test_too_little_recall_is_a_collapse_too() -> None:
    rows = [row(10, "recall", 0.001), row(10, "modes", 10.0)]
    assert collapsed(rows) == "recall 0.001 at step 10, too little since step 10"
    assert collapsed([row(10, "recall", 0.3), row(10, "modes", 10.0)]) == ""
    both = [row(10, "recall", 0.001), *modes(2)]
    assert collapsed(both) == "recall 0.001, 2 of 10 classes at step 10, too little since step 10"


def test_classes_are_compared_with_what_a_perfect_generator_would_have_of_so_many_images() -> None:
    assert collapsed(modes(400, floor=630.0)) == ""
    assert collapsed(modes(300, floor=630.0)) != ""


@pytest.mark.parametrize("rows", [[], [row(10, "frechet", 900.0)], modes(1, split="selection")])
def test_what_was_not_measured_is_no_collapse(rows: list[dict[str, Any]]) -> None:
    assert collapsed(rows) == ""


def test_values_that_are_none_are_no_collapse() -> None:
    assert collapsed([row(10, "recall", math.nan), *modes(math.nan)]) == ""


def test_training_ends_without_a_new_best_one_for_as_long_as_it_was_told() -> None:
    evaluation = Evaluation(select="frechet", patience=2)
    assert outcomes.ends_early([], Best(30, 1.0, behind=1), evaluation) == ""
    reason = outcomes.ends_early([], Best(30, 1.0, behind=2), evaluation)
    assert reason == "no better frechet in 2 evaluations since step 30"


@pytest.mark.parametrize("ends", [False, True])
def test_training_ends_at_a_collapse_where_it_was_told_so(ends: bool) -> None:
    evaluation = Evaluation(mode_collapse=ModeCollapse(ends=ends))
    assert bool(outcomes.ends_early(modes(1, 1, 1), None, evaluation)) is ends


def parts(losses: np.ndarray, cuts: tuple[int, ...] = ()) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The losses of steps 1, 2, ..., the last part first."""
    steps = np.arange(1, len(losses) + 1)
    pieces = zip(np.split(steps, cuts), np.split(losses.astype(np.float32), cuts), strict=True)
    return reversed([piece for piece in pieces if len(piece[0])])


def won(losses: np.ndarray, loss: LossOptions = CE, cuts: tuple[int, ...] = (), **options: Any) -> str:
    given = {"steps": 100, **options}
    found = outcomes.discriminator_won(parts(losses, cuts), loss, DiscriminatorWon(**given))
    assert found is None or found.status == "discriminator_won"
    return found.reason if found else ""


def test_a_discriminator_that_errs_no_more_up_to_the_end_has_won_and_since_when() -> None:
    losses = np.repeat([1.0, 0.01], [200, 150])
    assert won(losses) == ("d_loss 0.01 in the end, where guessing costs 1.4: below 0.069 since step 201")


@pytest.mark.parametrize(
    "losses",
    [
        np.full(500, 0.1),
        np.repeat([0.01, 1.0], [400, 10]),  # the generator has come back
        np.repeat([1.0, 0.01], [400, 99]),  # not for long enough
        np.full(50, 0.01),
    ],
)
def test_one_that_still_errs_or_has_won_for_moments_only_has_not(losses: np.ndarray) -> None:
    assert won(losses) == ""


def test_no_more_losses_are_read_than_are_needed() -> None:
    pieces = parts(np.full(1000, 1.0), tuple(range(100, 1000, 100)))
    outcomes.discriminator_won(pieces, CE, DiscriminatorWon(steps=100))
    assert next(pieces)[0][0] == 801


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**31), st.lists(st.integers(0, 300), unique=True, max_size=6))
def test_how_the_losses_were_cut_into_parts_is_no_matter(seed: int, cuts: list[int]) -> None:
    losses = np.random.default_rng(seed).exponential(0.02, 300)
    assert won(losses, cuts=tuple(sorted(cuts)), margin=0.016) == won(losses, margin=0.016)


LOSSES = [
    CE,
    non_saturating.Options(real_label=0.9),
    non_saturating.Options(combine="mean"),
    minimax.Options(),
    least_squares.Options(),
    hinge.Options(),
    hinge.Options(combine="mean"),
    relativistic.Options(),
]


@pytest.mark.parametrize("loss", LOSSES, ids=[f"{loss.name}{index}" for index, loss in enumerate(LOSSES)])
def test_the_bounds_of_a_loss_are_its_least_and_the_best_of_guesses(loss: LossOptions) -> None:
    import tensorflow as tf

    def d_loss(real: np.ndarray, fake: np.ndarray) -> np.ndarray:
        found = loss.discriminator(tf.constant(real), tf.constant(fake))
        return loss.weight_of_a_part * np.sum([part.numpy() for part in found.values()], axis=0)

    scores = np.linspace(-20, 20, 4001)
    assert loss.bounds is not None
    least, guessing = loss.bounds
    both = np.meshgrid(scores[::10], scores[::10])
    assert d_loss(*both).min() == pytest.approx(least, abs=1e-3)
    assert d_loss(scores, scores).min() == pytest.approx(guessing, abs=1e-3)


def test_the_critic_of_wasserstein_never_wins() -> None:
    assert wasserstein.Options().bounds is None
    assert won(np.full(500, -1e9), wasserstein.Options()) == ""
