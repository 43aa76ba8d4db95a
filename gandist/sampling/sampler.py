"""Images from a trained generator: a plain copy of it, outside the strategy, in inference mode."""

from __future__ import annotations

from gandist import tensorflow_start  # isort: skip  # noqa: F401 - before whatever loads TensorFlow

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Protocol

import numpy as np
import tensorflow as tf

from gandist import models
from gandist.activity import Activity, Tell, silent
from gandist.errors import UsageError
from gandist.layers import registry
from gandist.layers.portable import portable
from gandist.layers.walk import layers_of
from gandist.randomness import Randomness, layers_draw_from
from gandist.sampling import exported
from gandist.spec.trial import TrialSpec

if TYPE_CHECKING:
    from collections.abc import Sequence

    import keras

BATCH = 256
CALIBRATION = 512
"""Images over which batch norm's statistics are taken anew for averaged weights."""


class Trained(Protocol):
    """Networks in training, as a sampler sees them."""

    @property
    def generator(self) -> keras.Model:
        """As ``models.build_generator`` makes it."""

    @property
    def ema(self) -> Sequence[tf.Variable]:
        """Averages of its trainable weights, in their order; empty where there are none."""


class Sampler:
    """A generator of one trial: ``update`` takes over what training has reached, ``load`` opens what it left.

    Args:
        trial: the trial.
        image_shape: ``(height, width, channels)``.
        classes: of a conditional generator, else 0.
    """

    def __init__(self, trial: TrialSpec, image_shape: tuple[int, int, int], classes: int = 0) -> None:
        self._trial = trial
        self.classes = classes
        self._step: int | None = None
        self.generator = portable(models.build_generator(trial.model, image_shape, classes))

    @classmethod
    def load(
        cls, trial: TrialSpec, image_shape: tuple[int, int, int], classes: int, content: bytes, where: str
    ) -> Sampler:
        """What ``export`` gave, as it was; the file may be a stranger's.

        The networks are built from ``trial``; of the file only the weights are read, and nothing else is
        believed. A file that does not fit is refused before memory is taken for the networks.

        Args:
            trial: what the file was exported from.
            image_shape: ``(height, width, channels)``.
            classes: of a conditional generator, else 0.
            content: of the ``.keras`` file.
            where: the file, for errors.

        Raises:
            CheckpointError: the file is damaged, or of another model.
            UsageError: the architecture cannot make images of that shape.
        """
        size = exported.weights_size(lambda: models.build_generator(trial.model, image_shape, classes))
        weights = exported.weights_of(content, size, where)
        sampler = cls(trial, image_shape, classes)
        exported.load(sampler.generator, weights, where)
        return sampler

    def update(self, gan: Trained, step: int) -> None:
        """Take the live weights after ``step``, or their moving average where there is one; once a step."""
        if step == self._step:
            return
        self._step = step
        for own, live in zip(self.generator.variables, gan.generator.variables, strict=True):
            own.assign(live.value.numpy())
        if gan.ema:
            for own, average in zip(self.generator.trainable_variables, gan.ema, strict=True):
                own.assign(average.numpy())
            self._recompute_statistics()

    def generate(
        self,
        latents: np.ndarray,
        labels: np.ndarray | None = None,
        batch: int = BATCH,
        tell: Tell = silent,
    ) -> np.ndarray:
        """Images uint8 ``[n, height, width, channels]``.

        Args:
            latents: float32 ``[n, latent_dim]``.
            labels: int32 ``[n]``, for a conditional generator; by default those of ``labels(n)``.
            batch: images made at a time.
            tell: told of each batch.
        """
        labels = self.labels(len(latents)) if labels is None else labels
        parts = []
        for start in range(0, len(latents), batch):
            tell(Activity("generating images", start, len(latents)))
            some = slice(start, start + batch)
            draw = self._randomness(f"layers{start}")
            parts.append(quantised(self._images(latents[some], labels[some], draw, training=False)))
        return np.concatenate(parts)

    def truncate(self, psi: float) -> None:
        """From now on pull styles towards their mean: 1 leaves them as they are, 0 makes all the mean.

        Raises:
            UsageError: no layer of the generator has a setting ``truncation``.
        """
        found = [layer for layer in layers_of(self.generator) if hasattr(layer, "truncation")]
        if not found:
            raise UsageError(
                f"--truncation {psi:g}: the generator of model {self._trial.model.name} has no mean style to "
                "pull towards; leave it out"
            )
        for layer in found:
            layer.truncation = psi

    def latents(self, count: int, stream: str = "samples") -> np.ndarray:
        """Standard normal float32 ``[count, latent_dim]``, the trial's own: the same at each call."""
        drawn: np.ndarray = self._trial.model.latents(self._randomness(stream), count).numpy()
        return drawn

    def _randomness(self, stream: str) -> Randomness:
        return Randomness(self._trial.seed, tf.constant(0, tf.int64)).stream(stream)

    def labels(self, count: int) -> np.ndarray:
        """int32 ``[count]``: the classes in turn; all 0 for an unconditional generator."""
        return np.arange(count, dtype=np.int32) % max(1, self.classes)

    def _images(
        self, latents: np.ndarray, labels: np.ndarray, randomness: Randomness, training: bool
    ) -> np.ndarray:
        inputs = [latents, labels] if self.classes else latents
        with layers_draw_from(randomness):
            made: np.ndarray = self.generator(inputs, training=training).numpy()
        return made

    def export(self) -> bytes:
        """The generator as a ``.keras`` file.

        Where all its layers are Keras' own, it loads without gandist, whatever the backend; see ``loading``.
        """
        with TemporaryDirectory() as folder:
            path = Path(folder) / "generator.keras"
            # Statistics over replicas are TensorFlow's alone, and no matter once a network is trained.
            portable(self.generator, synchronized=False, fixed_noise=True).save(path)
            return path.read_bytes()

    @property
    def loading(self) -> str:
        """How Keras loads what ``export`` gives, in one line; empty where it needs nothing from gandist."""
        return registry.loading(self.generator)

    def _recompute_statistics(self) -> None:
        """The live generator's moving statistics are wrong for averaged weights: take one batch's instead."""
        norms = [layer for layer in layers_of(self.generator) if hasattr(layer, "moving_variance")]
        if not norms:
            return
        momenta = [layer.momentum for layer in norms]
        for layer in norms:
            layer.momentum = 0.0
        draw = self._randomness("calibration_layers")
        self._images(self.latents(CALIBRATION, "calibration"), self.labels(CALIBRATION), draw, training=True)
        for layer, momentum in zip(norms, momenta, strict=True):
            layer.momentum = momentum


def quantised(images: np.ndarray) -> np.ndarray:
    """A network's images float32 in [-1, 1] as uint8 of the same shape."""
    return np.clip(np.rint((images + 1.0) * 127.5), 0, 255).astype(np.uint8)
