"""A GAN: two networks and what their updates are made of. In which order they go is the update rule's."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence

import keras
import tensorflow as tf

from gandist import models
from gandist.layers.walk import layers_of
from gandist.losses import SeparableLoss
from gandist.randomness import Randomness, layers_draw_from
from gandist.regularizers import DiscriminatorPass, GeneratorPass, Regularizer
from gandist.spec.base import given
from gandist.spec.job import TrialSpec
from gandist.spec.schedules import Clock, value
from gandist.training.distribution import assign
from gandist.training.player import Player
from gandist.training.regularization import Regularization
from gandist.training.state import State
from gandist.updates import RULES, Batch, Metrics, Terms


class GAN:
    """Built within a strategy's scope; ``train_step`` runs in its replicas.

    Attributes:
        generator: latents (with labels, where conditional) to images.
        discriminator: images (with labels) to logits.
        ema: averages of the generator's trainable weights, empty where there are none.

    Args:
        trial: what to build. Weights are a pure function of its seed.
        image_shape: ``(height, width, channels)``.
        replicas: how many share a batch.
        images_per_step: real images that the discriminator sees in a step, of all replicas.
        classes: that conditional networks tell apart; 0 for unconditional ones.
    """

    def __init__(
        self,
        trial: TrialSpec,
        image_shape: tuple[int, int, int],
        replicas: int,
        images_per_step: int,
        classes: int = 0,
    ) -> None:
        keras.utils.set_random_seed(trial.seed)
        precision = trial.training.precision
        self.generator = models.build_generator(trial.model, image_shape, classes, precision)
        self.discriminator = models.build_discriminator(trial.model, image_shape, classes, precision)
        self._model, self._loss, self._training = trial.model, trial.loss, trial.training
        self._replicas, self._conditional = replicas, classes > 0
        self._images_per_step = images_per_step
        self._rule = RULES[trial.training.update]
        self._augmentation = trial.augmentation
        self._augmentation_state = State(trial.augmentation.state if trial.augmentation else {})
        rate = trial.optimizer.learning_rate
        regularizers = given(trial.regularizers)
        self.generator_player = Player(
            self.generator, "g", trial.optimizer, rate, self._regularization(regularizers, "generator")
        )
        self.discriminator_player = Player(
            self.discriminator,
            "d",
            trial.optimizer,
            trial.optimizer.discriminator_learning_rate or rate,
            self._regularization(regularizers, "discriminator"),
            list(given(trial.constraints).values()),
            self._adapt,
        )
        # Regularizers see the discriminator without what is random in it: they need a pass of their own then.
        self._discriminator_draws = trial.augmentation is not None or any(
            getattr(layer, "draws", False) for layer in layers_of(self.discriminator)
        )
        self.ema = (
            [tf.Variable(w.value, trainable=False) for w in self.generator.trainable_variables]
            if trial.training.generator_ema is not None
            else []
        )

    def _regularization(self, regularizers: dict[str, Regularizer], network: str) -> Regularization:
        own = {name: options for name, options in regularizers.items() if options.network == network}
        return Regularization(own, self.share)

    def train_step(self, batch: Batch, randomness: Randomness, step: tf.Tensor) -> Metrics:
        """One generator update with its discriminator updates.

        Generated images take the labels of the real ones beside them: so both have the same distribution.

        Args:
            batch: this replica's.
            randomness: this step's.
            step: steps done before this one, int64 scalar.

        Returns:
            float32 scalars by name: means over the global batch, of the last update of each network; what was
            not computed in this step is NaN, which only those of ``optional`` may be.
        """
        clock = Clock(step, self._images_per_step)
        metrics = self._rule.step(self, batch, randomness, clock)
        self._update_ema(clock)
        return metrics | self._augmentation_state.read()

    @property
    def optional(self) -> set[str]:
        """Figures that are not computed in each step; known once a step was traced."""
        return (
            self.generator_player.regularization.optional | self.discriminator_player.regularization.optional
        )

    def generate(self, labels: tf.Tensor, randomness: Randomness, training: bool = True) -> tf.Tensor:
        """Images of ``labels`` int32 ``[batch]``."""
        latents = self._model.latents(randomness.stream("latents"), labels.shape[0])
        with layers_draw_from(randomness.stream("generator_layers")):
            images = self.generator(self._inputs(latents, labels), training=training)
        return tf.cast(images, tf.float32)

    def discriminate(self, images: tf.Tensor, labels: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        """Logits ``[batch, 1]``: the one place where images come before the discriminator in training."""
        with layers_draw_from(randomness.stream("discriminator_layers")):
            return self.discriminator(
                self._inputs(self._augmented(images, randomness), labels), training=True
            )

    def discriminator_terms(
        self,
        images: tf.Tensor,
        fake_images: tf.Tensor,
        labels: tf.Tensor,
        randomness: Randomness,
        update: tf.Tensor,
        clock: Clock,
    ) -> Terms:
        """What a discriminator minimises that sees both kinds of images in one update.

        Args:
            images: real ones ``[batch, height, width, channels]``.
            fake_images: generated ones.
            labels: of both.
            randomness: of this update.
            update: how many of the discriminator's came before.
            clock: when it takes place.
        """
        with tf.GradientTape() as tape:
            tape.watch(images)
            real_logits = self.discriminate(images, labels, randomness.stream("real"))
        fake_logits = self.discriminate(fake_images, labels, randomness.stream("fake"))
        parts = self._shares(self._loss.discriminator(real_logits, fake_logits))
        loss = self._weighted(parts)

        def slope_at_real() -> tf.Tensor:
            return tape.gradient(real_logits, images, output_gradients=tf.ones_like(real_logits))

        def judged() -> DiscriminatorPass:
            shared = None if self._discriminator_draws else slope_at_real
            return DiscriminatorPass(self._score(labels, randomness), images, fake_images, randomness, shared)

        added, shown = self.discriminator_player.regularization.terms(judged, update, clock)
        outputs = self._of_real(real_logits) | self._of_fake(fake_logits)
        return Terms(
            _sum([loss, *added]), {**parts, **outputs, "d_loss": loss, **shown}, real_logits, fake_logits
        )

    def real_terms(self, images: tf.Tensor, labels: tf.Tensor, randomness: Randomness) -> Terms:
        """What a discriminator minimises that sees only real images; of a separable loss."""
        logits = self.discriminate(images, labels, randomness.stream("real"))
        parts = self._shares(self._separable.of_real(logits))
        loss = self._weighted(parts)
        return Terms(loss, {**parts, **self._of_real(logits), "d_loss": loss})

    def fake_terms(self, fake_images: tf.Tensor, labels: tf.Tensor, randomness: Randomness) -> Terms:
        """What a discriminator minimises that sees only generated images; of a separable loss."""
        logits = self.discriminate(fake_images, labels, randomness.stream("fake"))
        parts = self._shares(self._separable.of_fake(logits))
        loss = self._weighted(parts)
        return Terms(loss, {**parts, **self._of_fake(logits), "d_loss": loss})

    def generator_terms(
        self,
        fake_logits: tf.Tensor,
        real_logits: tf.Tensor | None,
        labels: tf.Tensor,
        randomness: Randomness,
        clock: Clock,
    ) -> Terms:
        """What the generator minimises.

        Args:
            fake_logits: of its images.
            real_logits: of real ones, for a paired loss.
            labels: of its images.
            randomness: of this update.
            clock: when it takes place.
        """
        loss = self.share(self._loss.generator(fake_logits, real_logits))
        added, shown = self.generator_player.regularization.terms(
            lambda: self._drawn(labels, randomness.stream("regularized")), clock.step, clock
        )
        return Terms(_sum([loss, *added]), {"g_loss": loss, **shown})

    def update_generator(
        self, labels: tf.Tensor, randomness: Randomness, clock: Clock, images: tf.Tensor | None = None
    ) -> Metrics:
        """Update the generator; ``images`` are real ones of ``labels``, for a paired loss."""
        with tf.GradientTape() as tape:
            fake_images = self.generate(labels, randomness)
            fake_logits = self.discriminate(fake_images, labels, randomness.stream("fake"))
            real_logits = None
            if self._loss.paired and images is not None:
                real_logits = self.discriminate(images, labels, randomness.stream("real"))
            terms = self.generator_terms(fake_logits, real_logits, labels, randomness, clock)
        return self.generator_player.apply(tape, terms, clock.step, clock)

    def share(self, per_sample: tf.Tensor) -> tf.Tensor:
        """This replica's share of the mean over the global batch: the one place where losses are scaled."""
        return tf.reduce_sum(per_sample) / (per_sample.shape[0] * self._replicas)

    def _shares(self, per_sample: Metrics) -> Metrics:
        return {name: self.share(values) for name, values in per_sample.items()}

    def _weighted(self, parts: Metrics) -> tf.Tensor:
        return self._loss.weight_of_a_part * _sum(list(parts.values()))

    @property
    def _separable(self) -> SeparableLoss:
        assert isinstance(self._loss, SeparableLoss)  # noqa: S101 - the spec refuses others
        return self._loss

    def _of_real(self, logits: tf.Tensor) -> Metrics:
        figures = self._augmentation.figures(logits) if self._augmentation else {}
        return self._shares({"d_real": self._loss.output(logits), **figures})

    def _of_fake(self, logits: tf.Tensor) -> Metrics:
        return self._shares({"d_fake": self._loss.output(logits)})

    def _score(self, labels: tf.Tensor, randomness: Randomness) -> Callable[[tf.Tensor], tf.Tensor]:
        """The discriminator as regularizers see it: without dropout."""

        def score(images: tf.Tensor) -> tf.Tensor:
            augmented = self._augmented(images, randomness.stream("regularized"))
            return self.discriminator(self._inputs(augmented, labels), training=False)

        return score

    def _drawn(self, labels: tf.Tensor, randomness: Randomness) -> GeneratorPass:
        """The generator as regularizers see it: on latents of their own, without dropout."""
        mapping, synthesis = self._model.split(self.generator)
        latents = self._model.latents(randomness.stream("latents"), labels.shape[0])
        with layers_draw_from(randomness.stream("mapping_layers")):
            styles = mapping(self._inputs(latents, labels))

        def synthesize(styles: tf.Tensor) -> tf.Tensor:
            with layers_draw_from(randomness.stream("generator_layers")):
                return tf.cast(synthesis(self._inputs(styles, labels), training=False), tf.float32)

        return GeneratorPass(synthesize, styles, randomness)

    def _augmented(self, images: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        if self._augmentation is None:
            return images
        return self._augmentation.apply(images, randomness, self._augmentation_state.read())

    def _adapt(self, metrics: Metrics, clock: Clock) -> None:
        """Let the augmentation remember an update of the discriminator that has seen real images."""
        if self._augmentation is None or "d_real" not in metrics:
            return
        images = self._images_per_step // self._training.n_critic
        before = self._augmentation_state.read()
        self._augmentation_state.write(self._augmentation.advance(before, metrics, images, clock))

    def _inputs(self, tensor: tf.Tensor, labels: tf.Tensor) -> tf.Tensor | list[tf.Tensor]:
        return [tensor, labels] if self._conditional else tensor

    def _update_ema(self, clock: Clock) -> None:
        if self._training.generator_ema is None:
            return
        decay, warmup = value(self._training.generator_ema, clock), self._training.generator_ema_warmup
        if warmup is not None:
            decay = tf.minimum(decay, 0.5 ** (1.0 / (warmup * tf.cast(clock.step + 1, tf.float32))))
        for average, variable in zip(self.ema, self.generator.trainable_variables, strict=True):
            live = tf.convert_to_tensor(variable.value)
            assign(average, live + decay * (tf.convert_to_tensor(average) - live))

    def state(self) -> dict[str, Sequence[tf.Variable]]:
        """Every variable that a continuation needs, by role, in a fixed order."""
        return {
            "generator": [variable.value for variable in self.generator.variables],
            "discriminator": [variable.value for variable in self.discriminator.variables],
            "generator_optimizer": self.generator_player.optimizer.variables,
            "discriminator_optimizer": self.discriminator_player.optimizer.variables,
            "generator_ema": self.ema,
            "augmentation": self._augmentation_state.variables,
            **self.generator_player.regularization.state(),
            **self.discriminator_player.regularization.state(),
        }


def _sum(terms: Sequence[tf.Tensor]) -> tf.Tensor:
    return functools.reduce(operator.add, terms)
