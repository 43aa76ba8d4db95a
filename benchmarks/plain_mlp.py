"""The MLP tutorial's loop, as a yardstick: ``train_on_batch`` and ``predict`` of compiled Keras models.

    python benchmarks/plain_mlp.py --steps 30 [--data-dir DIR] [--batch-size 64]

Prints JSON: ms_per_step, iterations_per_s, compile_s. An iteration is the tutorial's: the discriminator on
half a batch of real images, on half a batch that ``predict`` made, then the generator on a whole batch.
Without ``--data-dir``, on noise of MNIST's size, which costs the same.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from keras import layers

from plain_dcgan import images  # isort: skip


def build_generator() -> keras.Model:
    """The tutorial's, layer for layer."""
    stack: list[layers.Layer] = [keras.Input((100,))]
    for units in (256, 512, 1024):
        stack += [
            layers.Dense(units),
            layers.LeakyReLU(negative_slope=0.2),
            layers.BatchNormalization(momentum=0.8),
        ]
    return keras.Sequential([*stack, layers.Dense(784, activation="tanh"), layers.Reshape((28, 28, 1))])


def build_discriminator() -> keras.Model:
    """The tutorial's, layer for layer."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Flatten(),
            layers.Dense(512),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Dense(256),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Dense(1, activation="sigmoid"),
        ]
    )


def main() -> None:
    """Train for a while and print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--data-dir", type=Path)
    args = parser.parse_args()

    half = args.batch_size // 2
    ones, zeros, all_ones = np.ones((half, 1)), np.zeros((half, 1)), np.ones((args.batch_size, 1))
    real_images = images(args.data_dir)
    random = np.random.default_rng(0)

    generator, discriminator = build_generator(), build_discriminator()
    discriminator.compile(keras.optimizers.Adam(2e-4, beta_1=0.5), loss="binary_crossentropy")
    began = time.perf_counter()
    # Keras 3 looks at ``trainable`` when it traces: the discriminator's own step has to be traced before it
    # is frozen for the combined model, or it would never be trained.
    discriminator.train_on_batch(real_images[:half], ones)
    discriminator.trainable = False
    latents = keras.Input((100,))
    combined = keras.Model(latents, discriminator(generator(latents)))
    combined.compile(keras.optimizers.Adam(2e-4, beta_1=0.5), loss="binary_crossentropy")

    def iteration() -> tuple[float, float]:
        batch = real_images[random.integers(0, len(real_images), half)]
        fake = generator.predict(random.normal(size=(half, 100)), verbose=0)
        on_real = discriminator.train_on_batch(batch, ones)
        on_fake = discriminator.train_on_batch(fake, zeros)
        g_loss = combined.train_on_batch(random.normal(size=(args.batch_size, 100)), all_ones)
        return 0.5 * (float(on_real) + float(on_fake)), float(g_loss)

    iteration()
    compile_s = time.perf_counter() - began
    iteration()
    began = time.perf_counter()
    for _ in range(args.steps):
        iteration()
    seconds = time.perf_counter() - began
    print(
        json.dumps(
            {
                "iterations_per_s": args.steps / seconds,
                "ms_per_step": 1000 * seconds / args.steps,
                "compile_s": compile_s,
            }
        )
    )


if __name__ == "__main__":
    main()
