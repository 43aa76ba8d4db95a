"""The loop that the tutorials use, as a yardstick: tf.function over tf.data, Keras layers and Keras' Adam.

    python benchmarks/plain_dcgan.py --steps 30 [--data-dir DIR] [--batch-size 256]

Prints JSON: images_per_s, ms_per_step, compile_s. DCGAN at full width on MNIST; without ``--data-dir``, on
noise of MNIST's size, which costs the same.
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
import tensorflow as tf
from keras import layers


def build_generator() -> keras.Model:
    """The tutorial's, layer for layer."""
    return keras.Sequential(
        [
            keras.Input((100,)),
            layers.Dense(7 * 7 * 256, use_bias=False),
            layers.BatchNormalization(),
            layers.LeakyReLU(),
            layers.Reshape((7, 7, 256)),
            layers.Conv2DTranspose(128, 5, strides=1, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.LeakyReLU(),
            layers.Conv2DTranspose(64, 5, strides=2, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.LeakyReLU(),
            layers.Conv2DTranspose(1, 5, strides=2, padding="same", use_bias=False, activation="tanh"),
        ]
    )


def build_discriminator() -> keras.Model:
    """The tutorial's, layer for layer."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(64, 5, strides=2, padding="same"),
            layers.LeakyReLU(),
            layers.Dropout(0.3),
            layers.Conv2D(128, 5, strides=2, padding="same"),
            layers.LeakyReLU(),
            layers.Dropout(0.3),
            layers.Flatten(),
            layers.Dense(1),
        ]
    )


def images(data_dir: Path | None) -> np.ndarray:
    """float32 ``[60000, 28, 28, 1]`` in [-1, 1]."""
    if data_dir is None:
        pixels = np.random.default_rng(0).integers(0, 256, (60_000, 28, 28), dtype=np.uint8)
    else:
        with np.load(data_dir / "mnist.npz", allow_pickle=False) as arrays:
            pixels = arrays["x_train"]
    return pixels[..., np.newaxis].astype(np.float32) / 127.5 - 1.0


def main() -> None:
    """Train for a while and print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--data-dir", type=Path)
    args = parser.parse_args()

    cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)
    generator, discriminator = build_generator(), build_discriminator()
    generator_optimizer, discriminator_optimizer = keras.optimizers.Adam(1e-4), keras.optimizers.Adam(1e-4)

    @tf.function
    def train_step(real: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        noise = tf.random.normal([args.batch_size, 100])
        with tf.GradientTape() as g_tape, tf.GradientTape() as d_tape:
            fake = generator(noise, training=True)
            real_logits = discriminator(real, training=True)
            fake_logits = discriminator(fake, training=True)
            g_loss = cross_entropy(tf.ones_like(fake_logits), fake_logits)
            d_loss = cross_entropy(tf.ones_like(real_logits), real_logits) + cross_entropy(
                tf.zeros_like(fake_logits), fake_logits
            )
        g_gradients = g_tape.gradient(g_loss, generator.trainable_variables)
        d_gradients = d_tape.gradient(d_loss, discriminator.trainable_variables)
        generator_optimizer.apply_gradients(zip(g_gradients, generator.trainable_variables, strict=True))
        discriminator_optimizer.apply_gradients(
            zip(d_gradients, discriminator.trainable_variables, strict=True)
        )
        return d_loss, g_loss

    dataset = tf.data.Dataset.from_tensor_slices(images(args.data_dir)).shuffle(60_000).repeat()
    batches = iter(dataset.batch(args.batch_size, drop_remainder=True).prefetch(tf.data.AUTOTUNE))
    began = time.perf_counter()
    train_step(next(batches))
    compile_s = time.perf_counter() - began
    train_step(next(batches))
    began = time.perf_counter()
    for _ in range(args.steps):
        d_loss, g_loss = train_step(next(batches))
    float(d_loss), float(g_loss)
    seconds = time.perf_counter() - began
    print(
        json.dumps(
            {
                "images_per_s": args.steps * args.batch_size / seconds,
                "ms_per_step": 1000 * seconds / args.steps,
                "compile_s": compile_s,
            }
        )
    )


if __name__ == "__main__":
    main()
