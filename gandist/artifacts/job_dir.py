"""A job directory: every path in one place, and the state of each trial. The only state that a job has."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable
from typing import Any

from gandist.artifacts import documents, tables
from gandist.artifacts.documents import DocumentError
from gandist.artifacts.manifest import Manifest
from gandist.artifacts.storage import Storage
from gandist.artifacts.trial_state import DatasetDescription, TrialState
from gandist.errors import NotAFileError, NotAJobError, StorageError
from gandist.spec import yaml

MAX_TRIAL_BYTES = 2**17
"""Of ``trial.yaml``: a report reads one for each configuration, and YAML is slow to read."""
_STEP = "([0-9]{1,18})"


class TrialDir:
    """One trial's part of the job directory."""

    LOSSES = "losses"
    SAMPLES = "samples"
    CHECKPOINTS = "checkpoints"
    CHECKPOINT_MANIFEST = "manifest.json"
    GENERATOR = "generator.keras"
    LOADING = "generator.txt"
    """How Keras loads it, where it has layers of gandist."""
    BEST = "generator_best.keras"
    """Of the step that ``evaluation.select`` has chosen."""
    GIF = "progress.gif"
    REAL = "real.png"
    """A grid of real images, to compare the sample grids with."""
    OUTPUTS = "outputs.parquet"
    METRICS = "metrics.parquet"
    EVALUATED = "evaluated.parquet"
    """Rows as in ``METRICS``, measured afterwards: the trial itself neither reads nor writes it."""
    PAIRS = "memorization.png"
    """Generated images above the training images that they are closest to."""
    ARCHIVE = "samples.zip"
    DATASET = "dataset.json"
    ERROR = "error.txt"
    """The traceback of the last attempt that failed."""

    def __init__(self, storage: Storage, trial: str) -> None:
        self.id = trial
        self.storage = storage.sub(f"trials/{trial}")

    def read_state(self) -> TrialState:
        """The trial's state; ``queued`` where none was written yet.

        Raises:
            StorageError: it is damaged, or the storage refused.
        """
        content = self._read("state.json")
        if content is None:
            return TrialState()
        try:
            return documents.read_json(TrialState, content)
        except DocumentError as error:
            raise StorageError(
                f"{self.storage.where('state.json')}: not a trial's state ({error}); "
                "move the trial's directory away to train it anew"
            ) from error

    def write_state(self, state: TrialState) -> None:
        """Replace the trial's state."""
        checked = TrialState.model_validate(state.model_dump())  # a copy with changes has not been looked at
        self.storage.write("state.json", documents.to_json(checked))

    def write_trial(self, resolved: dict[str, Any]) -> None:
        """Write ``trial.yaml``: the trial with every default filled in."""
        self.storage.write("trial.yaml", yaml.dump(resolved).encode())

    def parse_trial(self) -> dict[str, Any]:
        """``trial.yaml`` as it was last trained.

        Raises:
            FileNotFoundError: there is none.
            DocumentError: there is no mapping in it.
            StorageError: the storage refused.
        """
        content = documents.parse_yaml(self.storage.read("trial.yaml", MAX_TRIAL_BYTES))
        if not isinstance(content, dict):
            raise DocumentError("holds no mapping")
        return content

    def read_trial(self) -> dict[str, Any]:
        """The same; empty where there is none, or no mapping in it.

        Raises:
            StorageError: the storage refused.
        """
        try:
            return self.parse_trial()
        except (FileNotFoundError, NotAFileError, DocumentError):
            return {}

    def write_dataset(self, description: DatasetDescription) -> None:
        """Write ``dataset.json``: what the trial's data is."""
        self.storage.write(self.DATASET, documents.to_json(description))

    def read_dataset(self) -> DatasetDescription | None:
        """``dataset.json``; None where there is none.

        Raises:
            StorageError: it is damaged, or the storage refused.
        """
        content = self._read(self.DATASET)
        if content is None:
            return None
        try:
            return documents.read_json(DatasetDescription, content)
        except DocumentError as error:
            raise StorageError(
                f"{self.storage.where(self.DATASET)}: does not describe a data set "
                f"({error}); delete it, and the next run of the job writes it anew"
            ) from error

    def _read(self, path: str) -> bytes | None:
        try:
            return self.storage.read(path, documents.MAX_BYTES)
        except FileNotFoundError:
            return None

    def write_losses(self, rows: tables.Rows) -> None:
        """Write one part of the losses: the rows of consecutive steps."""
        first, last = int(rows["step"][0]), int(rows["step"][-1])
        part = f"{self.LOSSES}/part-{first:09d}-{last:09d}.parquet"
        figures = [name for name in rows if name not in tables.LOSSES.names]
        self.storage.write(part, tables.encode(rows, tables.losses_schema(figures)))

    def write_metrics(self, rows: list[dict[str, Any]], path: str = METRICS) -> None:
        """Replace ``metrics.parquet`` (or ``EVALUATED``): one row an evaluation and metric, by step."""
        columns = {name: [row[name] for row in rows] for name in tables.METRICS.names}
        self.storage.write(path, tables.encode(columns, tables.METRICS))

    def read_metrics(self, path: str = METRICS) -> list[dict[str, Any]]:
        """The rows of ``metrics.parquet`` (or ``EVALUATED``); none where there is none, or no such table.

        Raises:
            StorageError: the storage refused.
        """
        try:
            content = self.storage.read(path)
        except FileNotFoundError:
            return []
        try:
            rows: list[dict[str, Any]] = tables.decode_metrics(content, path).to_pylist()
        except StorageError:  # torn: what it held is measured again, but for what lies before a checkpoint
            return []
        return rows

    def losses_parts(self, names: Iterable[str] | None = None) -> list[tuple[int, int, str]]:
        """``(first step, last step, path)`` of each part, in the order of steps.

        Args:
            names: of the files there, where they are known.
        """
        names = self.storage.list(self.LOSSES) if names is None else names
        found = (re.fullmatch(rf"part-{_STEP}-{_STEP}\.parquet", name) for name in names)
        return sorted((int(m[1]), int(m[2]), f"{self.LOSSES}/{m[0]}") for m in found if m)

    def drop_losses_after(self, step: int) -> None:
        """Delete the parts that begin after ``step``: a resumed trial writes those steps again."""
        for first, _, path in self.losses_parts():
            if first > step:
                self.storage.delete(path)

    def samples(self) -> list[tuple[int, str]]:
        """``(step, path)`` of each sample grid, in the order of steps."""
        found = (re.fullmatch(rf"step-{_STEP}\.png", name) for name in self.storage.list(self.SAMPLES))
        return sorted((int(m[1]), f"{self.SAMPLES}/{m[0]}") for m in found if m)

    def sample_path(self, step: int) -> str:
        """Where the grid after ``step`` lies."""
        return f"{self.SAMPLES}/step-{step:09d}.png"

    def checkpoints(self) -> list[tuple[int, str]]:
        """``(step, path)`` of each checkpoint's directory, in the order of steps, whole or not."""
        found = (re.fullmatch(rf"step-{_STEP}", name) for name in self.storage.list(self.CHECKPOINTS))
        return sorted((int(m[1]), f"{self.CHECKPOINTS}/{m[0]}") for m in found if m)

    def has_checkpoint(self, path: str) -> bool:
        """Whether the checkpoint in the directory ``path`` is finished: its manifest is written last."""
        return self.storage.exists(f"{path}/{self.CHECKPOINT_MANIFEST}")

    def delete_checkpoint(self, path: str) -> None:
        """Delete a checkpoint's directory, finished or not.

        Raises:
            StorageError: the storage refused.
        """
        # First, so that one that is half deleted does not pass for a damaged one.
        self.storage.delete(f"{path}/{self.CHECKPOINT_MANIFEST}")
        self.storage.delete(path)

    def checkpoint_path(self, step: int) -> str:
        """The directory of the checkpoint after ``step``."""
        return f"{self.CHECKPOINTS}/step-{step:09d}"


class JobDir:
    """``<storage>/<job>/``.

    Args:
        root: the directory itself: a local path or ``s3://...``.
    """

    REPORT = "report.html"
    LOSSES = "losses.parquet"
    METRICS = "metrics.parquet"
    TRIALS = "trials.parquet"
    CURVES = "curves.parquet"
    """What a report of a running job keeps for the next one."""
    DRIVER = "driver.json"
    """Who runs the job at the moment."""
    PLUGINS = "plugins"
    """A copy of each plug-in's file, for people: nothing of it is ever run from there."""
    ASIDE = "aside"
    """Trials' directories that others have taken the place of."""

    def __init__(self, root: str) -> None:
        self.storage = Storage(root)

    @property
    def root(self) -> str:
        """Where it lies."""
        return self.storage.root

    def trial(self, trial: str) -> TrialDir:
        """A trial's directory, there or not."""
        return TrialDir(self.storage, trial)

    def set_aside(self, trial: str) -> str:
        """Move a trial's directory to the first free ``aside/<trial>-<n>``; returns its new path.

        Raises:
            StorageError: the storage refused.
        """
        taken = set(self.storage.list(self.ASIDE))
        name = next(name for n in itertools.count(1) if (name := f"{trial}-{n}") not in taken)
        self.storage.move(f"trials/{trial}", f"{self.ASIDE}/{name}")
        return f"{self.ASIDE}/{name}"

    def write_job(self, resolved: dict[str, Any], manifest: Manifest) -> None:
        """Write ``job.yaml`` and ``manifest.json``."""
        self.storage.write("job.yaml", yaml.dump(resolved).encode())
        self.storage.write("manifest.json", documents.to_json(manifest))

    def read_job(self) -> dict[str, Any]:
        """``job.yaml``.

        Raises:
            NotAJobError: there is none, or it is not a mapping.
            StorageError: the storage refused.
        """
        return self._read("job.yaml", documents.parse_yaml)

    def read_manifest(self) -> Manifest:
        """``manifest.json``. Raises like ``read_job``."""
        return Manifest.model_validate(self._read("manifest.json", documents.parse_json))

    def _read(self, path: str, parse: Callable[[bytes], Any]) -> dict[str, Any]:
        where = self.storage.where(path)
        try:
            content = parse(self.storage.read(path, documents.MAX_BYTES))
        except FileNotFoundError:
            raise NotAJobError(f"{where}: no such file; is {self.root} a job directory?") from None
        except DocumentError as error:
            raise NotAJobError(f"{where}: cannot be parsed: {error}") from None
        if not isinstance(content, dict):
            raise NotAJobError(f"{where}: holds no mapping; is {self.root} a job directory?")
        return content
