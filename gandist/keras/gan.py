"""A GAN as a ``keras.Model``, around the train step of jobs."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np

from gandist import models
from gandist.data import Dataset
from gandist.errors import UsageError
from gandist.keras import images as arrays
from gandist.keras import own
from gandist.keras.sections import Given, Sections, Several
from gandist.sampling.generate import draw, generate
from gandist.sampling.sampler import Sampler
from gandist.training import hardware
from gandist.training.gan import build_networks
from gandist.training.trainer import Trainer

HIDDEN = {"step", "d_loss_real", "d_loss_fake", "d_grad_norm", "g_grad_norm"}
"""Would crowd a progress bar."""


class _Untrained(NamedTuple):
    """Networks before the first ``fit``, as a sampler sees them."""

    generator: keras.Model
    ema: Sequence[Any] = ()


class GAN(keras.Model):
    """A generator and a discriminator, trained the way of Keras.

    ::

        gan = gandist.keras.GAN(model="dcgan", loss="hinge", regularizers={"r1": {"gamma": 0.1}})
        gan.compile(optimizer={"learning_rate": 2e-4, "beta_1": 0.5})
        gan.fit(images, epochs=20, batch_size=64, callbacks=[LossPlot("losses.png"), SampleGrid("grids")])
        gan.generate(16)

    Each section is what it is in a job file, docs/job_file.md: a name, or a mapping. The steps are those of a
    job with the same sections: random numbers are a function of the seed and the step, so two ``fit`` of one
    epoch are one ``fit`` of two.

    What a job has and this has not: an exact resume (``save_weights`` keeps the networks, not the optimizers,
    averages and the step), evaluation, several seeds and devices, a report; and it promises the same bits
    only in a process that has not used TensorFlow before.

    Attributes:
        generator: latents ``[batch, latent_dim]`` (with labels, where conditional) to images in [-1, 1].
        discriminator: images (with labels) to logits.

    Args:
        model: an architecture; leave it out with networks of your own.
        loss: by default that of a job.
        regularizers: a name, several, or ``{name: options}``.
        constraints: likewise.
        augmentation: of what the discriminator sees.
        training: some of ``update``, ``n_critic``, ``generator_ema``, ``generator_ema_warmup``,
            ``precision`` and ``xla``.
        generator: your own: latents ``[batch, n]``, and labels ``[batch]`` where conditional, to images
            ``[batch, height, width, channels]`` in [-1, 1]. Layers of Keras that draw random numbers, such as
            Dropout, keep a state of their own.
        discriminator: your own: images, and labels, to logits ``[batch, 1]``.
        image_shape: ``(height, width, channels)``: builds the networks now, and not with the first ``fit``.
        classes: that a conditional model tells apart, where ``image_shape`` is given.
        seed: of weights, order of the images, latents and layers.

    Raises:
        SpecError: a section is wrong; one line per mistake.
        UsageError: the networks do not fit.
    """

    def __init__(
        self,
        model: Given = None,
        loss: Given = None,
        regularizers: Several = None,
        *,
        constraints: Several = None,
        augmentation: Given = None,
        training: dict[str, Any] | None = None,
        generator: keras.Model | None = None,
        discriminator: keras.Model | None = None,
        image_shape: tuple[int, int, int] | None = None,
        classes: int = 0,
        seed: int = 0,
        name: str = "gan",
    ) -> None:
        super().__init__(name=name)
        networks = None
        if generator is not None or discriminator is not None:
            if model is not None:
                raise UsageError("model: leave it out with a generator and a discriminator of your own")
            networks = own.options(generator, discriminator)
            image_shape = networks.image_shape
        self._sections = Sections(
            model, loss, regularizers, constraints, augmentation, training, seed, networks
        )
        self._optimizer: Given = None
        self._trial = self._sections.trial()
        self.generator, self.discriminator = generator, discriminator
        self._image_shape, self._classes = image_shape, classes
        self._trainer: Trainer | None = None
        self._trained_on: tuple[str, int] | None = None
        """The images' fingerprint, and the batch size."""
        self._sampler: Sampler | None = None
        self._copies = itertools.count()
        self._blocks: list[dict[str, np.ndarray]] = []
        """The figures of this epoch's steps so far."""
        self.built = True  # there is nothing for Keras to find out by calling it
        if networks is None and image_shape is not None:
            self._build(image_shape, classes)

    def compile(self, optimizer: Given = None, *, steps_per_execution: int = 16) -> None:
        """Choose how the networks are optimised.

        Args:
            optimizer: the section of a job file: a name, or a mapping with ``learning_rate`` and the rest.
            steps_per_execution: at most so many steps between two calls of ``on_train_batch_end``.

        Raises:
            SpecError: it is wrong; one line per mistake.
        """
        self._trial = self._sections.trial(optimizer)
        self._optimizer, self._most, self._trainer = optimizer, max(1, steps_per_execution), None
        super().compile(optimizer=None, jit_compile=False)

    def fit(
        self,
        x: Any,
        y: Any = None,
        *,
        epochs: int = 1,
        batch_size: int = 32,
        callbacks: Sequence[keras.callbacks.Callback] | None = None,
        verbose: str | int = "auto",
    ) -> keras.callbacks.History:
        """Train; once more, and it goes on.

        The images are read as one endless row of epochs, each in an order of its own. An epoch of the
        progress bar is as many steps as show each image once, rounded up.

        Args:
            x: images uint8 or float in [-1, 1], ``[n, height, width]`` or ``[n, height, width, channels]``;
                or a pair of these and labels.
            y: labels int ``[n]``, for a conditional model.
            epochs: passes over the images.
            batch_size: images a step.
            callbacks: any of Keras' that do not reach for a Keras optimizer.
            verbose: as of Keras.

        Returns:
            Keras' History: means over each epoch.

        Raises:
            UsageError: the images or labels are not what the networks take; nothing was trained.
        """
        if isinstance(x, tuple) and y is None:
            x, y = x
        found = arrays.dataset(x, y)
        if (y is not None) != self._trial.model.conditional:
            raise UsageError(
                "labels: the model is unconditional: leave them out, or give it conditional: true"
                if y is not None
                else "labels: the model is conditional: give fit((images, labels))"
            )
        self._assert_compile_called("fit")
        trainer = self._take(found, batch_size)
        steps = trainer.budget.step_of_epoch(1)
        self.steps_per_execution = max(it for it in range(1, self._most + 1) if steps % it == 0)
        return super().fit(
            np.arange(steps), batch_size=1, shuffle=False, epochs=epochs, callbacks=callbacks, verbose=verbose
        )

    def generate(self, n: int = 16, label: int | Sequence[int] | None = None, *, seed: int = 0) -> np.ndarray:
        """Images uint8 ``[n, height, width, channels]``; of the averaged weights where there are some.

        Image k is a function of the weights, ``seed``, k and its class alone.

        Args:
            n: how many.
            label: of a conditional model: one for all, or one for each image; by default they take turns.
            seed: of the latents.

        Raises:
            UsageError: there are no networks yet, or no such class, or not one label for each image.
        """
        if n < 1 or seed < 0:
            raise UsageError(f"n {n}, seed {seed}: give n from 1 on, and a seed from 0 on")
        sampler = self._up_to_date()
        labels = sampler.labels(n)
        if label is not None:
            given = np.asarray(label)
            if given.dtype.kind not in "iu" or given.shape not in ((), (n,)):
                raise UsageError(f"label: {label}; give an int, or one for each of the {n} images")
            if given.min() < 0 or given.max() >= self._classes:
                raise UsageError(f"label: {label}; the model has {self._classes} classes, from 0 on")
            labels = np.broadcast_to(given, n).astype(np.int32)
        return generate(sampler, draw(seed, n, self._trial.model.latent_dim), labels)

    def export(self, path: str | Path) -> None:
        """Write the generator that ``generate`` draws from, averages included, as a ``.keras`` file."""
        Path(path).write_bytes(self._up_to_date().export())

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """What the generator makes of ``inputs``."""
        return self._networks()[0](inputs, training=training)

    def save(self, *_: Any, **__: Any) -> None:
        """Refused: Keras could not load it."""
        raise UsageError(
            f"{self.name}: cannot be saved as a whole; keep the networks with save_weights, or the generator "
            "with export"
        )

    def load_weights(self, filepath: str | Path, **options: Any) -> None:
        """Networks as ``save_weights`` has kept them; optimizers, averages and the step begin anew."""
        self._networks()
        super().load_weights(filepath, **options)
        self._trainer = None

    def make_train_function(self, force: bool = False) -> None:
        """What Keras calls for each ``steps_per_execution`` steps: a block of the trainer's."""
        self.train_function = self._train_block

    def reset_metrics(self) -> None:
        """Begin an epoch."""
        self._blocks = []

    def _train_block(self, _: Any) -> dict[str, float]:
        assert self._trainer is not None  # noqa: S101 - of ``fit``
        trainer = self._trainer
        self._blocks.append(trainer.run(trainer.step + self.steps_per_execution))
        logs = {}
        for name in [name for name in self._blocks[0] if name not in HIDDEN]:
            values = np.concatenate([block[name] for block in self._blocks])
            if name in trainer.gan.optional:  # not computed in each step: NaN where it was not
                values = values[~np.isnan(values)]
            logs[name] = float(values.mean()) if values.size else math.nan
        return logs

    def _take(self, found: Dataset, batch_size: int) -> Trainer:
        """A trainer on these images, which goes on where the one before has stopped."""
        trial = self._sections.trial(self._optimizer, batch_size)
        if self.generator is None:
            self._build(found.image_shape, len(found.class_names))
        if found.image_shape != self._image_shape:
            raise UsageError(f"images: {found.image_shape}; the networks are for {self._image_shape}")
        self._classes = self._classes or models.classes(trial.model, found.class_names)
        if len(found.class_names) > self._classes:
            raise UsageError(
                f"labels: up to {len(found.class_names) - 1}; the model has {self._classes} classes"
            )
        if self._trainer is None or self._trained_on != (found.fingerprint, batch_size):
            before = self._trainer.state() if self._trainer else None
            self._trainer = Trainer(trial, found, hardware.strategy(trial.resources), self._networks())
            self._trained_on = found.fingerprint, batch_size
            if before is not None:
                self._trainer.load_state(before)
        return self._trainer

    def _build(self, image_shape: tuple[int, int, int], classes: int) -> None:
        self._classes = models.classes(self._trial.model, [str(index) for index in range(classes)])
        with hardware.strategy(self._trial.resources).scope():
            self.generator, self.discriminator = build_networks(self._trial, image_shape, self._classes)
        self._image_shape = image_shape

    def _networks(self) -> tuple[keras.Model, keras.Model]:
        if self.generator is None or self.discriminator is None:
            raise UsageError(f"{self.name}: no networks yet; call fit first, or give image_shape=(28, 28, 1)")
        return self.generator, self.discriminator

    def _up_to_date(self) -> Sampler:
        """A sampler with the weights as they are."""
        generator, _ = self._networks()
        if self._sampler is None:
            assert self._image_shape is not None  # noqa: S101 - there are networks
            self._sampler = Sampler(self._trial, self._image_shape, self._classes)
        trained = self._trainer.gan if self._trainer else _Untrained(generator)
        self._sampler.update(trained, next(self._copies))
        return self._sampler
