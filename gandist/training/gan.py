"""A GAN: two networks, their optimizers, and the only train step."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import tensorflow as tf

from gandist import models
from gandist.artifacts.tables import STEP_METRICS
from gandist.randomness import Randomness, layers_draw_from
from gandist.spec.job import TrialSpec
from gandist.training.distribution import assign, sum_over_replicas
from gandist.training.optimizer import Optimizer

Metrics = dict[str, tf.Tensor]

NONE = float("nan")
"""Shown for a penalty that was not computed: a zero would look like one."""


class GAN:
    """Built within a strategy's scope; ``train_step`` runs in its replicas.

    Args:
        trial: what to build. Weights are a pure function of its seed.
        image_shape: ``(height, width, channels)``.
        replicas: how many share a batch.
        classes: that conditional networks tell apart; 0 for unconditional ones.
    """

    def __init__(
        self, trial: TrialSpec, image_shape: tuple[int, int, int], replicas: int, classes: int = 0
    ) -> None:
        keras.utils.set_random_seed(trial.seed)
        self.generator = models.build_generator(trial.model, image_shape, classes)
        self.discriminator = models.build_discriminator(trial.model, image_shape, classes)
        self._normalised_layers = [
            layer for layer in self.discriminator.layers if hasattr(layer, "power_iteration")
        ]
        rate = trial.optimizer.learning_rate
        self.generator_optimizer = Optimizer(trial.optimizer, self.generator.trainable_variables, rate)
        self.discriminator_optimizer = Optimizer(
            trial.optimizer,
            self.discriminator.trainable_variables,
            trial.optimizer.discriminator_learning_rate or rate,
        )
        self.ema_decay = trial.training.generator_ema
        self.ema = (
            [tf.Variable(w.value, trainable=False) for w in self.generator.trainable_variables]
            if self.ema_decay is not None
            else []
        )
        self._loss, self._penalty = trial.loss, trial.penalty
        self._training = trial.training
        self._latent_dim = trial.model.latent_dim
        self._conditional = classes > 0
        self._batch = trial.data.batch_size // replicas
        self._replicas = replicas

    def train_step(
        self, real_images: tf.Tensor, labels: tf.Tensor, randomness: Randomness, step: tf.Tensor
    ) -> tf.Tensor:
        """One generator update with its discriminator updates.

        Generated images take the labels of the real ones beside them: so both have the same distribution.

        Args:
            real_images: this replica's, float32 ``[n_critic, batch, height, width, channels]`` in [-1, 1].
            labels: theirs, int32 ``[n_critic, batch]``; not looked at by unconditional networks.
            randomness: this step's.
            step: steps done before this one, int64 scalar.

        Returns:
            float32 ``[len(STEP_METRICS)]``: means over the global batch, of the last discriminator update;
            the penalty is that of the last update in this step that had one, NaN where none had.
        """
        if self._training.update == "simultaneous":
            metrics = self._update_both(real_images[0], labels[0], randomness, step)
        else:
            halves = self._training.update == "half_batches"
            update = self._update_discriminator_by_halves if halves else self._update_discriminator
            n_critic, penalty = self._training.n_critic, tf.constant(NONE)
            for k in range(n_critic):
                metrics = update(
                    real_images[k], labels[k], randomness.stream(f"discriminator{k}"), step * n_critic + k
                )
                penalty = tf.where(tf.math.is_nan(metrics["penalty"]), penalty, metrics["penalty"])
            metrics["penalty"] = penalty
            # Repeated one by one, not as a row: so replicas pair labels and latents as one would.
            labels = tf.repeat(labels[-1], self._batch // labels.shape[1])
            metrics |= self._update_generator(labels, randomness.stream("generator"), step)
        self._update_ema(step)
        return tf.stack([metrics[name] for name in STEP_METRICS])

    def _update_both(
        self, real_images: tf.Tensor, labels: tf.Tensor, randomness: Randomness, step: tf.Tensor
    ) -> Metrics:
        """Both gradients from one forward pass, taken before either network moves."""
        self._normalise_weights()
        with tf.GradientTape() as generator_tape, tf.GradientTape() as discriminator_tape:
            fake_images = self._generate(labels, randomness)
            d_total, fake_logits, d_metrics = self._discriminator_loss(
                real_images, fake_images, labels, randomness, step
            )
            g_total, g_metrics = self._generator_loss(fake_logits)
        g_metrics = self._apply_generator(generator_tape, g_total, g_metrics, step)
        return g_metrics | self._apply_discriminator(discriminator_tape, d_total, d_metrics, step)

    def _update_discriminator(
        self, real_images: tf.Tensor, labels: tf.Tensor, randomness: Randomness, update: tf.Tensor
    ) -> Metrics:
        self._normalise_weights()
        fake_images = self._generate(labels, randomness)
        with tf.GradientTape() as tape:
            total, _, metrics = self._discriminator_loss(real_images, fake_images, labels, randomness, update)
        return self._apply_discriminator(tape, total, metrics, update)

    def _update_discriminator_by_halves(
        self, real_images: tf.Tensor, labels: tf.Tensor, randomness: Randomness, update: tf.Tensor
    ) -> Metrics:
        """Two updates, as ``train_on_batch`` loops do them: on real images, then on generated ones.

        Such loops generate with ``predict``, so batch norm uses its moving statistics.
        """
        self._normalise_weights()
        with tf.GradientTape() as tape:
            total, metrics = self._real_loss(real_images, labels, randomness)
            total *= self._loss.weight_of_a_part
        metrics = self._apply_discriminator(tape, total, metrics, 2 * update)
        self._normalise_weights()
        fake_images = self._generate(labels, randomness, training=False)
        with tf.GradientTape() as tape:
            total, _, fake_metrics = self._fake_loss(fake_images, labels, randomness)
            total *= self._loss.weight_of_a_part
        metrics |= self._apply_discriminator(tape, total, fake_metrics, 2 * update + 1)
        return metrics | {"d_loss": self._combined(metrics), "penalty": tf.constant(0.0)}

    def _update_generator(self, labels: tf.Tensor, randomness: Randomness, step: tf.Tensor) -> Metrics:
        with tf.GradientTape() as tape:
            fake_images = self._generate(labels, randomness)
            fake_logits = self._discriminate(fake_images, labels, randomness.stream("fake"))
            total, metrics = self._generator_loss(fake_logits)
        return self._apply_generator(tape, total, metrics, step)

    def _generate(self, labels: tf.Tensor, randomness: Randomness, training: bool = True) -> tf.Tensor:
        latents = randomness.stream("latents").normal(labels.shape[0], self._latent_dim)
        with layers_draw_from(randomness.stream("generator_layers")):
            return self.generator(self._inputs(latents, labels), training=training)

    def _discriminate(self, images: tf.Tensor, labels: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        with layers_draw_from(randomness.stream("discriminator_layers")):
            return self.discriminator(self._inputs(images, labels), training=True)

    def _inputs(self, tensor: tf.Tensor, labels: tf.Tensor) -> tf.Tensor | list[tf.Tensor]:
        return [tensor, labels] if self._conditional else tensor

    def _discriminator_loss(
        self,
        real_images: tf.Tensor,
        fake_images: tf.Tensor,
        labels: tf.Tensor,
        randomness: Randomness,
        update: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor, Metrics]:
        """The total to minimise, the logits of the fakes, and this replica's part of the metrics."""
        _, metrics = self._real_loss(real_images, labels, randomness)
        _, fake_logits, fake_metrics = self._fake_loss(fake_images, labels, randomness)
        metrics |= fake_metrics
        loss = self._combined(metrics)
        penalty, shown = self._penalised(real_images, fake_images, labels, randomness, update)
        return loss + penalty, fake_logits, metrics | {"d_loss": loss, "penalty": shown}

    def _real_loss(
        self, real_images: tf.Tensor, labels: tf.Tensor, randomness: Randomness
    ) -> tuple[tf.Tensor, Metrics]:
        logits = self._discriminate(real_images, labels, randomness.stream("real"))
        loss = self._share(self._loss.discriminator_real(logits))
        return loss, {"d_loss_real": loss, "d_real": self._share(self._loss.output(logits))}

    def _fake_loss(
        self, fake_images: tf.Tensor, labels: tf.Tensor, randomness: Randomness
    ) -> tuple[tf.Tensor, tf.Tensor, Metrics]:
        logits = self._discriminate(fake_images, labels, randomness.stream("fake"))
        loss = self._share(self._loss.discriminator_fake(logits))
        return loss, logits, {"d_loss_fake": loss, "d_fake": self._share(self._loss.output(logits))}

    def _combined(self, metrics: Metrics) -> tf.Tensor:
        return self._loss.weight_of_a_part * (metrics["d_loss_real"] + metrics["d_loss_fake"])

    def _penalised(
        self,
        real_images: tf.Tensor,
        fake_images: tf.Tensor,
        labels: tf.Tensor,
        randomness: Randomness,
        update: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """This replica's share of the penalty, 0 where it is not its turn, and what is shown of it."""
        options = self._penalty
        if options is None or not options.of_gradients:
            return tf.constant(0.0), tf.constant(0.0)

        def score(images: tf.Tensor) -> tf.Tensor:
            return self.discriminator(self._inputs(images, labels), training=False)

        def penalty() -> tf.Tensor:
            return self._share(options.per_sample(score, real_images, fake_images, randomness))

        if options.interval == 1:
            value = penalty()
            return value, value
        its_turn = update % options.interval == 0
        value = tf.cond(its_turn, penalty, lambda: tf.constant(0.0))
        return value, tf.where(its_turn, value, NONE)

    def _generator_loss(self, fake_logits: tf.Tensor) -> tuple[tf.Tensor, Metrics]:
        loss = self._share(self._loss.generator(fake_logits))
        return loss, {"g_loss": loss}

    def _share(self, per_sample: tf.Tensor) -> tf.Tensor:
        """This replica's share of the mean over the global batch: the one place where losses are scaled."""
        return tf.reduce_sum(per_sample) / (per_sample.shape[0] * self._replicas)

    def _normalise_weights(self) -> None:
        """One power iteration of spectral norm, where the discriminator has it."""
        for layer in self._normalised_layers:
            for variable, value in layer.power_iteration():
                assign(variable, value)

    def _apply_discriminator(
        self, tape: tf.GradientTape, total: tf.Tensor, metrics: Metrics, update: tf.Tensor
    ) -> Metrics:
        metrics = self._apply(
            tape, total, metrics, self.discriminator, self.discriminator_optimizer, "d_grad_norm", update
        )
        if self._penalty is not None and not self._penalty.of_gradients:
            for variable in self.discriminator.trainable_variables:
                assign(variable.value, self._penalty.constrained(tf.convert_to_tensor(variable.value)))
        return metrics

    def _apply_generator(
        self, tape: tf.GradientTape, total: tf.Tensor, metrics: Metrics, step: tf.Tensor
    ) -> Metrics:
        return self._apply(
            tape, total, metrics, self.generator, self.generator_optimizer, "g_grad_norm", step
        )

    @staticmethod
    def _apply(
        tape: tf.GradientTape,
        total: tf.Tensor,
        metrics: Metrics,
        network: keras.Model,
        optimizer: Optimizer,
        norm: str,
        update: tf.Tensor,
    ) -> Metrics:
        """Update one network with the gradient of the global batch; its metrics, summed over replicas."""
        gradients = tape.gradient(total, [variable.value for variable in network.trainable_variables])
        gradients, metrics = sum_over_replicas((gradients, metrics))
        optimizer.apply(gradients, tf.cast(update + 1, tf.float32))
        return metrics | {norm: tf.linalg.global_norm(gradients)}

    def _update_ema(self, step: tf.Tensor) -> None:
        decay, warmup = self.ema_decay, self._training.generator_ema_warmup
        if warmup is not None:
            decay = tf.minimum(decay, 0.5 ** (1.0 / (warmup * tf.cast(step + 1, tf.float32))))
        for average, variable in zip(
            self.ema, self.generator.trainable_variables, strict=self.ema_decay is not None
        ):
            live = tf.convert_to_tensor(variable.value)
            assign(average, live + decay * (tf.convert_to_tensor(average) - live))

    def state(self) -> dict[str, Sequence[tf.Variable]]:
        """Every variable that a continuation needs, by role, in a fixed order."""
        return {
            "generator": [variable.value for variable in self.generator.variables],
            "discriminator": [variable.value for variable in self.discriminator.variables],
            "generator_optimizer": self.generator_optimizer.variables,
            "discriminator_optimizer": self.discriminator_optimizer.variables,
            "generator_ema": self.ema,
        }
