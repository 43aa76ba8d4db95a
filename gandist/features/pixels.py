"""The 32 leading principal components of the training pixels, each scaled to variance 1: no network.

Only means and covariances of pixels count by them: images drawn from a normal distribution with the leading
components of MNIST are blurs, and yet at a smaller Frechet distance than 40 of 55 trained generators. So they
order generators that make sharp images; a low distance alone does not say that the images are good.
"""

from __future__ import annotations

import hashlib
from typing import Literal

import numpy as np

from gandist.activity import Activity, Tell, silent
from gandist.data import Dataset
from gandist.features._base import FeatureOptions, Seen
from gandist.order import permutation

COMPONENTS = 32
IMAGES = 10_000
"""Of the training set, from which the components are taken."""
SIDE = 32
"""Larger images are averaged down to about this side first: the leading components are smooth."""


class Options(FeatureOptions):
    """The features section of a job file."""

    name: Literal["pixels"] = "pixels"


class Components:
    """See above.

    Args:
        images: uint8 ``[n, height, width, channels]``, of which the components are; n > 1.
    """

    def __init__(self, images: np.ndarray) -> None:
        from sklearn.decomposition import PCA  # half a second

        pixels = _pixels(images)
        count = min(COMPONENTS, pixels.shape[1], len(pixels) - 1)
        # The randomized solver with a fixed state is as deterministic as the full one, and far faster.
        self.about = ""
        self._components = PCA(count, whiten=True, svd_solver="randomized", random_state=0).fit(pixels)
        self.id = f"pixels-{hashlib.sha256(self._components.components_.tobytes()).hexdigest()[:12]}"

    def look(self, images: np.ndarray, tell: Tell = silent) -> Seen:
        """Features float32 ``[n, 32]``."""
        tell(Activity("computing features"))
        return Seen(self._components.transform(_pixels(images)).astype(np.float32))


def load(options: Options, dataset: Dataset, tell: Tell = silent) -> Components:
    """The components of the training images."""
    some = np.sort(permutation(0, 0, len(dataset))[:IMAGES])
    return Components(np.asarray(dataset.images[some]))


def _pixels(images: np.ndarray) -> np.ndarray:
    """float32 ``[n, features]`` in [0, 1]."""
    count, height, width, channels = images.shape
    factor = max(1, min(height, width) // SIDE)
    kept = images[:, : height // factor * factor, : width // factor * factor].astype(np.float32)
    blocks = kept.reshape(count, height // factor, factor, width // factor, factor, channels)
    means: np.ndarray = blocks.mean(axis=(2, 4)).reshape(count, -1) / 255.0
    return means
