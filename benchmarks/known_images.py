"""All metrics on images whose faults are known: real ones, copies, blurs, shifts, one class, noise.

Prints a table in Markdown, and the seconds of each metric. Usage: known_images.py DIR [COUNT], where DIR
has mnist.npz.
"""

from __future__ import annotations

import gandist.tensorflow_start  # isort: skip  # noqa: F401

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from gandist import features, metrics
from gandist.data import Dataset, mnist
from gandist.metrics import Images, Sets
from gandist.order import permutation

MEASURED = ("frechet", "kid", "prdc", "modes", "conditional_accuracy", "memorization")


def blurs(images: np.ndarray, count: int, components: int = 64) -> np.ndarray:
    """What a normal distribution has that has the images' principal components; uint8."""
    pixels = images.reshape(len(images), -1).astype(np.float64)
    mean = pixels.mean(axis=0)
    _, lengths, axes = np.linalg.svd(pixels[:10_000] - mean, full_matrices=False)
    scale = lengths[:components] / np.sqrt(min(len(images), 10_000))
    drawn = np.random.default_rng(0).normal(size=(count, components)) * scale @ axes[:components] + mean
    return np.clip(np.rint(drawn), 0, 255).astype(np.uint8).reshape(count, *images.shape[1:])


def known(dataset: Dataset, count: int) -> dict[str, tuple[np.ndarray, np.ndarray | None]]:
    """Images and labels by what they are."""
    order = permutation(1, 0, len(dataset))
    images, labels = dataset.images[order], dataset.labels[order]
    of_one = np.resize(np.flatnonzero(labels == 3), count)
    some = np.arange(count)
    few = np.resize(np.arange(100), count)
    without = np.flatnonzero(labels != 4)[:count]
    random = np.random.default_rng(0)
    return {
        "training images": (images[some], labels[some]),
        "test images": (dataset.held_out[:count], None),
        "without one class": (images[without], labels[without]),
        "shifted by 2 pixels": (np.roll(images[some], 2, axis=2), labels[some]),
        "100 images, repeated": (images[few], labels[few]),
        "one class": (images[of_one], labels[of_one]),
        "blurs (normal in 64 PCs)": (blurs(images, count), None),
        "noise": (random.integers(0, 256, (count, *images.shape[1:]), dtype=np.uint8), None),
    }


def main() -> None:
    """Measure, and print."""
    dataset, count = mnist.load(mnist.Options(), Path(sys.argv[1])), int((sys.argv[2:] or ["10000"])[0])
    network = features.load(features.named("mnist"), dataset)

    def seen(pixels: np.ndarray, labels: np.ndarray | None = None) -> Images:
        return Images(pixels, labels, lambda: network.look(pixels))

    real, training = seen(dataset.held_out[:count]), seen(dataset.images, dataset.labels)
    took: dict[str, float] = {}

    def timed(name: str, work: Callable[[], object]) -> None:
        began = time.monotonic()
        work()
        took[name] = time.monotonic() - began

    timed("looking at real images", lambda: (real.seen, training.seen))
    rows = {}
    for what, (pixels, labels) in known(dataset, count).items():
        made = seen(pixels, labels)
        sets, values = Sets(made, real, training, dataset.class_names), []
        timed("looking", lambda made=made: made.seen)
        for name in MEASURED:
            timed(name, lambda name=name: values.extend(metrics.measure(name, sets)))  # noqa: B023
        rows[what] = {v.name: v for v in values if not v.name.startswith("conditional_accuracy_")}
    names = list(rows["training images"])
    print("| images |", " | ".join(names), "|")
    print("|---" * (len(names) + 1) + "|")
    for what, found in rows.items():
        cells = [f"{found[name].value:.4g}" if name in found else "" for name in names]
        print(f"| {what} |", " | ".join(cells), "|")
    print({name: round(seconds, 1) for name, seconds in took.items()})


if __name__ == "__main__":
    main()
