"""What of a trial's records is damaged when it goes on: told, and kept aside instead of overwritten."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from gandist.activity import Activity, Tell
from gandist.artifacts import documents, tables
from gandist.artifacts.job_dir import TrialDir
from gandist.artifacts.trial_state import DatasetDescription
from gandist.errors import NotAFileError, StorageError


@dataclass(frozen=True)
class Damaged:
    """A file that cannot be read as what it should be."""

    path: str
    lost: str
    """What was in it, as far as nothing else holds it."""
    kept_as: str
    """Where ``set_aside`` leaves it."""

    def __str__(self) -> str:
        return f"{self.path} is damaged, kept as {self.kept_as}: {self.lost}"


def find(directory: TrialDir, step: int, tell: Tell) -> list[Damaged]:
    """The damaged files among those that an attempt which goes on after ``step`` does not make again.

    Raises:
        StorageError: the storage refused.
    """
    found = []
    for path, lost, parse in _records(directory, step):
        tell(Activity(f"reading {path}"))
        if not _is_whole(directory, path, parse):
            found.append(Damaged(path, lost, _free(directory, path)))
    return found


def set_aside(directory: TrialDir, damaged: list[Damaged]) -> None:
    """Give the files their new names.

    Raises:
        StorageError: the storage refused.
    """
    for one in damaged:
        directory.storage.move(one.path, one.kept_as)


def _records(directory: TrialDir, step: int) -> Iterator[tuple[str, str, Callable[[bytes], object]]]:
    yield (
        TrialDir.DATASET,
        "that the data is still the same could not be checked",
        partial(documents.read_json, DatasetDescription),
    )
    yield (
        TrialDir.METRICS,
        f"the evaluations before step {step:,} are lost",
        partial(tables.decode_metrics, where=TrialDir.METRICS),
    )
    for first, last, path in directory.losses_parts():
        if first <= step:
            lost = f"the losses of steps {first:,} to {last:,} are lost"
            yield path, lost, partial(tables.decode_losses, where=path)


def _is_whole(directory: TrialDir, path: str, parse: Callable[[bytes], object]) -> bool:
    """Whether the file is what it should be, or not there at all."""
    try:
        content = directory.storage.read(path)
    except FileNotFoundError:
        return True
    except NotAFileError:
        return False
    try:
        parse(content)
    except (StorageError, ValueError):
        return False
    return True


def _free(directory: TrialDir, path: str) -> str:
    names = (f"{path}.damaged" + (f"-{n}" if n > 1 else "") for n in itertools.count(1))
    return next(name for name in names if not directory.storage.exists(name))
