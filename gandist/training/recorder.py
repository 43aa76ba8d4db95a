"""What a trial writes, apart from the loop and in the background: losses, grids, checkpoints."""

from __future__ import annotations

import io
import time
import zipfile
from functools import partial
from typing import Any

import numpy as np

from gandist.artifacts import images, tables
from gandist.artifacts.job_dir import TrialDir
from gandist.artifacts.writer import Writer
from gandist.budget import Budget
from gandist.spec import TrialSpec
from gandist.training import checkpoint

LOSSES_S = 30.0
GIF_FRAMES = 100

Columns = dict[str, np.ndarray]


class Recorder:
    """Hands everything to the writer in an order that an end at any moment leaves in good shape.

    Its methods return at once, unless too much is waiting, and raise ``StorageError`` where the storage has
    refused something earlier for too long.

    Args:
        trial: what is trained.
        directory: where to.
        budget: to tell epochs and kimg.
        height: of an image.
        writer: does the work; encoding too, so that training waits for neither.
    """

    def __init__(
        self, trial: TrialSpec, directory: TrialDir, budget: Budget, height: int, writer: Writer
    ) -> None:
        self._trial, self._directory, self._budget, self._writer = trial, directory, budget, writer
        self._scale = images.magnification(height)
        self._pending: list[Columns] = []
        self._metrics: list[dict[str, Any]] = []
        self._losses_written = time.monotonic()

    def add_losses(self, columns: Columns) -> None:
        """Keep the losses of a block until they are written."""
        self._pending.append(columns)

    def keep_up(self) -> None:
        """Write losses every so many seconds."""
        if time.monotonic() - self._losses_written > LOSSES_S:
            self.write_losses()

    def write_losses(self) -> None:
        """Write the losses that were kept, as one part."""
        if self._pending:
            pending, self._pending = self._pending, []
            columns = {name: np.concatenate([part[name] for part in pending]) for name in pending[0]}
            rows: tables.Rows = {
                "trial": self._trial.id,
                "config": self._trial.config,
                "seed": self._trial.seed,
                "epoch": self._budget.epoch(columns["step"]),
                "kimg": self._budget.kimg(columns["step"]),
                **columns,
            }
            self._writer.submit(partial(self._directory.write_losses, rows), _size(columns))
        self._losses_written = time.monotonic()

    def write_checkpoint(self, state: checkpoint.State, identity: str, replicas: int) -> None:
        """A checkpoint, behind the losses up to it: a resumed trial writes only what comes after.

        Args:
            state: copies on the host, which training does not change.
            identity: ``TrialSpec.identity()``.
            replicas: of the strategy.
        """
        self.write_losses()
        keep = self._trial.checkpoint.keep
        self._writer.submit(
            partial(checkpoint.save, self._directory, state, identity, replicas, keep), _size(state)
        )

    def write_grid(self, step: int, generated: np.ndarray) -> None:
        """A sample grid of the images uint8 ``[n, height, width, channels]`` made after ``step``."""
        self._writer.submit(partial(self._write_grid, step, generated), generated.nbytes)

    def write_metrics(self, step: int, found: list[dict[str, Any]]) -> None:
        """The rows of one evaluation after ``step``, beside those of earlier steps."""
        self._metrics += [
            {
                "trial": self._trial.id,
                "config": self._trial.config,
                "seed": self._trial.seed,
                "step": step,
                "epoch": self._budget.epoch(step),
                "kimg": self._budget.kimg(step),
                **row,
            }
            for row in found
        ]
        self._writer.submit(partial(self._directory.write_metrics, list(self._metrics)))

    def resume(self, step: int) -> None:
        """Keep what was recorded up to ``step``, after which training goes on; the rest is made again."""
        self._directory.drop_losses_after(step)
        self._metrics = [row for row in self._directory.read_metrics() if row["step"] <= step]

    def has_metrics(self, step: int) -> bool:
        """Whether ``step`` was evaluated."""
        return any(row["step"] == step for row in self._metrics)

    def has_grid(self, step: int) -> bool:
        """Whether a grid of ``step`` was drawn."""
        return self._directory.storage.exists(self._directory.sample_path(step))

    def write_outputs(self, step: int, real: np.ndarray, generated: np.ndarray) -> None:
        """What the discriminator says after ``step``: float32 ``[n]`` of each kind of image."""
        rows: tables.Rows = {
            "trial": self._trial.id,
            "config": self._trial.config,
            "seed": self._trial.seed,
            "step": step,
            "kind": np.repeat(["real", "generated"], [len(real), len(generated)]),
            "output": np.concatenate([real, generated]),
        }
        content = tables.encode(rows, tables.OUTPUTS)
        self._writer.submit(partial(self._directory.storage.write, TrialDir.OUTPUTS, content), len(content))

    def finish_artifacts(self, generator: bytes) -> None:
        """The exported generator and, of all grids, the GIF and the archive."""
        self._writer.submit(
            partial(self._directory.storage.write, TrialDir.GENERATOR, generator), len(generator)
        )
        self._writer.submit(self._write_gif)
        if self._trial.samples.archive:
            self._writer.submit(self._write_archive)

    def _write_grid(self, step: int, generated: np.ndarray) -> None:
        samples = self._trial.samples
        picture = images.grid(generated, samples.rows, samples.columns, self._scale)
        self._directory.storage.write(self._directory.sample_path(step), images.encode_png(picture))

    def _write_gif(self) -> None:
        samples = self._directory.samples()
        chosen = np.unique(np.linspace(0, len(samples) - 1, GIF_FRAMES).round().astype(int))
        # At their own size: a viewer magnifies as well, and a GIF of squares is several times larger.
        frames = [
            images.decode_png(self._directory.storage.read(samples[i][1]))[:: self._scale, :: self._scale]
            for i in chosen
        ]
        self._directory.storage.write(TrialDir.GIF, images.encode_gif(frames))

    def _write_archive(self) -> None:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:  # PNGs are compressed already
            for _, path in self._directory.samples():
                # A fixed date: equal grids give equal archives.
                entry = zipfile.ZipInfo(path.rpartition("/")[2])
                archive.writestr(entry, self._directory.storage.read(path))
        self._directory.storage.write(TrialDir.ARCHIVE, buffer.getvalue())


def _size(arrays: Columns) -> int:
    return sum(array.nbytes for array in arrays.values())
