"""``LossPlot`` and ``SampleGrid``: files, and outputs of a notebook."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest

import gandist
from gandist.artifacts.images import decode_png, grid
from gandist.errors import UsageError
from tests.console.notebook import Shown, notebook
from tests.keras_gan.conftest import BATCH, tiny_gan


@pytest.fixture(scope="module")
def shown() -> Shown:
    """What a notebook has shown."""
    return []


@pytest.fixture(scope="module")
def files(images: np.ndarray, shown: Shown, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Of two epochs in a notebook: the folder, the GAN, its plot, its history."""
    folder = tmp_path_factory.mktemp("files")
    plot = gandist.keras.LossPlot(folder / "plots" / "losses.png")
    samples = gandist.keras.SampleGrid(folder / "grids", rows=1, columns=3, seed=2)
    gan = tiny_gan()
    with notebook() as outputs:
        history = gan.fit(images, batch_size=BATCH, epochs=2, callbacks=[plot, samples], verbose=0)
    shown += outputs
    return folder, gan, plot, history.history


def test_the_plot_has_both_losses_of_each_epoch(files: Any) -> None:
    folder, _, plot, history = files
    (axes,) = plot.figure().axes
    lines = {line.get_label(): list(line.get_ydata()) for line in axes.lines}
    assert lines == {"discriminator": history["d_loss"], "generator": history["g_loss"]}
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("Epoch", "Loss (mean of the epoch)")
    assert (folder / "plots" / "losses.png").read_bytes().startswith(b"\x89PNG")


def test_the_grids_are_of_the_same_latents_after_each_epoch(files: Any) -> None:
    folder, gan, *_ = files
    assert sorted(it.name for it in (folder / "grids").iterdir()) == ["epoch-0001.png", "epoch-0002.png"]
    last = decode_png((folder / "grids" / "epoch-0002.png").read_bytes())
    np.testing.assert_array_equal(last, grid(gan.generate(3, seed=2), 1, 3, 2))


def test_a_notebook_shows_each_once_and_replaces_it(files: Any, shown: Shown) -> None:
    folder = files[0]
    assert [(how, bundle["text/plain"]) for how, bundle in shown] == [
        ("shown", "losses of 1 epochs"),
        ("shown", "samples after epoch 1"),
        ("replaced", "losses of 2 epochs"),
        ("replaced", "samples after epoch 2"),
    ]
    last = base64.b64decode(shown[-1][1]["image/png"])
    assert last == (folder / "grids" / "epoch-0002.png").read_bytes()


def test_a_plot_of_another_kind_is_refused_at_once() -> None:
    with pytest.raises(UsageError, match=r"^LossPlot losses.bmp: its name ends in none of png, svg, pdf$"):
        gandist.keras.LossPlot("losses.bmp")
