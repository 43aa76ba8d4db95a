"""Trains the classifier that ``features: mnist`` looks with, and writes it where the package has it.

Trains on MNIST's training images and most of scikit-learn's digits; MNIST's test images and the other digits
say once, at the end, how good it is. The same machine and versions give the same weights.
Usage: train_mnist_features.py DIR, with mnist.npz in DIR.
"""

from __future__ import annotations

import gandist.tensorflow_start  # isort: skip  # noqa: F401

import hashlib
import json
import platform
import sys
import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from gandist.activity import telling
from gandist.data import digits
from gandist.data import mnist as mnist_data
from gandist.features import mnist
from gandist.features._classifier import BATCH, RATE, Classifier
from gandist.order import permutation

SEED, EPOCHS = 0, 8
DIGITS, TIMES = 1400, 4
"""How many of scikit-learn's digits it is trained on, and how often for once on MNIST's: they are few."""


def main() -> None:
    """Train, store, and say what came of it."""
    tf.config.threading.set_inter_op_parallelism_threads(1)  # else no two trainings have the same bits
    dataset = mnist_data.load(mnist_data.Options(), Path(sys.argv[1]))
    other = digits.load(digits.Options(), None)
    with np.load(Path(sys.argv[1], "mnist.npz")) as archive:
        test_labels = archive["y_test"]
    some, rest = np.split(permutation(SEED, 0, len(other)), [DIGITS])
    images = np.concatenate([dataset.images, *[other.images[some]] * TIMES])
    labels = np.concatenate([dataset.labels, *[other.labels[some]] * TIMES])
    classifier, began = Classifier(mnist.SHAPE, len(mnist.CLASSES), SEED), time.monotonic()
    telling(lambda tell: classifier.train(images, labels, EPOCHS * len(images), tell), print)
    mnist.WEIGHTS.write_bytes(classifier.encode())
    features = classifier.look(other.images[:100]).features
    record = {
        "data": f"MNIST's 60,000 training images, and {TIMES} times {DIGITS:,} of the 1,797 of digits",
        "data_fingerprints": [dataset.fingerprint, other.fingerprint],
        "seed": SEED,
        "epochs": EPOCHS,
        "batch_size": BATCH,
        "optimizer": f"Adam, {RATE} falling to 0 along a cosine",
        "test_accuracy": classifier.accuracy(dataset.held_out, test_labels),
        "digits_accuracy": classifier.accuracy(other.images[rest], other.labels[rest]),
        "seconds": round(time.monotonic() - began),
        "device": f"{platform.machine()}, {platform.system()}, CPU",
        "versions": {"tensorflow": tf.__version__, "keras": keras.__version__, "numpy": np.__version__},
        "features_of": "the first 100 images of digits",
        "features_mean": float(features.mean()),
        "features_std": float(features.std()),
        "hash": classifier.hash,
        "sha256": hashlib.sha256(mnist.WEIGHTS.read_bytes()).hexdigest(),
    }
    mnist.WEIGHTS.with_suffix(".json").write_text(json.dumps(record, indent=2) + "\n")
    print(json.dumps(record, indent=2))


if __name__ == "__main__":
    main()
