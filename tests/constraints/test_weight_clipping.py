"""Clipped weights."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from gandist.constraints.weight_clipping import Options

pytestmark = pytest.mark.usefixtures("devices")


def test_clipped_weights_stay_within_the_limit() -> None:
    found = Options(limit=0.5).constrained(tf.constant([-2.0, -0.5, 0.1, 0.7]))
    np.testing.assert_array_equal(found, np.array([-0.5, -0.5, 0.1, 0.5], np.float32))


def test_it_bounds_the_slope() -> None:
    assert Options.bounds_the_slope
