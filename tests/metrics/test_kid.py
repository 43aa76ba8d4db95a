"""The kernel distance: against the formula written out, and its error against what repetition shows."""

from __future__ import annotations

import numpy as np
import pytest

from gandist.metrics import Value, kid
from tests.metrics import sets


def measured(real: np.ndarray, generated: np.ndarray) -> Value:
    (value,) = kid.measure(sets.of(real, generated))
    return value


def mmd(x: np.ndarray, y: np.ndarray) -> float:
    """Gretton et al. 2012, equation 3, with the kernel of Binkowski et al. 2018, pair by pair."""

    def kernel(a: np.ndarray, b: np.ndarray) -> float:
        return float((a @ b / len(a) + 1) ** 3)

    def mean_of_pairs(z: np.ndarray) -> float:
        return float(np.mean([kernel(a, b) for i, a in enumerate(z) for j, b in enumerate(z) if i != j]))

    return mean_of_pairs(x) + mean_of_pairs(y) - 2 * float(np.mean([kernel(a, b) for a in x for b in y]))


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(0)


def test_it_is_the_mean_over_all_pairs(random: np.random.Generator) -> None:
    real, generated = random.normal(size=(12, 4)), random.normal(0.5, 2.0, size=(9, 4))
    expected = mmd(real.astype(np.float32).astype(float), generated.astype(np.float32).astype(float))
    assert measured(real, generated).value == pytest.approx(expected, rel=1e-12)


def test_parts_of_the_kernel_add_up(random: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    real, generated = random.normal(size=(50, 4)), random.normal(size=(40, 4))
    whole = measured(real, generated)
    monkeypatch.setattr(kid, "PART", 130)
    part = measured(real, generated)
    assert (part.value, part.error) == pytest.approx((whole.value, whole.error), rel=1e-9)


def test_it_is_unbiased(random: np.random.Generator) -> None:
    draws = [measured(*random.normal(size=(2, 20, 3))).value for _ in range(300)]
    assert abs(np.mean(draws)) < 3 * np.std(draws) / np.sqrt(len(draws))
    assert min(draws) < 0 < max(draws)


def test_its_error_is_what_repetition_shows(random: np.random.Generator) -> None:
    found = [measured(random.normal(size=(60, 3)), random.normal(0.7, 1, size=(60, 3))) for _ in range(200)]
    spread, error = np.std([one.value for one in found]), np.mean([one.error or 0.0 for one in found])
    assert error == pytest.approx(spread, rel=0.2)


def test_without_a_difference_its_error_is_rather_too_large(random: np.random.Generator) -> None:
    found = [measured(*random.normal(size=(2, 60, 3))) for _ in range(200)]
    spread, error = np.std([one.value for one in found]), np.mean([one.error or 0.0 for one in found])
    assert 1.0 < error / spread < 1.7
