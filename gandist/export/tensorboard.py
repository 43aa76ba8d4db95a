"""TensorBoard: a run for each trial, with every loss and metric as scalars and its sample grids as images.

Written without TensorFlow and without TensorBoard. A later export adds files with what is new, which a
TensorBoard that is open shows; a trial that was trained anew is written anew.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from gandist.artifacts.job_dir import JobDir, TrialDir
from gandist.errors import StorageError
from gandist.export import _events, series
from gandist.export.place import Place
from gandist.report import text
from gandist.report.merge import Opened, OpenedTrial, open_job
from gandist.report.pictures import look
from gandist.report.statistics import Floats, Ints

SAMPLES = "samples"
"""The tag of the grids."""
MAX_IMAGE = 2**22
"""Bytes of a grid."""
_CURSOR = "gandist.json"
_CHUNK = 2**14
"""Steps that are encoded at a time."""

Seen = tuple[int, int]
"""Of a series, how many points were written, and the step of the last one."""


@dataclass(frozen=True)
class _Cursor:
    """What was written of a trial.

    Attributes:
        begun: when its training began: training anew is another one.
        files: how many there are, or were.
        seen: of each series and of the grids.
    """

    begun: float = 0.0
    files: int = 0
    seen: Mapping[str, Seen] = field(default_factory=dict)


def prepare(job_dir: JobDir, root: str) -> Callable[[], str]:
    """What writes a run for each trial to the directory ``root``, and says so.

    Raises:
        UsageError: a trial's directory is there that is none of the job's exports.
        NotAJobError: ``job_dir`` holds no job.
        StorageError: a storage refused.
    """
    place, opened = Place(root, job_dir, "--tensorboard"), open_job(job_dir)
    place.claim([trial.listed.id for trial in opened.trials if trial.state.step])
    return partial(_write, place, opened)


def _write(place: Place, opened: Opened) -> str:
    named = series.names(opened.metrics())
    begun = [trial for trial in opened.trials if trial.state.step]
    changed = sum(_write_trial(place, trial, named) for trial in begun)
    runs = text.plural(len(begun), "run")
    return f"{runs}, {changed:,} with something new: {place.root} (tensorboard --logdir {place.root})"


def _write_trial(place: Place, trial: OpenedTrial, named: Mapping[series.Key, str]) -> bool:
    """Whether there was something new to write."""
    cursor = _read(place, trial.listed.id)
    scalars, grids = series.scalars(trial, named), _grids(trial.directory)
    steps = {it.name: it.steps.tolist() for it in scalars} | {SAMPLES: [step for step, _ in grids]}
    if cursor.begun != trial.state.started_at or not _goes_on(cursor.seen, steps):
        for name in place.storage.list(trial.listed.id):
            place.storage.delete(f"{trial.listed.id}/{name}")
        cursor = _Cursor(trial.state.started_at, cursor.files)
    seen = {name: (len(at), at[-1]) for name, at in steps.items() if at}
    if seen == cursor.seen:
        return False
    new = [it.after(cursor.seen.get(it.name, (0, -1))[1]) for it in scalars]
    last = cursor.seen.get(SAMPLES, (0, -1))[1]
    events = _events_of(trial, new, [grid for grid in grids if grid[0] > last])
    # Numbered, so that one that was interrupted before the cursor is written again and not beside another.
    path = f"{trial.listed.id}/events.out.tfevents.{cursor.files + 1:010d}.gandist"
    place.write_stream(path, lambda sink: [sink.write(part) for part in events])
    written = {"begun": cursor.begun, "files": cursor.files + 1, "seen": seen}
    place.write(f"{trial.listed.id}/{_CURSOR}", json.dumps(written).encode())
    return True


def _goes_on(seen: Mapping[str, Seen], steps: Mapping[str, list[int]]) -> bool:
    """Whether all that was written is still so, and all else comes after it."""
    return all(
        count <= len(steps.get(name, ())) and steps[name][count - 1] == last
        for name, (count, last) in seen.items()
    )


def _events_of(
    trial: OpenedTrial, scalars: list[series.Scalars], grids: list[tuple[int, str]]
) -> Iterator[bytes]:
    """A file, in parts."""
    yield _events.version()
    together: dict[bytes, list[series.Scalars]] = {}
    for it in scalars:
        together.setdefault(it.steps.tobytes(), []).append(it)
    for group in together.values():
        for first in range(0, group[0].steps.size, _CHUNK):
            part = slice(first, first + _CHUNK)
            values: dict[str, Floats] = {it.name: it.values[part] for it in group}
            steps: Ints = group[0].steps[part]
            yield _events.scalars(values, steps, group[0].times[part])
    for step, path in grids:
        png = _read_grid(trial.directory, path)
        kind, size = look(png)
        if kind == "png" and size:
            yield _events.image(SAMPLES, step, trial.state.updated_at, png, height=size[1], width=size[0])


def _grids(directory: TrialDir) -> list[tuple[int, str]]:
    try:
        return directory.samples()
    except StorageError:
        return []


def _read_grid(directory: TrialDir, path: str) -> bytes:
    try:
        return directory.storage.read(path, MAX_IMAGE)
    except (StorageError, FileNotFoundError):
        return b""


def _read(place: Place, trial: str) -> _Cursor:
    """Where the last export ended; one that cannot be read has not been."""
    try:
        found: Any = json.loads(place.storage.read(f"{trial}/{_CURSOR}", MAX_IMAGE))
        seen = {str(name): (int(count), int(last)) for name, (count, last) in found["seen"].items()}
        return _Cursor(float(found["begun"]), int(found["files"]), seen)
    except (FileNotFoundError, ValueError, TypeError, KeyError, AttributeError):
        return _Cursor()
