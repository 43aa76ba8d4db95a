"""When losses are out of bounds: the same answer however its steps are cut into blocks."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gandist.spec.sections import EarlyStopping
from gandist.training.stability import Stability


def columns(first: int, d_loss: list[float], g_loss: list[float] | None = None) -> dict[str, np.ndarray]:
    steps = np.arange(first, first + len(d_loss))
    return {
        "step": steps,
        "d_loss": np.asarray(d_loss, np.float32),
        "g_loss": np.asarray(g_loss if g_loss is not None else [1.0] * len(d_loss), np.float32),
    }


def test_a_discriminator_that_has_won_ends_the_trial_at_the_end_of_the_window() -> None:
    stability = Stability(EarlyStopping(window=4, d_loss_below=0.1))
    assert stability.add(columns(1, [0.05, 0.05])) == ""
    reason = stability.add(columns(3, [0.05, 0.15]))
    assert reason == "d_loss averaged 0.075, below 0.1, over the 4 steps up to 4"


def test_a_generator_that_has_lost_ends_it_too() -> None:
    stability = Stability(EarlyStopping(window=2, d_loss_below=0.1, g_loss_above=5.0))
    reason = stability.add(columns(1, [0.01, 0.01], [7.0, 9.0]))
    assert reason.startswith("d_loss averaged 0.01, below 0.1 and g_loss averaged 8, above 5")


def test_patience_counts_windows_in_a_row() -> None:
    stability = Stability(EarlyStopping(window=1, patience=2, d_loss_below=0.1))
    low, high = [0.0], [1.0]
    assert [bool(stability.add(columns(i, loss))) for i, loss in enumerate([low, high, low, low], 1)] == [
        False,
        False,
        False,
        True,
    ]


def test_without_bounds_nothing_ends_a_trial() -> None:
    stability = Stability(None)
    assert stability.next_stop(7) is None
    assert stability.add(columns(1, [0.0] * 1000)) == ""


@pytest.mark.parametrize(("step", "stop"), [(0, 10), (9, 10), (10, 20), (13, 20)])
def test_blocks_end_with_windows(step: int, stop: int) -> None:
    assert Stability(EarlyStopping(window=10, d_loss_below=0.1)).next_stop(step) == stop


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(0, 0.25, width=32), min_size=12, max_size=12),
    st.lists(st.integers(1, 11), unique=True, max_size=5),
    st.integers(0, 11),
)
def test_the_answer_depends_neither_on_blocks_nor_on_a_continuation(
    losses: list[float], cuts: list[int], killed_at: int
) -> None:
    options = EarlyStopping(window=4, patience=2, d_loss_below=0.125)

    def reasons(cuts: list[int], killed_at: int | None) -> list[str]:
        stability, found = Stability(options), []
        edges = sorted({0, 4, 8, 12, *cuts} | ({killed_at} if killed_at else set()))
        for first, stop in itertools.pairwise(edges):
            if first == killed_at:
                resumed = Stability(options)
                resumed.load_state(stability.state())
                stability = resumed
            found.append(stability.add(columns(first + 1, losses[first:stop])))
        return [reason for reason in found if reason]

    assert reasons(cuts, killed_at) == reasons([], None)
