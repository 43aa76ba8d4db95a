"""A conditional GAN makes the digit that it is asked for: a classifier that knows nothing of it says so."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gandist.data import digits

JOB = Path(__file__).parents[1] / "jobs" / "mnist_conditional.yaml"
SMALL = ["data.name=digits", "training.epochs=40", "samples.every_epochs=40", "resources={gpus: 0, cpus: 2}"]
EACH = 40


def gandist(*arguments: str) -> None:
    done = subprocess.run([sys.executable, "-m", "gandist", *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_at_least_four_in_five_samples_show_the_wanted_digit(tmp_path: Path) -> None:
    from sklearn.svm import SVC

    overrides = [word for change in SMALL for word in ("--set", change)]
    gandist("run", str(JOB), "--local", "--storage", str(tmp_path), *overrides)

    real = digits.load(digits.Options(), None)
    train, test = slice(0, 1400), slice(1400, None)
    pixels = real.images.reshape(len(real), -1) / 255.0
    classifier = SVC().fit(pixels[train], real.labels[train])
    assert classifier.score(pixels[test], real.labels[test]) > 0.9  # or its word would be worth nothing

    right, spreads = [], []
    for digit in range(10):
        out = tmp_path / f"{digit}.npy"
        label = ("--label", str(digit), "--n", str(EACH))
        gandist("sample", str(tmp_path / "mnist_conditional"), *label, "--out", str(out))
        made = np.load(out, allow_pickle=False)
        assert (made.shape, made.dtype) == ((EACH, 28, 28, 1), np.uint8)
        right.append(np.mean(classifier.predict(made.reshape(EACH, -1) / 255.0) == digit))
        own = real.images[real.labels == digit].astype(float)
        spreads.append(made.astype(float).std(axis=0).mean() / own.std(axis=0).mean())
    print("share of the wanted digit:", np.round(right, 3), "variety:", np.round(spreads, 2))
    assert np.mean(right) >= 0.8
    assert np.mean(spreads) > 0.2  # one picture of each digit would be recognised as well
