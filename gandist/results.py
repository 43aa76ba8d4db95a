"""What a job has left, from Python: tables, figures, the answer, and generators that draw.

A job directory may be a stranger's: nothing in it is executed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from gandist.artifacts import tables
from gandist.artifacts.job_dir import JobDir, TrialDir
from gandist.artifacts.trials import listed_trials
from gandist.errors import UsageError
from gandist.export import figures, panels
from gandist.report import merge, read_answer, write_report
from gandist.report.losses import pieces, read_piece
from gandist.report.reading import read_metrics
from gandist.sampling import generators
from gandist.spec.plugins import allow

if TYPE_CHECKING:
    import keras
    from matplotlib.figure import Figure

    from gandist.sampling.sampler import Sampler


@dataclass(frozen=True, repr=False)
class Results:
    """What lies in a job directory by now, finished or not; read anew by each method.

    Every method raises ``NotAJobError`` where the directory is none, and ``StorageError`` where the storage
    refuses. What cannot be used is left out; the report names it.
    """

    root: str
    """The job directory: a path or ``s3://...``."""

    def trials(self) -> pa.Table:
        """One row a trial, in the manifest's order: its configuration, seed, status and how far it is."""
        return merge.merge_trials(self._directory)

    def losses(self) -> pa.Table:
        """One row a trial and step, each once, sorted: the losses and whatever else the steps log."""
        return merge.merge_losses(self._directory)

    def metrics(self) -> pa.Table:
        """One row a trial, evaluation, metric and protocol, sorted."""
        return merge.merge_metrics(self._directory)

    def verdict(self) -> str:
        """What the report opens with: which configuration is better, and how sure that is. May be empty."""
        return read_answer(self._directory)

    def figure(self, name: str = "losses") -> Figure:
        """A plot of the report, as a figure of matplotlib.

        Args:
            name: ``answer``, ``samples``, ``losses``, ``discriminator``, ``outputs``, ``health``, ``cost``,
                or a metric.

        Raises:
            UsageError: there is no such figure, or nothing to draw in it yet.
        """
        drawn = figures.figure(self._directory, name)
        # A notebook shows what has this, whether or not pyplot was imported.
        drawn._repr_png_ = partial(panels.encode, drawn, "png")  # type: ignore[attr-defined]
        return drawn

    def report(self) -> str:
        """Write the merged tables and the page; where the page lies."""
        return write_report(self._directory).where

    def trial(self, name: str) -> TrialResults:
        """One of its trials, such as ``base-seed0``.

        Raises:
            UsageError: there is no such trial; it says which there are.
        """
        with _as_arguments():
            generators.named(self._directory, listed_trials(self._directory), name)
        return TrialResults(self.root, name)

    @property
    def _directory(self) -> JobDir:
        return JobDir(self.root)

    def __repr__(self) -> str:
        return f"gandist.open({self.root!r})"


@dataclass(frozen=True, repr=False)
class TrialResults:
    """What one trial has left by now; read anew by each method."""

    root: str
    """The job directory."""
    id: str
    """``<config>-seed<k>``."""

    def losses(self) -> pa.Table:
        """One row a step."""
        directory = self._directory
        rows = [read_piece(directory, piece)[0] for piece in pieces(directory)]
        return pa.concat_tables([tables.LOSSES.empty_table(), *rows], promote_options="default")

    def metrics(self) -> pa.Table:
        """One row an evaluation, metric and protocol."""
        return read_metrics(self._directory)[0]

    def generator(self, best: bool = False) -> Generator:
        """The generator that it has exported; loads TensorFlow.

        Args:
            best: as ``evaluation.select`` has chosen it; else as it was in the end.

        Raises:
            UsageError: it has exported none; it says why.
            SpecError: its settings are none that this gandist knows.
            CheckpointError: the file is damaged, or of another model.
        """
        path = TrialDir.BEST if best else TrialDir.GENERATOR
        with _as_arguments():
            source = generators.find(JobDir(self.root), self.id, path)

        from gandist.sampling.generate import open_generator  # TensorFlow, when there is something to load

        shape = source.dataset.image_shape
        return Generator(source, open_generator(source.trial, shape, source.classes, *source.generator()))

    @property
    def _directory(self) -> TrialDir:
        return JobDir(self.root).trial(self.id)

    def __repr__(self) -> str:
        return f"gandist.open({self.root!r}).trial({self.id!r})"


@dataclass(frozen=True, repr=False)
class Generator:
    """A trained generator."""

    _source: generators.Exported
    _sampler: Sampler

    def sample(
        self,
        n: int = 64,
        label: int | str | Sequence[int | str] | None = None,
        *,
        seed: int = 0,
        truncation: float = 1.0,
    ) -> np.ndarray:
        """Images uint8 ``[n, height, width, channels]``, those of ``gandist sample``.

        Image k is a function of ``seed``, k and its class alone.

        Args:
            n: how many.
            label: for a conditional GAN, a class by name or index, or several that share the images; by
                default the classes take turns.
            seed: of the latents.
            truncation: for a model with styles, below 1: images vary less and have fewer flaws.

        Raises:
            UsageError: there is no such class, or the generator cannot choose one, or cannot be truncated.
        """
        if n < 1 or seed < 0:
            raise UsageError(f"n {n}, seed {seed}: give n from 1 on, and a seed from 0 on")
        given = [label] if isinstance(label, int | str | np.integer) else label or []

        from gandist.sampling import generate

        with _as_arguments():
            labels = self._source.labels([str(one) for one in given], n)
            if truncation != 1.0:
                self._sampler.truncate(truncation)
        latents = generate.draw(seed, n, self._source.trial.model.latent_dim)
        try:
            return generate.generate(self._sampler, latents, labels)
        finally:
            if truncation != 1.0:
                self._sampler.truncate(1.0)

    @property
    def model(self) -> keras.Model:
        """The network: normal latents ``[n, latent_dim]``, with labels where conditional, to [-1, 1]."""
        return self._sampler.generator

    def __repr__(self) -> str:
        height, width, channels = self._source.dataset.image_shape
        classes = f", {self._source.classes} classes" if self._source.classes else ""
        return (
            f"<generator of {self._source.trial.id} at {self._source.step}: "
            f"{self._source.trial.model.name}, images {height}x{width}x{channels}{classes}>"
        )


def open(root: str | Path, *, plugins: Sequence[str | Path] = ()) -> Results:
    """The results in a job directory, or in a copy of one; also while it runs.

    Args:
        root: the job directory.
        plugins: as for ``load_job``: those that its models are from. Nothing else needs any.

    Raises:
        UsageError: a plug-in is not what it should be.
        NotAJobError: the directory holds no job.
        StorageError: the storage refused.
    """
    JobDir(str(root)).read_manifest()
    if plugins:
        allow(plugins)
    return Results(str(root))


@contextmanager
def _as_arguments() -> Iterator[None]:
    """What is said of the command line's options, said of arguments that have their names."""
    try:
        yield
    except UsageError as error:
        if not str(error).startswith("--"):
            raise
        raise UsageError(str(error).removeprefix("--")) from None


__all__ = ["Generator", "Results", "TrialResults", "open"]
