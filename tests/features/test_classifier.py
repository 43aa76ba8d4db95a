"""A classifier of the data's own labels: trained once, always the same, whole or not there."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from gandist import features
from gandist.data import Dataset
from gandist.errors import DataError
from gandist.features import classifier
from gandist.features._classifier import Classifier


def dataset(side: int = 8, count: int = 120) -> Dataset:
    """Images of which one half is light: the left one, the right one or neither."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 3, count).astype(np.int32)
    images = random.integers(0, 100, (count, side, side, 1), dtype=np.uint8)
    images[labels == 0, :, : side // 2] += 150
    images[labels == 1, :, side // 2 :] += 150
    return Dataset(images, labels, ("left", "right", "none"))


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[int]:
    """20 steps of training; the list grows with each training."""
    monkeypatch.setattr(classifier, "SHOWN", 20 * 128)
    monkeypatch.setenv("GANDIST_CACHE_DIR", str(tmp_path / "cache"))
    trainings: list[int] = []
    train = Classifier.train

    def counted(self: Classifier, *arguments: object, **named: object) -> None:
        trainings.append(1)
        train(self, *arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Classifier, "train", counted)
    return trainings


def load(of: Dataset) -> features.Network:
    return features.load(features.named("classifier"), of)


def kept(tmp_path: Path) -> dict[str, Path]:
    return {path.name: path for path in (tmp_path / "cache").rglob("*") if path.is_file()}


def test_it_is_trained_once_and_says_how_good_it_is(tmp_path: Path, short: list[int]) -> None:
    data = dataset()
    first, second = load(data), load(data)
    assert len(short) == 1
    assert first.id == second.id
    seen, again = first.look(data.images), second.look(data.images)
    assert seen.features.shape == (120, 128)
    assert seen.features.tobytes() == again.features.tobytes()
    assert seen.logits is not None
    assert np.mean(seen.logits.argmax(axis=1) == data.labels) > 0.9
    record = json.loads(kept(tmp_path)["record.json"].read_text())
    assert record["accuracy"] > 0.8
    assert record["validation_images"] == 12
    assert first.about == second.about == f"accuracy {record['accuracy']:.1%} on 12 other images"


def test_whatever_is_not_whole_is_made_anew(tmp_path: Path, short: list[int]) -> None:
    data = dataset(count=40)
    name = load(data).id
    weights, record = kept(tmp_path)["weights.npz"], kept(tmp_path)["record.json"]
    good = weights.read_bytes()
    weights.write_bytes(good[:-100])
    assert load(data).id == name
    assert weights.read_bytes() == good
    record.unlink()  # as a process leaves it that is killed before the record
    (record.parent / "0123.part").touch()
    assert load(data).id == name
    weights.write_bytes(Classifier((8, 8, 1), 3, seed=1).encode())  # whole, and another's
    assert load(data).id == name
    assert weights.read_bytes() == good
    assert len(short) == 4
    assert set(kept(tmp_path)) == {"lock", "record.json", "weights.npz"}


def test_other_images_have_another() -> None:
    names = {load(of).id for of in (dataset(count=40), dataset(count=41))}
    assert len(names) == 2
    assert all(name.startswith("classifier-") for name in names)


def test_large_images_are_averaged_down() -> None:
    large = Classifier((70, 96, 3), 2)
    assert large.look(np.zeros((3, 70, 96, 3), np.uint8)).features.shape == (3, 128)
    blocks = large.model.get_layer("blocks").output.shape
    assert tuple(blocks) == (None, 35, 48, 3)


def test_without_labels_it_is_refused() -> None:
    unlabelled = Dataset(np.zeros((5, 8, 8, 1), np.uint8), np.zeros(5, np.int32))
    with pytest.raises(DataError, match=r"^evaluation\.features: classifier needs labelled images of two"):
        load(unlabelled)
