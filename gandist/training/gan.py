"""A GAN: two networks and what their updates are made of. In which order they go is the update rule's."""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence

import keras
import tensorflow as tf

from gandist import models
from gandist.errors import UsageError
from gandist.losses import SeparableLoss
from gandist.randomness import Randomness, layers_draw_from
from gandist.regularizers import DiscriminatorPass, GeneratorPass, Regularizer
from gandist.spec.base import given
from gandist.spec.schedules import Clock
from gandist.spec.trial import TrialSpec
from gandist.training.average import Average
from gandist.training.critic import Critic
from gandist.training.player import Player
from gandist.training.regularization import Regularization
from gandist.updates import RULES, Batch, Judged, Metrics, Terms


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
        networks: of ``build_networks``, where they are there already.
    """

    def __init__(
        self,
        trial: TrialSpec,
        image_shape: tuple[int, int, int],
        replicas: int,
        images_per_step: int,
        classes: int = 0,
        networks: tuple[keras.Model, keras.Model] | None = None,
    ) -> None:
        self.generator, self.discriminator = networks or build_networks(trial, image_shape, classes)
        self._model, self._loss, self._training = trial.model, trial.loss, trial.training
        self._replicas, self._conditional = replicas, classes > 0
        self._images_per_step = images_per_step
        self._rule = RULES[trial.training.update]
        self._critic = Critic(
            self.discriminator, trial.model, trial.augmentation, images_per_step // trial.training.n_critic
        )
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
            self._critic.adapt,
        )
        self._average = Average(self.generator, trial.training)
        self.ema = self._average.variables

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
        self._average.update(clock)
        return metrics | self._critic.state.read()

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
        images, fake_images = self._critic.packed(images), self._critic.packed(fake_images)
        with tf.GradientTape() as tape:
            tape.watch(images)
            real = self._critic.judge(images, labels, randomness.stream("real"))
        fake = self._critic.judge(fake_images, labels, randomness.stream("fake"))
        parts = self._shares(self._loss.discriminator(real.logits, fake.logits))
        loss = self._weighted(parts)

        def slope_at_real() -> tf.Tensor:
            return tape.gradient(real.logits, images, output_gradients=tf.ones_like(real.logits))

        def given() -> DiscriminatorPass:
            # They see the discriminator without what is random in it: a pass of their own, where it is.
            shared = None if self._critic.draws else slope_at_real
            return DiscriminatorPass(
                self._critic.score(labels, randomness), images, fake_images, randomness, shared
            )

        added, shown = self.discriminator_player.regularization.terms(given, update, clock)
        of_classes = self._classification(labels, d_loss_class_real=real, d_loss_class_fake=fake)
        outputs = self._of_real(real) | self._of_fake(fake)
        figures = {**parts, **outputs, "d_loss": loss, **shown, **of_classes}
        return Terms(self._total(loss, added, of_classes), figures, real, fake)

    def real_terms(self, images: tf.Tensor, labels: tf.Tensor, randomness: Randomness) -> Terms:
        """What a discriminator minimises that sees only real images; of a separable loss."""
        real = self._critic.judge(self._critic.packed(images), labels, randomness.stream("real"))
        parts = self._shares(self._separable.of_real(real.logits))
        loss = self._weighted(parts)
        of_classes = self._classification(labels, d_loss_class_real=real)
        figures = {**parts, **self._of_real(real), "d_loss": loss, **of_classes}
        return Terms(self._total(loss, [], of_classes), figures)

    def fake_terms(self, fake_images: tf.Tensor, labels: tf.Tensor, randomness: Randomness) -> Terms:
        """What a discriminator minimises that sees only generated images; of a separable loss."""
        fake = self._critic.judge(self._critic.packed(fake_images), labels, randomness.stream("fake"))
        parts = self._shares(self._separable.of_fake(fake.logits))
        loss = self._weighted(parts)
        of_classes = self._classification(labels, d_loss_class_fake=fake)
        figures = {**parts, **self._of_fake(fake), "d_loss": loss, **of_classes}
        return Terms(self._total(loss, [], of_classes), figures)

    def generator_terms(
        self,
        fake: Judged,
        real: Judged | None,
        labels: tf.Tensor,
        randomness: Randomness,
        clock: Clock,
    ) -> Terms:
        """What the generator minimises.

        Args:
            fake: what was said of its images.
            real: of real ones, for a paired loss.
            labels: of its images.
            randomness: of this update.
            clock: when it takes place.
        """
        loss = self.share(self._loss.generator(fake.logits, real.logits if real else None))
        added, shown = self.generator_player.regularization.terms(
            lambda: self._drawn(labels, randomness.stream("regularized")), clock.step, clock
        )
        of_classes = self._classification(labels, g_loss_class=fake)
        figures = {"g_loss": loss, **shown, **of_classes}
        return Terms(self._total(loss, added, of_classes), figures)

    def update_generator(
        self, labels: tf.Tensor, randomness: Randomness, clock: Clock, images: tf.Tensor | None = None
    ) -> Metrics:
        """Update the generator; ``images`` are real ones of ``labels``, for a paired loss."""
        with tf.GradientTape() as tape:
            fake_images = self._critic.packed(self.generate(labels, randomness))
            fake, real = self._critic.judge(fake_images, labels, randomness.stream("fake")), None
            if self._loss.paired and images is not None:
                images = self._critic.packed(images)
                real = self._critic.judge(images, labels, randomness.stream("real"))
            terms = self.generator_terms(fake, real, labels, randomness, clock)
        return self.generator_player.apply(tape, terms, clock.step, clock)

    def share(self, per_sample: tf.Tensor) -> tf.Tensor:
        """This replica's share of the mean over the global batch: the one place where losses are scaled.

        Raises:
            UsageError: it is no value per sample: of a plug-in's loss or regularizer.
        """
        shape = per_sample.shape
        if not shape.rank or shape.num_elements() != shape[0]:
            raise UsageError(
                f"a loss or regularizer gives values of the shape {shape}; give one for each sample, "
                "[batch] or [batch, 1], without a mean over them"
            )
        return tf.reduce_sum(per_sample) / (per_sample.shape[0] * self._replicas)

    def _shares(self, per_sample: Metrics) -> Metrics:
        return {name: self.share(values) for name, values in per_sample.items()}

    def _weighted(self, parts: Metrics) -> tf.Tensor:
        return self._loss.weight_of_a_part * _sum(list(parts.values()))

    @property
    def _separable(self) -> SeparableLoss:
        assert isinstance(self._loss, SeparableLoss)  # noqa: S101 - the spec refuses others
        return self._loss

    def _of_real(self, real: Judged) -> Metrics:
        return self._shares({"d_real": self._loss.output(real.logits), **self._critic.figures(real)})

    def _of_fake(self, fake: Judged) -> Metrics:
        return self._shares({"d_fake": self._loss.output(fake.logits)})

    def _classification(self, labels: tf.Tensor, **judged: Judged) -> Metrics:
        """The cross-entropy of an auxiliary classifier, where there is one, by the names given.

        Both networks minimise it (Odena et al. 2017, equation 3): of images of either kind.
        """
        cross_entropy = tf.nn.sparse_softmax_cross_entropy_with_logits
        return self._shares(
            {
                name: cross_entropy(labels, said.class_logits)
                for name, said in judged.items()
                if said.class_logits is not None
            }
        )

    def _total(self, loss: tf.Tensor, added: list[tf.Tensor], of_classes: Metrics) -> tf.Tensor:
        """What is minimised: the loss, terms of regularizers, cross-entropies of classes."""
        weighted = (self._model.classifier_weight * value for value in of_classes.values())
        return _sum([loss, *added, *weighted])

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

    def _inputs(self, tensor: tf.Tensor, labels: tf.Tensor) -> tf.Tensor | list[tf.Tensor]:
        return [tensor, labels] if self._conditional else tensor

    def state(self) -> dict[str, Sequence[tf.Variable]]:
        """Every variable that a continuation needs, by role, in a fixed order."""
        return {
            "generator": [variable.value for variable in self.generator.variables],
            "discriminator": [variable.value for variable in self.discriminator.variables],
            "generator_optimizer": self.generator_player.optimizer.variables,
            "discriminator_optimizer": self.discriminator_player.optimizer.variables,
            "generator_ema": self.ema,
            "augmentation": self._critic.state.variables,
            **self.generator_player.regularization.state(),
            **self.discriminator_player.regularization.state(),
        }


def build_networks(
    trial: TrialSpec, image_shape: tuple[int, int, int], classes: int
) -> tuple[keras.Model, keras.Model]:
    """A generator and a discriminator; arguments as of ``GAN``."""
    keras.utils.set_random_seed(trial.seed)
    precision = trial.training.precision
    return (
        models.build_generator(trial.model, image_shape, classes, precision),
        models.build_discriminator(trial.model, image_shape, classes, precision),
    )


def _sum(terms: Sequence[tf.Tensor]) -> tf.Tensor:
    return functools.reduce(operator.add, terms)
