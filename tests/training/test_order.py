"""The order in which images are seen."""

from __future__ import annotations

import numpy as np

from gandist.spec.budget import Budget
from gandist.spec.sections import Training
from gandist.training.order import indices

BUDGET = Budget(Training(epochs=3), batch_size=4, size=10)


def test_every_epoch_shows_every_image_once() -> None:
    order = indices(BUDGET, seed=0, first=0, stop=5).ravel()
    assert sorted(order[:10]) == sorted(order[10:20]) == list(range(10))
    assert list(order[:10]) != list(order[10:20])


def test_order_does_not_depend_on_how_steps_are_cut() -> None:
    whole = indices(BUDGET, seed=3, first=0, stop=6)
    parts = [indices(BUDGET, seed=3, first=a, stop=b) for a, b in ((0, 1), (1, 4), (4, 6))]
    np.testing.assert_array_equal(whole, np.concatenate(parts))


def test_seeds_have_orders_of_their_own() -> None:
    assert not np.array_equal(indices(BUDGET, 0, 0, 5), indices(BUDGET, 1, 0, 5))
