"""Trials that have exported a generator: which one is meant, and what may be asked of it.

Reads what may be a stranger's job directory, and loads no TensorFlow: wrong input is refused within a second.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from pydantic import ValidationError

from gandist import losses, models, optimizers
from gandist.artifacts.documents import DocumentError
from gandist.artifacts.job_dir import JobDir, TrialDir
from gandist.artifacts.trial_state import DatasetDescription, TrialState
from gandist.artifacts.trials import listed_trials, read_states
from gandist.errors import NotAJobError, SpecError, UsageError
from gandist.printable import printable
from gandist.spec.messages import explain
from gandist.spec.overrides import nearest
from gandist.spec.plugins import compare, recorded
from gandist.spec.trial import TrialSpec
from gandist.spec.variants import Kind, in_use

MAX_SIDE = 1024
MAX_NAMES = 12


@dataclass(frozen=True)
class Exported:
    """A trial that has exported its generator.

    Attributes:
        path: of the exported file: ``TrialDir.GENERATOR`` or ``TrialDir.BEST``.
        choice: how it came to be this trial, where nobody had named one.
    """

    directory: TrialDir
    trial: TrialSpec
    dataset: DatasetDescription
    state: TrialState
    choice: str = ""
    path: str = TrialDir.GENERATOR

    @property
    def classes(self) -> int:
        """That the generator tells apart; 0 for an unconditional one."""
        return models.classes(self.trial.model, self.dataset.class_names)

    @property
    def step(self) -> str:
        """After which step it was exported, in words."""
        if self.path == TrialDir.BEST:
            return f"step {self.state.best_step or 0:,}, the best one"
        if self.state.meaning.exported:
            return f"step {self.state.step:,}"
        # More steps were asked for after it had completed; those before are no longer told.
        return f"an earlier end (the trial has gone on: {_standing(self.state)})"

    def generator(self) -> tuple[bytes, str]:
        """The exported file's content, and its path for errors.

        Raises:
            StorageError: the storage refused.
        """
        storage = self.directory.storage
        return storage.read(self.path), storage.where(self.path)

    def labels(self, given: Sequence[str], count: int, *, path: str = "") -> np.ndarray:
        """int32 ``[count]``: the classes ``given``, an equal share of images each; by default all in turn.

        Args:
            given: names of classes, or indices.
            count: images.
            path: the option that asks for one, on which all images are of one class; empty for none.

        Raises:
            UsageError: there is no such class, or the generator cannot choose; it says what is allowed.
        """
        if not self.classes:
            if given:
                raise UsageError(
                    f"--label {plain(given[0])}: {self.trial.id} is unconditional: it cannot choose a class; "
                    "leave it out, or train with model.conditional: true"
                )
            return np.zeros(count, np.int32)
        if path and len(given) != 1:
            raise UsageError(
                f"{path}: {self.trial.id} is conditional, and a path stays within one class; "
                f"give one --label of {self._allowed()}"
            )
        if len(given) > count:
            raise UsageError(
                f"--n {count}: fewer images than labels ({len(given)}); give at least one a label"
            )
        chosen = np.array([self._index(label) for label in given] or range(self.classes), np.int32)
        places = np.arange(count)
        return chosen[places * len(chosen) // count if given else places % len(chosen)]

    def class_names(self, given: Sequence[str]) -> list[str]:
        """What the classes ``given`` by name or index are called, to be shown."""
        return [plain(self.dataset.class_names[self._index(label)]) for label in given]

    def _index(self, label: str) -> int:
        names = self.dataset.class_names
        if label in names:
            return names.index(label)
        if label.isascii() and label.isdecimal() and len(label) < 10 and int(label) < len(names):
            return int(label)
        raise UsageError(
            f"--label {plain(label)}: no such class; {self.trial.id} has {self._allowed()}"
            f"{nearest(label, map(plain, names))}"
        )

    def _allowed(self) -> str:
        names = self.dataset.class_names
        indices = [str(index) for index in range(len(names))]
        return _some(names) + ("" if list(names) == indices else f", or an index from 0 to {len(names) - 1}")


def find(job_dir: JobDir, wanted: str | None, path: str = TrialDir.GENERATOR) -> Exported:
    """The trial ``wanted``, by default the first of the job that has exported its generator as ``path``.

    Raises:
        NotAJobError: ``job_dir`` is no job directory.
        SpecError: what the trial's directory says of it is not a trial that this gandist knows.
        UsageError: there is no such trial, or it has no generator.
        StorageError: the storage refused.
    """
    ids = listed_trials(job_dir)
    for trial in named(job_dir, ids, wanted):
        directory = job_dir.trial(trial)
        if directory.storage.exists(path):
            others = len(ids) - 1 if wanted is None else 0
            choice = f" (--trial takes another of the {len(ids):,} trials)" if others else ""
            return replace(_open(directory, choice), path=path)
    states = read_states(job_dir, ids)
    what, rule = "generator", "only a completed trial has one"
    if path == TrialDir.BEST:
        what, rule = "best generator", "only a trial that was evaluated with evaluation.select has one"
    if wanted is not None:
        raise UsageError(f"--trial {wanted}: has exported no {what}: {_standing(states[wanted])}; {rule}")
    counts = Counter(state.status for state in states.values())
    stand = ", ".join(f"{count} {status}" for status, count in counts.items()) or "there is none"
    raise UsageError(f"{job_dir.root}: no trial has exported a {what}: {stand}; {rule}")


def named(job_dir: JobDir, ids: Sequence[str], wanted: str | None) -> Sequence[str]:
    """The trial ``wanted``, or all of ``ids``.

    Raises:
        UsageError: there is no such trial.
    """
    if wanted is None:
        return ids
    if wanted not in ids:
        raise UsageError(
            f"--trial {plain(wanted)}: {job_dir.root} has no such trial; it has {_some(ids)}"
            f"{nearest(wanted, ids)}"
        )
    return [wanted]


def plain(text: str, limit: int = 60) -> str:
    """A stranger's text as part of a line: short, and nothing that a terminal would obey."""
    return printable(text, limit)


def _open(directory: TrialDir, choice: str) -> Exported:
    trial = read_trial(directory, to_draw=True)
    dataset = directory.read_dataset()
    where = directory.storage.where(TrialDir.DATASET)
    if dataset is None:
        raise UsageError(f"{where}: no such file; without it the shape of the images is not known")
    height, width, channels = dataset.image_shape
    if max(height, width) > MAX_SIDE or channels not in (1, 3):
        raise UsageError(
            f"{where}: images of {height}x{width}x{channels}; gandist makes them of up to "
            f"{MAX_SIDE}x{MAX_SIDE}, with 1 or 3 channels"
        )
    return Exported(directory, trial, dataset, directory.read_state(), choice)


def read_trial(directory: TrialDir, *, to_draw: bool = False) -> TrialSpec:
    """The trial that was trained in a directory, which may be a stranger's.

    Args:
        directory: the trial's.
        to_draw: only the model matters: what plug-ins it was trained and evaluated with does not.

    Raises:
        NotAJobError: there is none.
        SpecError: it is none that this gandist knows.
        UsageError: it was made with plug-ins that are not in use.
        StorageError: the storage refused.
    """
    where = directory.storage.where("trial.yaml")
    try:
        values = directory.parse_trial()
        values = _to_draw(values) if to_draw else values
        compare(recorded(values), in_use().plugins, where)
        return TrialSpec.model_validate(values)
    except FileNotFoundError:
        raise NotAJobError(
            f"{where}: no such file; is {directory.storage.root} a trial's directory?"
        ) from None
    except ValidationError as error:
        what = str(explain(error, TrialSpec)[0])
    except DocumentError as error:
        what = str(error)
    other = "another version of gandist, or with --plugin"
    raise SpecError([f"{where}: {plain(what, 400)}; was it written by {other}?"])


def _to_draw(values: dict[str, Any]) -> dict[str, Any]:
    """A ``trial.yaml`` without what drawing does not need, and what may need plug-ins to be understood."""
    values = {**values, "evaluation": None}
    model, data = (values.get(name) for name in ("model", "data"))
    own = isinstance(model, Mapping) and model.get("name") in Kind.every["models"].own
    if not (recorded(values) and own and isinstance(data, Mapping)):
        return values
    kept = ("job", "config", "seed", "model", "samples", "checkpoint", "resources")
    return {
        **{name: values.get(name) for name in kept},
        "data": {"name": "digits", "batch_size": data.get("batch_size")},
        **{"loss": losses.DEFAULT, "optimizer": optimizers.DEFAULT, "training": {"steps": 1}},
        "evaluation": None,
    }


def _standing(state: TrialState) -> str:
    """``running, step 300 of 900``, ``failed: no space``."""
    reached = f", step {state.step:,} of {state.total_steps:,}" if state.total_steps else ""
    return f"{state.status}{reached}" + (f": {plain(state.reason, 200)}" if state.reason else "")


def _some(names: Iterable[str]) -> str:
    """The first few ``names``."""
    shown = [plain(name) for name in names]
    more = f", … ({len(shown):,} in all)" if len(shown) > MAX_NAMES else ""
    return ", ".join(shown[:MAX_NAMES]) + more
