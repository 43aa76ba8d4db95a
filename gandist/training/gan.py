"""A GAN: two networks, their optimizers, and the only train step."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import tensorflow as tf

from gandist import models
from gandist.artifacts.tables import STEP_METRICS
from gandist.randomness import Randomness, layers_draw_from
from gandist.spec import TrialSpec
from gandist.training.distribution import assign, sum_over_replicas
from gandist.training.optimizer import Optimizer

Metrics = dict[str, tf.Tensor]


class GAN:
    """Built within a strategy's scope; ``train_step`` runs in its replicas.

    Args:
        trial: what to build. Weights are a pure function of its seed.
        image_shape: ``(height, width, channels)``.
        replicas: how many share a batch.
    """

    def __init__(self, trial: TrialSpec, image_shape: tuple[int, int, int], replicas: int) -> None:
        keras.utils.set_random_seed(trial.seed)
        self.generator = models.build_generator(trial.model, image_shape)
        self.discriminator = models.build_discriminator(trial.model, image_shape)
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
        self._batch_size = trial.data.batch_size
        self._replicas = replicas

    def train_step(self, real_images: tf.Tensor, randomness: Randomness, step: tf.Tensor) -> tf.Tensor:
        """One generator update with its discriminator updates.

        Args:
            real_images: this replica's, float32 ``[n_critic, batch, height, width, channels]`` in [-1, 1].
            randomness: this step's.
            step: steps done before this one, int64 scalar.

        Returns:
            float32 ``[len(STEP_METRICS)]``: means over the global batch, of the last discriminator update.
        """
        if self._training.update == "simultaneous":
            metrics = self._update_both(real_images[0], randomness, step)
        else:
            n_critic = self._training.n_critic
            for k in range(n_critic):
                metrics = self._update_discriminator(
                    real_images[k], randomness.stream(f"discriminator{k}"), step * n_critic + k
                )
            metrics |= self._update_generator(len(real_images[0]), randomness.stream("generator"), step)
        self._update_ema()
        return tf.stack([metrics[name] for name in STEP_METRICS])

    def _update_both(self, real_images: tf.Tensor, randomness: Randomness, step: tf.Tensor) -> Metrics:
        """Both gradients from one forward pass, taken before either network moves."""
        with tf.GradientTape() as generator_tape, tf.GradientTape() as discriminator_tape:
            fake_images = self._generate(len(real_images), randomness)
            d_total, fake_logits, d_metrics = self._discriminator_loss(real_images, fake_images, randomness)
            g_total, g_metrics = self._generator_loss(fake_logits)
        g_metrics = self._apply_generator(generator_tape, g_total, g_metrics, step)
        return g_metrics | self._apply_discriminator(discriminator_tape, d_total, d_metrics, step)

    def _update_discriminator(
        self, real_images: tf.Tensor, randomness: Randomness, step: tf.Tensor
    ) -> Metrics:
        fake_images = self._generate(len(real_images), randomness)
        with tf.GradientTape() as tape:
            total, _, metrics = self._discriminator_loss(real_images, fake_images, randomness)
        return self._apply_discriminator(tape, total, metrics, step)

    def _update_generator(self, batch: int, randomness: Randomness, step: tf.Tensor) -> Metrics:
        with tf.GradientTape() as tape:
            fake_images = self._generate(batch, randomness)
            total, metrics = self._generator_loss(self._discriminate(fake_images, randomness.stream("fake")))
        return self._apply_generator(tape, total, metrics, step)

    def _generate(self, batch: int, randomness: Randomness) -> tf.Tensor:
        latents = randomness.stream("latents").normal(batch, self._latent_dim)
        with layers_draw_from(randomness.stream("generator_layers")):
            return self.generator(latents, training=True)

    def _discriminate(self, images: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        with layers_draw_from(randomness.stream("discriminator_layers")):
            return self.discriminator(images, training=True)

    def _discriminator_loss(
        self, real_images: tf.Tensor, fake_images: tf.Tensor, randomness: Randomness
    ) -> tuple[tf.Tensor, tf.Tensor, Metrics]:
        """The total to minimise, the logits of the fakes, and this replica's part of the metrics."""
        real_logits = self._discriminate(real_images, randomness.stream("real"))
        fake_logits = self._discriminate(fake_images, randomness.stream("fake"))
        loss_real = self._share(self._loss.discriminator_real(real_logits))
        loss_fake = self._share(self._loss.discriminator_fake(fake_logits))
        loss = loss_real + loss_fake if self._loss.combine == "sum" else 0.5 * (loss_real + loss_fake)
        penalty = tf.constant(0.0)
        if self._penalty is not None:
            penalty = self._share(self._penalty(self._score, real_images, fake_images))
        metrics = {
            "d_loss": loss,
            "d_loss_real": loss_real,
            "d_loss_fake": loss_fake,
            "d_real": self._share(tf.sigmoid(real_logits)),
            "d_fake": self._share(tf.sigmoid(fake_logits)),
            "penalty": penalty,
        }
        return loss + penalty, fake_logits, metrics

    def _generator_loss(self, fake_logits: tf.Tensor) -> tuple[tf.Tensor, Metrics]:
        loss = self._share(self._loss.generator(fake_logits))
        return loss, {"g_loss": loss}

    def _score(self, images: tf.Tensor) -> tf.Tensor:
        """Logits without dropout, for the penalties."""
        return self.discriminator(images, training=False)

    def _share(self, per_sample: tf.Tensor) -> tf.Tensor:
        """This replica's share of the mean over the global batch: the one place where losses are scaled."""
        return tf.reduce_sum(per_sample) / self._batch_size

    def _apply_discriminator(
        self, tape: tf.GradientTape, total: tf.Tensor, metrics: Metrics, step: tf.Tensor
    ) -> Metrics:
        return self._apply(
            tape, total, metrics, self.discriminator, self.discriminator_optimizer, "d_grad_norm", step
        )

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
        step: tf.Tensor,
    ) -> Metrics:
        """Update one network with the gradient of the global batch; its metrics, summed over replicas."""
        gradients = tape.gradient(total, [variable.value for variable in network.trainable_variables])
        gradients, metrics = sum_over_replicas((gradients, metrics))
        optimizer.apply(gradients, tf.cast(step + 1, tf.float32))
        return metrics | {norm: tf.linalg.global_norm(gradients)}

    def _update_ema(self) -> None:
        for average, variable in zip(
            self.ema, self.generator.trainable_variables, strict=self.ema_decay is not None
        ):
            live = tf.convert_to_tensor(variable.value)
            assign(average, live + self.ema_decay * (tf.convert_to_tensor(average) - live))

    def state(self) -> dict[str, Sequence[tf.Variable]]:
        """Every variable that a continuation needs, by role, in a fixed order."""
        return {
            "generator": [variable.value for variable in self.generator.variables],
            "discriminator": [variable.value for variable in self.discriminator.variables],
            "generator_optimizer": self.generator_optimizer.variables,
            "discriminator_optimizer": self.discriminator_optimizer.variables,
            "generator_ema": self.ema,
        }
