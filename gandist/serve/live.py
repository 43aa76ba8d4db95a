"""One job, followed: of its trials only what has changed is read, and of their losses only what is new."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from gandist.artifacts.driver import Holder
from gandist.artifacts.job_dir import JobDir
from gandist.artifacts.manifest import ListedTrial, Manifest
from gandist.artifacts.tables import FIRST_FIGURES
from gandist.artifacts.trials import READERS
from gandist.errors import NotAJobError, StorageError
from gandist.report.losses import pieces, read_piece
from gandist.report.merge import Merged, Opened, OpenedTrial, assemble, close_trial, open_trial
from gandist.report.render import Content
from gandist.report.thinning import MAX_FIGURES, NORMS, Thinner
from gandist.report.trial import Trial
from gandist.serve.changes import Changes
from gandist.serve.curves import CLOCK
from gandist.serve.drivers import Drivers

MAX_TRIALS = 1000
"""Of a job: all of them are looked at each time."""


@dataclass
class Followed:
    """What is kept of one trial."""

    opened: OpenedTrial
    thinner: Thinner
    parts: Mapping[str, str]
    """Stamps of the files of losses that the thinner has taken in."""
    left_out: list[str]
    """What was not, one line each."""
    images: int
    """Of its data set; 0 where that is not known."""
    grids: list[tuple[int, str]]
    """``(step, path)``, in the order of steps."""
    revision: int = 0
    """Of the job, when this changed last."""
    trial: Trial = field(init=False)

    def __post_init__(self) -> None:
        self.trial = close_trial(self.opened, self.thinner.thinned(), self.left_out)


@dataclass(frozen=True)
class Live:
    """A job as last seen."""

    content: Content
    revision: int
    """Grows with each change."""
    trials: Mapping[str, Followed]
    holder: Holder | None
    files: Mapping[str, str]
    """Stamps of what lies beside the trials."""
    more: int
    """Trials that are not among them, for there are too many."""

    @property
    def merged(self) -> Merged:
        """All trials."""
        return self.content.merged


class Follower:
    """Follows one job. Not for two threads at a time.

    Args:
        job_dir: the job's directory.
        drivers: knows who runs what.
    """

    def __init__(self, job_dir: JobDir, drivers: Drivers) -> None:
        self.job_dir, self._drivers = job_dir, drivers
        self._changes = Changes()
        self._trials: dict[str, Followed] = {}
        self._documents: tuple[tuple[str | None, ...], Manifest, Mapping[str, Any]] | None = None
        self._live: Live | None = None
        self._more = 0

    def refresh(self) -> Live:
        """The job as it is now.

        Raises:
            NotAJobError: there is no job in that directory any more.
            StorageError: the storage refused.
        """
        try:
            return self._refresh()
        except (NotAJobError, StorageError):
            self._changes, self._documents, self._live = Changes(), None, None
            raise

    def _refresh(self) -> Live:
        storage, before = self.job_dir.storage, self._live
        began, files = time.monotonic(), storage.stamps("")
        stamps = tuple(map(files.get, ("manifest.json", "job.yaml")))
        if self._documents is None or self._documents[0] != stamps:
            manifest = self.job_dir.read_manifest()
            first = manifest.model_copy(update={"trials": manifest.trials[:MAX_TRIALS]})
            self._more = len(manifest.trials) - len(first.trials)
            self._documents = stamps, first, self.job_dir.read_job()
        _, manifest, job = self._documents
        holder = self._drivers.see(storage) if JobDir.DRIVER in files else None
        changed = self._changes.look(storage, [trial.id for trial in manifest.trials])
        same = before is not None and before.content.manifest is manifest and before.content.job is job
        if before is not None and same and not changed:
            self._live = Live(before.content, before.revision, before.trials, holder, files, self._more)
            return self._live
        # By the clock: who asks has perhaps seen an earlier process.
        revision = max(time.time_ns() // 10**6, before.revision + 1 if before else 0)
        listed = [trial for trial in manifest.trials if trial.id in changed]
        with ThreadPoolExecutor(READERS) as readers:
            for trial, read in zip(listed, readers.map(self._follow, listed), strict=True):
                read.revision = revision
                self._trials[trial.id] = read
        self._trials = {trial.id: self._trials[trial.id] for trial in manifest.trials}
        opened = Opened(manifest, tuple(it.opened for it in self._trials.values()))
        merged = assemble(opened, [it.trial for it in self._trials.values()])
        now, took_s = time.time(), time.monotonic() - began
        content = Content(self.job_dir, job, manifest, merged, now, took_s, opened.runs(now))
        self._live = Live(content, revision, self._trials, holder, files, self._more)
        return self._live

    def _follow(self, listed: ListedTrial) -> Followed:
        """The trial with what is new in it."""
        opened, before = open_trial(self.job_dir, listed), self._trials.get(listed.id)
        state = opened.state
        if before is not None and _goes_on(before, opened):
            thinner, taken, left_out = before.thinner, before.parts, before.left_out
        else:
            figures = (state.figures or FIRST_FIGURES)[:MAX_FIGURES]
            thinner, taken, left_out = Thinner(state.total_steps, (*NORMS, *figures, CLOCK)), {}, []
        for piece in pieces(opened.directory, [name for name in opened.parts if name not in taken]):
            rows, problems = read_piece(opened.directory, piece)
            thinner.add(rows)
            left_out = left_out + problems
        images = before.images if before and before.images else _images(opened)
        return Followed(opened, thinner, opened.parts, left_out, images, _grids(opened))


def _goes_on(before: Followed, opened: OpenedTrial) -> bool:
    """Whether there is nothing but more than before: what was taken in is not taken back."""
    was, now = before.opened.state, opened.state
    if (was.total_steps, was.figures) != (now.total_steps, now.figures):
        return False
    if any(opened.parts.get(name) != stamp for name, stamp in before.parts.items()):
        return False
    new = opened.directory.losses_parts(opened.parts.keys() - before.parts.keys())
    old = opened.directory.losses_parts(before.parts)
    return not new or not old or new[0][0] > max(last for _, last, _ in old)


def _images(opened: OpenedTrial) -> int:
    try:
        described = opened.directory.read_dataset()
    except StorageError:
        return 0
    return described.images if described else 0


def _grids(opened: OpenedTrial) -> list[tuple[int, str]]:
    try:
        return opened.directory.samples()
    except StorageError:
        return []
