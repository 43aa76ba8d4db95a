"""The loop: blocks of steps, compiled into one call each."""

from __future__ import annotations

from contextlib import closing
from functools import cached_property
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from gandist import models
from gandist.data import Dataset
from gandist.errors import CheckpointError
from gandist.randomness import Randomness
from gandist.spec.budget import Budget
from gandist.spec.trial import TrialSpec
from gandist.training import feed
from gandist.training.gan import GAN
from gandist.updates import Batch


class Trainer:
    """Trains one trial; ``step`` counts the steps done.

    Args:
        trial: what to train.
        dataset: its images, which stay uint8 until a step takes them; ``feed`` says where they lie.
        strategy: of this process.
        networks: of ``build_networks``, where they are there already.
    """

    def __init__(
        self,
        trial: TrialSpec,
        dataset: Dataset,
        strategy: tf.distribute.MirroredStrategy,
        networks: tuple[keras.Model, keras.Model] | None = None,
    ) -> None:
        self.trial, self.strategy = trial, strategy
        self.budget = Budget(trial.training, trial.data.batch_size, len(dataset))
        self.image_shape = dataset.image_shape
        self.step = 0
        with strategy.scope():
            self.gan = GAN(
                trial,
                dataset.image_shape,
                strategy.num_replicas_in_sync,
                self.budget.images_per_step,
                models.classes(trial.model, dataset.class_names),
                networks,
            )
        self._figures: tuple[str, ...] = ()
        """What a step computes, known once it was traced."""
        self._feed = feed.choose(trial, dataset, self.budget, strategy)

    def run(self, stop: int) -> dict[str, np.ndarray]:
        """Train until ``stop`` steps are done.

        Returns:
            ``step`` int64 ``[n]`` (from 1) and float32 ``[n]`` for each figure of ``GAN.train_step``.
        """
        first = step = self.step
        parts = []
        with closing(self._feed.chunks(first, stop)) as chunks:
            for images, labels, indices in chunks:
                rows = self._block(images, labels, tf.constant(indices), tf.constant(step, tf.int64))
                parts.append(rows.numpy())
                step += len(indices)
        self.step = stop
        columns = dict(zip(self._figures, np.concatenate(parts).T, strict=True))
        return {"step": np.arange(first + 1, stop + 1, dtype=np.int64), **columns}

    def traced(self) -> tf.Graph:
        """A block of steps as TensorFlow will run it."""
        return self._block.graph

    @cached_property
    def _block(self) -> Any:
        """``_train_block`` compiled, by the first block that is run: one trace for blocks of any length.

        A concrete function, because TensorFlow takes the traces of one trial after another for one function
        that is traced again and again.
        """
        signature = [
            *feed.signature(self.image_shape, self.strategy),
            tf.TensorSpec([None, self.budget.images_per_step], tf.int32),
            tf.TensorSpec([], tf.int64),
        ]
        # No autograph: there is nothing to convert, and it leaves what it has converted in temporary files.
        function = tf.function(self._train_block, input_signature=signature, autograph=False)
        return function.get_concrete_function()

    def _train_block(
        self, images: tf.Tensor, labels: tf.Tensor, indices: tf.Tensor, first: tf.Tensor
    ) -> tf.Tensor:
        """One step for each row of a chunk's ``indices``; float32 ``[steps, figures]``."""
        steps = tf.shape(indices)[0]
        rows = tf.TensorArray(tf.float32, size=steps, element_shape=[None])

        replica_step = self._replica_step
        if self.trial.training.xla:
            replica_step = tf.function(replica_step, jit_compile=True, autograph=False)

        def one(i: tf.Tensor, rows: tf.TensorArray) -> tuple[tf.Tensor, tf.TensorArray]:
            step = first + tf.cast(i, tf.int64)
            metrics = self.strategy.run(replica_step, args=(images, labels, indices[i], step))
            return i + 1, rows.write(i, self.strategy.experimental_local_results(metrics)[0])

        return tf.while_loop(lambda i, _: i < steps, one, (0, rows))[1].stack()

    def _replica_step(
        self, images: tf.Tensor, labels: tf.Tensor, indices: tf.Tensor, step: tf.Tensor
    ) -> tf.Tensor:
        """Gather and normalise this replica's part of the global batch, and train on it."""
        context = tf.distribute.get_replica_context()
        replicas, replica = context.num_replicas_in_sync, context.replica_id_in_sync_group
        n_critic = self.trial.training.n_critic
        mine = tf.reshape(indices, [n_critic, replicas, self.budget.images_per_step // n_critic // replicas])
        # A GPU's gather counts bytes in the type of its indices: int32 would overflow beyond 2 GiB of images.
        mine = tf.cast(mine[:, replica], tf.int64)
        # [0, 255] to [-1, 1]
        real_images = tf.cast(tf.gather(images, mine), tf.float32) / 127.5 - 1.0
        metrics = self.gan.train_step(
            Batch(real_images, tf.gather(labels, mine)),
            Randomness(self.trial.seed, step, replica, replicas),
            step,
        )
        self._figures = tuple(sorted(metrics))
        return tf.stack([metrics[name] for name in self._figures])

    def state(self) -> dict[str, np.ndarray]:
        """All that a continuation needs, by name; copies on the host."""
        arrays = {name: variable.numpy() for name, variable in self._variables().items()}
        return {**arrays, "step": np.asarray(self.step, np.int64)}

    def load_state(self, state: dict[str, np.ndarray]) -> None:
        """Continue from what ``state()`` gave.

        Raises:
            CheckpointError: it is another GAN's; nothing was changed.
        """
        own = self._variables()
        for name, variable in own.items():
            found = state.get(name)
            if found is None or found.shape != variable.shape:
                shape = "missing" if found is None else f"of shape {list(found.shape)}"
                raise CheckpointError(
                    f"checkpoint: {name} is {shape}, this GAN's is {variable.shape.as_list()}"
                )
        for name, variable in own.items():
            variable.assign(state[name])
        self.step = int(state["step"])

    def _variables(self) -> dict[str, tf.Variable]:
        return {
            f"{role}/{index}": variable
            for role, variables in self.gan.state().items()
            for index, variable in enumerate(variables)
        }
