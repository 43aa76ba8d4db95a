"""A small classifier trained on the data set's own labels where it is first needed, then kept: 128 features.

Of images of 64 pixels and more it sees means of blocks, about 32 pixels a side: not the finest detail.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from gandist.activity import Tell, silent
from gandist.data import Dataset, _cache
from gandist.errors import DataError
from gandist.features import _files
from gandist.features._base import FeatureOptions, Seen
from gandist.order import permutation

if TYPE_CHECKING:
    from gandist.features._classifier import Classifier

SEED = 0
SHOWN = 256_000
"""Images that it is shown in its training, however many there are."""
VALIDATION, AT_MOST = 0.1, 5000
"""The share of the images that it is not trained on, which say how good it is."""
WEIGHTS, RECORD = "weights.npz", "record.json"


class Options(FeatureOptions):
    """The features section of a job file."""

    classifies: ClassVar[bool | None] = True
    name: Literal["classifier"] = "classifier"


class Trained:
    """The classifier with its record, as ``record.json`` has it."""

    def __init__(self, classifier: Classifier, record: dict[str, Any]) -> None:
        self.id = f"classifier-{classifier.hash}"
        self.about = f"accuracy {record['accuracy']:.1%} on {record['validation_images']:,} other images"
        self.classifier, self.record = classifier, record

    def look(self, images: np.ndarray, tell: Tell = silent) -> Seen:
        """Features ``[n, 128]`` and logits ``[n, classes]``."""
        return self.classifier.look(images, tell)


def load(options: Options, dataset: Dataset, tell: Tell = silent) -> Trained:
    """The classifier of these images; trained where no process of this machine has done so.

    Raises:
        DataError: they have no labels.
    """
    from gandist.features._classifier import ARCHITECTURE, Classifier

    if len(dataset.class_names) < 2:
        raise DataError(
            "evaluation.features: classifier needs labelled images of two classes at least; use pixels, or "
            "inception or file with a network of your own"
        )

    def new() -> Classifier:
        return Classifier(dataset.image_shape, len(dataset.class_names), SEED)

    key = hashlib.sha256(repr((dataset.fingerprint, ARCHITECTURE, SEED, SHOWN)).encode()).hexdigest()[:24]
    try:
        folder = _cache.directory() / "classifiers" / key
    except DataError:  # there is no place for it
        return _trained(new(), dataset, tell)
    if found := _kept(new(), folder):
        return found
    with _cache.locked(folder, "a classifier is trained", tell) as alone:
        if found := _kept(new(), folder):
            return found
        trained = _trained(new(), dataset, tell)
        with contextlib.suppress(OSError):  # then it is trained again
            if alone:
                _files.sweep(folder)
            # The record last: weights without one, or with another's, pass for none.
            _files.write(folder / WEIGHTS, lambda file: file.write(trained.classifier.encode()))
            _files.write(folder / RECORD, lambda file: file.write(json.dumps(trained.record).encode()))
    return trained


def _kept(classifier: Classifier, folder: Path) -> Trained | None:
    """What lies in ``folder``; None without whole weights and their record."""
    try:
        record = json.loads((folder / RECORD).read_text())
        classifier.load(folder / WEIGHTS)
    except (OSError, ValueError):
        return None
    return Trained(classifier, record) if record.get("hash") == classifier.hash else None


def _trained(classifier: Classifier, dataset: Dataset, tell: Tell) -> Trained:
    order = permutation(SEED, -1, len(dataset))
    count = min(AT_MOST, max(1, round(VALIDATION * len(dataset))))
    validation, training = np.sort(order[:count]), np.sort(order[count:])
    classifier.train(dataset.images, dataset.labels, SHOWN, tell, among=training)
    classifier.encode()  # rounds the weights as the file does
    record = {
        "accuracy": classifier.accuracy(dataset.images[validation], dataset.labels[validation], tell),
        "validation_images": count,
        "data_fingerprint": dataset.fingerprint,
        "seed": SEED,
        "images_shown": SHOWN,
        "hash": classifier.hash,
    }
    return Trained(classifier, record)
