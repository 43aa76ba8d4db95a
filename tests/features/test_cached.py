"""Features of real images: computed once, for one network and content; anew where the file is damaged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gandist import features
from gandist.activity import Tell, silent
from gandist.features import Seen


class Network:
    """Sees the mean of an image, and counts how often it was asked."""

    about = ""

    def __init__(self, name: str = "mean-1", logits: bool = True) -> None:
        self.id, self.asked, self._logits = name, 0, logits

    def look(self, images: np.ndarray, tell: Tell = silent) -> Seen:
        self.asked += 1
        means = images.reshape(len(images), -1).mean(axis=1, keepdims=True).astype(np.float32)
        return Seen(means, means[:, [0, 0]] if self._logits else None)


IMAGES = np.random.default_rng(0).integers(0, 256, (20, 4, 4, 1), dtype=np.uint8)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GANDIST_CACHE_DIR", str(tmp_path))
    return tmp_path


def kept(cache: Path) -> list[Path]:
    return sorted(path for path in cache.rglob("*") if path.is_file() and path.name != "lock")


@pytest.mark.parametrize("logits", [True, False])
def test_they_are_computed_once_to_the_bit(logits: bool) -> None:
    first = features.look(Network(logits=logits), IMAGES)
    again = Network(logits=logits)
    second = features.look(again, IMAGES)
    assert again.asked == 0
    assert second.features.tobytes() == first.features.tobytes()
    assert (second.logits is None) is not logits


def test_other_images_and_other_networks_have_their_own(cache: Path) -> None:
    for images in (IMAGES, IMAGES[:10], IMAGES[::-1], IMAGES.reshape(20, 2, 8, 1)):
        assert len(features.look(Network(), images).features) == len(images)
    features.look(Network("mean-2"), IMAGES)
    assert len(kept(cache)) == 5


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "of other images"])
def test_a_damaged_file_is_made_anew(cache: Path, damage: str) -> None:
    first = features.look(Network(), IMAGES)
    (path,) = kept(cache)
    content = bytearray(path.read_bytes())
    if damage == "flipped":
        content[content.index(first.features.tobytes()) + 5] ^= 1
    path.write_bytes(content[: {"cut": 100, "empty": 0}.get(damage, len(content))])
    if damage == "of other images":
        np.savez(path, features=first.features[:3])
    network = Network()
    assert features.look(network, IMAGES).features.tobytes() == first.features.tobytes()
    assert network.asked == 1
    assert features.look(network, IMAGES).features.tobytes() == first.features.tobytes()
    assert network.asked == 1


def test_without_a_place_for_it_they_are_computed_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("GANDIST_CACHE_DIR", str(tmp_path / "file"))
    network = Network()
    for _ in range(2):
        assert len(features.look(network, IMAGES).features) == 20
    assert network.asked == 2
