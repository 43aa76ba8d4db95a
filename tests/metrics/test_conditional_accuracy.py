"""The share of images of the class that was asked for."""

from __future__ import annotations

import pytest

from gandist.metrics import conditional_accuracy
from tests.metrics import sets


def test_of_all_and_of_each_class() -> None:
    found = conditional_accuracy.measure(
        sets.classified([0, 1, 2], [0, 0, 1, 0, 2, 2], asked=[0, 0, 1, 1, 2, 2])
    )
    assert {value.name: value.value for value in found} == pytest.approx(
        {
            "conditional_accuracy": 5 / 6,
            "conditional_accuracy_0": 1.0,
            "conditional_accuracy_1": 0.5,
            "conditional_accuracy_2": 1.0,
        }
    )
    assert found[0].error == pytest.approx((5 / 6 * 1 / 6 / 6) ** 0.5)


def test_none_where_no_class_was_asked_for() -> None:
    assert conditional_accuracy.measure(sets.classified([0, 1, 2], [0, 1, 2])) == []
