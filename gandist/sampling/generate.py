"""Images from an exported generator, at latents that are a pure function of (seed, index)."""

from __future__ import annotations

from gandist import tensorflow_start  # isort: skip  # noqa: F401 - before whatever loads TensorFlow

import contextlib
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from gandist.artifacts.images import layout
from gandist.sampling.sampler import Sampler
from gandist.spec.trial import TrialSpec

BATCH = 32
"""Images made at a time, always: in batches of another size the same image might differ in its last bit."""


def generate(sampler: Sampler, latents: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Images uint8 ``[n, height, width, channels]``: image k depends on latent k and label k
    alone, and on k where layers draw.

    Args:
        sampler: the generator.
        latents: float32 ``[n, latent_dim]``.
        labels: int32 ``[n]``; not looked at by an unconditional generator.
    """
    count = len(latents)
    missing = -count % BATCH
    whole = np.pad(latents, ((0, missing), (0, 0)), "edge"), np.pad(labels, (0, missing), "edge")
    return sampler.generate(*whole, batch=BATCH)[:count]


def open_generator(
    trial: TrialSpec, image_shape: tuple[int, int, int], classes: int, content: bytes, where: str
) -> Sampler:
    """The generator of an exported file, see ``Sampler.load``, on this machine's first GPU if it has one.

    Raises:
        CheckpointError: the file is damaged, or of another model.
        UsageError: the architecture cannot make images of that shape.
    """
    for gpu in tf.config.list_physical_devices("GPU"):
        # Else TensorFlow takes all of a GPU's memory, which a trial may be training on.
        with contextlib.suppress(RuntimeError):  # the devices are in use already, however they were set up
            tf.config.experimental.set_memory_growth(gpu, True)
    return Sampler.load(trial, image_shape, classes, content, where)


def draw(seed: int, count: int, dimensions: int) -> np.ndarray:
    """Standard normal float32 ``[count, dimensions]``: row k is a function of (seed, k) and of no other row.

    Box and Muller's (1958) transform of raw Philox output, whose stream NumPy guarantees; that of its own
    normal distribution it does not. So all machines and versions agree, up to the rounding of log and cos.

    Args:
        seed: from 0 on.
    """
    pairs = -(-dimensions // 2)
    bits = np.random.Philox(key=seed).random_raw(count * 2 * pairs).reshape(count, 2, pairs)
    uniform = ((bits >> np.uint64(11)) + 0.5) * 2.0**-53  # in (0, 1): the logarithm is finite
    radius, angle = np.sqrt(-2.0 * np.log(uniform[:, 0])), 2.0 * np.pi * uniform[:, 1]
    normal = np.concatenate([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return normal[:, :dimensions].astype(np.float32)


def draw_path(seed: int, count: int, dimensions: int, through: Sequence[int] = ()) -> np.ndarray:
    """A closed path float32 ``[count, dimensions]``, from latent to latent of ``draw`` and back to the first.

    Args:
        seed: as for ``draw``.
        count: points, spread evenly.
        dimensions: of a latent.
        through: which latents, two or more; by default the first ones, as many as a grid has rows and at
            least three. So in a grid whose last row is full, each row begins with a latent of ``draw``.
    """
    chosen = through or range(max(3, layout(count)[0]))  # between two, the way back is the way there
    corners = draw(seed, max(chosen) + 1, dimensions)[list(chosen)].astype(np.float64)
    keys, points = len(corners), []
    for i in range(count):
        corner, rest = divmod(i * keys, count)
        points.append(slerp(corners[corner], corners[(corner + 1) % keys], rest / count))
    return np.stack(points).astype(np.float32)


def slerp(one: np.ndarray, other: np.ndarray, fraction: float) -> np.ndarray:
    """Spherical interpolation (White 2016) of two float64 ``[dimensions]``: ``one`` at 0, ``other`` at 1.

    A straight line between two latents passes closer to the origin than the generator's training latents lie.
    """
    cosine = one @ other / (np.linalg.norm(one) * np.linalg.norm(other))
    angle = np.arccos(np.clip(cosine, -1.0, 1.0))
    if np.sin(angle) < 1e-6:  # on one line through the origin: there is no one arc
        return (1.0 - fraction) * one + fraction * other
    weights = np.sin((1.0 - fraction) * angle), np.sin(fraction * angle)
    result: np.ndarray = (weights[0] * one + weights[1] * other) / np.sin(angle)
    return result
