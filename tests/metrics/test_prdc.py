"""Precision, recall, density and coverage: against their definitions, pair by pair."""

from __future__ import annotations

import numpy as np
import pytest

from gandist.metrics import _neighbours, prdc
from tests.metrics import sets


def measured(real: np.ndarray, generated: np.ndarray) -> dict[str, float]:
    return {value.name: value.value for value in prdc.measure(sets.of(real, generated))}


def by_definition(real: np.ndarray, generated: np.ndarray, k: int) -> dict[str, float]:
    """Naeem et al. 2020, equations 2 to 6."""

    def apart(a: np.ndarray, b: np.ndarray) -> float:
        return float(np.linalg.norm(a - b))

    def ball(own: np.ndarray) -> list[float]:
        return [sorted(apart(a, b) for b in own)[k] for a in own]

    real_balls, balls = ball(real), ball(generated)
    inside = [[apart(g, r) < size for r, size in zip(real, real_balls, strict=True)] for g in generated]
    recalled = [any(apart(r, g) < size for g, size in zip(generated, balls, strict=True)) for r in real]
    return {
        "precision": float(np.mean([any(of) for of in inside])),
        "recall": float(np.mean(recalled)),
        "density": float(np.mean([sum(of) / k for of in inside])),
        "coverage": float(np.mean(np.any(inside, axis=0))),
    }


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(0)


def test_they_are_what_their_definitions_say(random: np.random.Generator) -> None:
    real, generated = random.normal(size=(40, 3)), random.normal(1.5, 0.8, size=(30, 3))
    found = measured(real, generated)
    assert found == pytest.approx(by_definition(real, generated, prdc.K))
    assert all(0.05 < value < 0.95 for value in found.values()), "else any rule would do"


def test_parts_of_the_distances_add_up(random: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    real, generated = random.normal(size=(40, 3)), random.normal(size=(30, 3))
    whole = measured(real, generated)
    monkeypatch.setattr(_neighbours, "PART", 90)
    assert measured(real, generated) == whole


def test_one_class_of_two_is_precise_and_recalls_half(random: np.random.Generator) -> None:
    one, other = random.normal(size=(2, 200, 2)) + np.array([[[0.0]], [[50.0]]])
    found = measured(np.concatenate([one, other]), random.normal(size=(400, 2)))
    assert found["precision"] > 0.9
    assert found["coverage"] == pytest.approx(0.5, abs=0.1)
    assert found["recall"] == pytest.approx(0.5, abs=0.1)


def test_few_images_have_few_neighbours() -> None:
    assert measured(np.array([[0.0], [1.0]]), np.array([[0.1], [5.0]])) == {
        "precision": 0.5,
        "recall": 1.0,
        "density": 1.0,
        "coverage": 1.0,
    }
