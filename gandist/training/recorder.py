"""What a trial writes, apart from the loop and in the background: losses, grids, checkpoints."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from gandist import metrics
from gandist.artifacts import images, tables
from gandist.artifacts.job_dir import TrialDir
from gandist.artifacts.selection import Best, best
from gandist.artifacts.writer import Writer
from gandist.errors import StorageError
from gandist.metrics.memorization import Pairs
from gandist.spec.budget import Budget
from gandist.spec.trial import TrialSpec
from gandist.training import checkpoint, film

LOSSES_S = 30.0
WHY_LEFT_OUT = {
    TrialDir.GIF: "torn or of another size than the last (samples.rows or columns changed)",
    TrialDir.ARCHIVE: "torn",
}

Columns = dict[str, np.ndarray]


def rows_of(
    trial: TrialSpec, budget: Budget, step: int, found: Iterable[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """The rows of ``tables.METRICS`` of what ``Evaluator.evaluate`` has found after ``step``."""
    whose = {"trial": trial.id, "config": trial.config, "seed": trial.seed}
    when = {"step": step, "epoch": budget.epoch(step), "kimg": budget.kimg(step)}
    return [{**whose, **when, **row} for row in found]


class Recorder:
    """Hands everything to the writer in an order that an end at any moment leaves in good shape.

    Its methods return at once, unless too much is waiting, and raise ``StorageError`` where the storage has
    refused something earlier for too long.

    Args:
        trial: what is trained.
        directory: where to.
        budget: to tell epochs and kimg.
        image_shape: ``(height, width, channels)``.
        writer: does the work; encoding too, so that training waits for neither.
    """

    def __init__(
        self,
        trial: TrialSpec,
        directory: TrialDir,
        budget: Budget,
        image_shape: tuple[int, int, int],
        writer: Writer,
    ) -> None:
        self._trial, self._directory, self._budget, self._writer = trial, directory, budget, writer
        self._image_shape = image_shape
        self.notes: list[str] = []
        """What a reader of the results should know, of all that is written by now."""
        self._pending: list[Columns] = []
        self._optional: tuple[str, ...] = ()
        self._metrics: list[dict[str, Any]] = []
        self._losses_written = time.monotonic()

    def add_losses(self, columns: Columns, optional: Collection[str] = ()) -> None:
        """Keep the losses of a block until they are written; NaNs of ``optional`` columns become nulls."""
        self._pending.append(columns)
        self._optional = tuple(optional)

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
                **{name: np.ma.masked_invalid(columns[name]) for name in self._optional},
            }
            self._writer.submit(partial(self._directory.write_losses, rows), _size(columns))
        self._losses_written = time.monotonic()

    def write_checkpoint(
        self,
        state: checkpoint.State,
        identity: str,
        replicas: int,
        done: Callable[[], None] = lambda: None,
    ) -> None:
        """A checkpoint, behind the losses up to it: a resumed trial writes only what comes after.

        Args:
            state: copies on the host, which training does not change.
            identity: ``TrialSpec.identity()``.
            replicas: of the strategy.
            done: called by the writer's thread when it is finished.
        """
        self.write_losses()
        keep, best = self._trial.checkpoint.keep, self._best_step

        def save() -> None:
            checkpoint.save(self._directory, state, identity, replicas, keep, best)
            done()

        self._writer.submit(save, _size(state))

    def thin_checkpoints(self, step: int) -> None:
        """Leave as many checkpoints up to ``step`` as a finished trial keeps."""
        keep = self._trial.checkpoint.kept_of_finished
        self._writer.submit(partial(checkpoint.tidy, self._directory, step, keep, self._best_step))

    def write_grid(self, step: int, generated: np.ndarray) -> None:
        """A sample grid of the images uint8 ``[n, height, width, channels]`` made after ``step``."""
        path = self._directory.sample_path(step)
        self._writer.submit(partial(self._write_grid, path, generated), generated.nbytes)

    def write_real(self, real: np.ndarray) -> None:
        """The grid of real images of the same shape."""
        self._writer.submit(partial(self._write_grid, TrialDir.REAL, real), real.nbytes)

    def write_metrics(self, step: int, found: list[dict[str, Any]], pairs: Pairs | None = None) -> None:
        """The rows of one evaluation after ``step``, beside those of earlier steps.

        Behind a picture of the ``pairs`` that it has found: where there are rows, that is there.
        """
        if pairs is not None and len(pairs.generated):
            self._writer.submit(partial(self._write_pairs, pairs))
        self._metrics += rows_of(self._trial, self._budget, step, found)
        self._writer.submit(partial(self._directory.write_metrics, list(self._metrics)))

    @property
    def rows(self) -> Sequence[Mapping[str, Any]]:
        """Of all evaluations so far."""
        return self._metrics

    def losses_backwards(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """``(step, d_loss)`` of all steps so far, some at a time, the last ones first; read from storage.

        Ends where a part is missing or cannot be read.
        """
        self.write_losses()
        self._writer.flush()
        later = None
        for _, last, path in reversed(self._directory.losses_parts()):
            if later is not None and last != later - 1:
                return
            try:
                part = tables.decode_losses(self._directory.storage.read(path), path)
            except StorageError:
                return
            yield part["step"].to_numpy(), part["d_loss"].to_numpy()
            later = part["step"][0].as_py()

    @property
    def best(self) -> Best | None:
        """The best evaluation so far; None where nothing chooses one."""
        evaluation = self._trial.evaluation
        if evaluation is None or evaluation.select is None:
            return None
        return best(self._metrics, metrics.headline(evaluation.select))

    def write_best(self, generator: bytes) -> None:
        """The exported generator of the best step, behind the checkpoint of that step."""
        self._writer.submit(partial(self._directory.storage.write, TrialDir.BEST, generator), len(generator))

    def resume(self, step: int, unusable: tuple[str, ...]) -> None:
        """Keep what was recorded up to ``step``, after which training goes on; the rest is made again.

        Args:
            step: where it goes on.
            unusable: checkpoints that could not be used, and were told of.
        """
        self._metrics = [row for row in self._directory.read_metrics() if row["step"] <= step]
        keep = self._trial.checkpoint.keep
        # By the writer: what it is writing at the moment is not left behind by anybody.
        self._writer.submit(self._directory.storage.delete_unfinished)
        self._writer.submit(partial(self._directory.drop_losses_after, step))
        self._writer.submit(partial(checkpoint.disown, self._directory, unusable))
        self._writer.submit(partial(checkpoint.tidy, self._directory, step, keep, self._best_step))
        self._writer.flush()

    def has_metrics(self, step: int) -> bool:
        """Whether ``step`` was evaluated."""
        return any(row["step"] == step for row in self._metrics)

    def has_grid(self, step: int) -> bool:
        """Whether a grid of ``step`` was drawn."""
        return self._directory.storage.exists(self._directory.sample_path(step))

    def write_outputs(self, step: int, outputs: Mapping[str, np.ndarray]) -> None:
        """What the discriminator says after ``step``: float32 ``[n]`` of each kind of image."""
        rows: tables.Rows = {
            "trial": self._trial.id,
            "config": self._trial.config,
            "seed": self._trial.seed,
            "step": step,
            "kind": np.repeat(list(outputs), [len(values) for values in outputs.values()]),
            "output": np.concatenate(list(outputs.values())),
        }
        content = tables.encode(rows, tables.OUTPUTS)
        self._writer.submit(partial(self._directory.storage.write, TrialDir.OUTPUTS, content), len(content))

    def finish_artifacts(self, step: int, generator: bytes, loading: str) -> None:
        """The generator and how to load it; of all grids up to ``step`` the GIF and the archive."""
        self._writer.submit(
            partial(self._directory.storage.write, TrialDir.GENERATOR, generator), len(generator)
        )
        if loading:
            self._writer.submit(
                partial(self._directory.storage.write, TrialDir.LOADING, f"{loading}\n".encode())
            )
        self._writer.submit(partial(self._write_of_all_grids, step))

    @property
    def _best_step(self) -> int | None:
        return self.best.step if self.best else None

    def _grid(self, generated: np.ndarray) -> np.ndarray:
        samples, (height, _, _) = self._trial.samples, self._image_shape
        return images.grid(generated, samples.rows, samples.columns, images.magnification(height))

    def _write_grid(self, path: str, shown: np.ndarray) -> None:
        self._directory.storage.write(path, images.encode_png(self._grid(shown)))

    def _write_pairs(self, pairs: Pairs) -> None:
        shown = np.concatenate([pairs.generated, pairs.training])
        grid = images.grid(shown, 2, len(pairs.generated), images.magnification(self._image_shape[0]))
        self._directory.storage.write(TrialDir.PAIRS, images.encode_png(grid))

    def _write_of_all_grids(self, step: int) -> None:
        """What is only for looking at: where it cannot be made, a note says so, and the training stands."""
        shape = self._grid(np.zeros((1, *self._image_shape), np.uint8)).shape
        scale = images.magnification(self._image_shape[0])
        makers = {TrialDir.GIF: partial(film.gif, self._directory, step, shape, scale)}
        if self._trial.samples.archive:
            makers[TrialDir.ARCHIVE] = partial(film.archive, self._directory)
        for path, make in makers.items():
            try:
                content, left_out = make()
                if content:
                    self._directory.storage.write(path, content)
            except StorageError as error:
                self.notes.append(f"not written: {error}")
                continue
            if left_out:
                self.notes.append(f"{path}: {left_out:,} grids left out, {WHY_LEFT_OUT[path]}")


def _size(arrays: Columns) -> int:
    return sum(array.nbytes for array in arrays.values())
