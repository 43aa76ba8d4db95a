"""One more channel: by how much the samples of a group differ (Karras et al. 2018, section 3)."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from gandist.layers.minibatch_std import MinibatchStd

pytestmark = pytest.mark.usefixtures("devices")


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def of_groups(x: np.ndarray, *sizes: int) -> np.ndarray:
    """The mean deviation of each sample's group, ``[batch]``; groups of ``sizes`` lie side by side."""
    groups = np.split(x, np.cumsum(sizes)[:-1])
    return np.concatenate([np.full(len(group), np.std(group, axis=0).mean()) for group in groups])


@pytest.mark.parametrize("shape", [(8, 2, 3, 5), (8, 5)])
def test_the_deviation_within_each_group_of_consecutive_samples_is_appended(shape: tuple[int, ...]) -> None:
    x = noise(*shape)
    found = MinibatchStd(4)(x).numpy()
    np.testing.assert_array_equal(found[..., :-1], x)
    expected = np.broadcast_to(of_groups(x, 4, 4).reshape(8, *[1] * (len(shape) - 2)), shape[:-1])
    np.testing.assert_allclose(found[..., -1], expected, rtol=1e-5)


@pytest.mark.parametrize(("batch", "sizes"), [(4, (4,)), (7, (7,)), (10, (4, 6)), (3, (3,)), (1, (1,))])
def test_samples_that_fill_no_group_join_the_last_one(batch: int, sizes: tuple[int, ...]) -> None:
    x = noise(batch, 5)
    found = MinibatchStd(4)(x).numpy()[:, -1]
    np.testing.assert_allclose(found, of_groups(x, *sizes), rtol=1e-5, atol=1.1e-4)  # the root of 1e-8


def test_a_network_with_it_has_one_more_channel() -> None:
    inputs = keras.Input((2, 3, 5))
    assert MinibatchStd(4)(inputs).shape == (None, 2, 3, 6)
