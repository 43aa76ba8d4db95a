"""What a training looks like after each epoch: files, and outputs of a notebook, replaced in place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras

from gandist.artifacts import images
from gandist.console.notebook import Output
from gandist.errors import UsageError
from gandist.export import panels
from gandist.report.drawing import SERIES_COLOURS, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LOSSES = {"d_loss": "discriminator", "g_loss": "generator"}


class LossPlot(keras.callbacks.Callback):
    """Both losses, means over each epoch, as a picture that is drawn anew after each epoch.

    Args:
        path: a .png, .svg or .pdf; None only shows it.
    """

    def __init__(self, path: str | Path | None = None) -> None:
        super().__init__()
        self._path = Path(path) if path is not None else None
        if self._path is not None and self._path.suffix[1:] not in panels.FORMATS:
            raise UsageError(f"LossPlot {self._path}: its name ends in none of {', '.join(panels.FORMATS)}")
        self._losses: dict[str, list[float]] = {name: [] for name in LOSSES}
        self._output = Output()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Draw."""
        for name, values in self._losses.items():
            values.append((logs or {})[name])
        figure = self.figure()
        if self._path is not None:
            _write(self._path, panels.encode(figure, self._path.suffix[1:]))
        self._output.show_png(panels.encode(figure, "png"), f"losses of {epoch + 1} epochs")

    def figure(self) -> Figure:
        """The plot so far, as a figure of matplotlib."""
        from matplotlib.figure import Figure
        from matplotlib.ticker import MaxNLocator

        with styled():
            figure = Figure(figsize=(5, 2.8), layout="constrained")
            axes = figure.subplots()
            for (name, label), colour in zip(LOSSES.items(), SERIES_COLOURS, strict=False):
                values = self._losses[name]
                axes.plot(range(1, len(values) + 1), values, "o-", markersize=3, color=colour, label=label)
            axes.set(xlabel="Epoch", ylabel="Loss (mean of the epoch)")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.legend(frameon=False)
        return figure


class SampleGrid(keras.callbacks.Callback):
    """Generated images after each epoch, always of the same latents.

    Args:
        folder: gets epoch-0001.png and so on; None only shows them.
        rows: of the grid.
        columns: of the grid.
        seed: of the latents.
    """

    def __init__(
        self, folder: str | Path | None = None, rows: int = 4, columns: int = 8, *, seed: int = 0
    ) -> None:
        super().__init__()
        self._folder = Path(folder) if folder is not None else None
        self._rows, self._columns, self._seed = rows, columns, seed
        self._epochs = 0
        self._output = Output()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Generate."""
        self._epochs += 1
        made = self.model.generate(self._rows * self._columns, seed=self._seed)
        scale = images.magnification(made.shape[1])
        picture = images.encode_png(images.grid(made, self._rows, self._columns, scale))
        if self._folder is not None:
            _write(self._folder / f"epoch-{self._epochs:04}.png", picture)
        self._output.show_png(picture, f"samples after epoch {self._epochs}")


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
