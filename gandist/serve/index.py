"""The jobs of a storage, a row each, read again only where something has changed."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pyarrow as pa

from gandist.artifacts import tables
from gandist.artifacts.driver import Holder
from gandist.artifacts.job_dir import JobDir
from gandist.artifacts.manifest import ListedTrial, Manifest
from gandist.artifacts.trial_state import TrialState
from gandist.artifacts.trials import READERS
from gandist.console import overview
from gandist.console.progress import Summary, recorded
from gandist.errors import GandistError, NotAJobError, StorageError
from gandist.printable import one_line, printable
from gandist.report import answer_of
from gandist.report.merge import Merged
from gandist.report.reading import evaluations, read_metrics, read_state
from gandist.report.thinning import Thinned
from gandist.report.trial import UNREADABLE, Trial
from gandist.serve.changes import Changes, Stamps
from gandist.serve.drivers import Drivers

MAX_TRIALS = overview.MAX_STATES
"""Of one job: each is a file to read, and a storage may hold many jobs."""
OWN = (JobDir.DRIVER, JobDir.CURVES)
"""What changes without the job having changed."""


@dataclass(frozen=True)
class Row:
    """One job."""

    name: str
    problem: str = ""
    """Why nothing else is known of it."""
    trials: int = 0
    left_out: int = 0
    """Trials that were not looked at, for there are too many."""
    unreadable: int = 0
    """Trials whose state cannot be read."""
    summary: Summary | None = None
    """None while it is being read for the first time."""
    written: float = 0.0
    """Unix time; 0 where nothing was written yet."""
    holder: Holder | None = None
    answer: str = ""
    """What its report would open with."""
    has_report: bool = False

    @property
    def order(self) -> tuple[bool, float, str]:
        """Those that run come first, then those that wrote last."""
        return self.holder is None, -self.written, self.name


@dataclass
class _Seen:
    """What is kept of a job from one look to the next."""

    root: Mapping[str, str] = field(default_factory=dict)
    """Stamps of what lies beside its trials."""
    row: Row | None = None
    changes: Changes = field(default_factory=Changes)
    trials: dict[str, tuple[Trial, pa.Table]] = field(default_factory=dict)
    """With their evaluations; nothing while nobody runs it."""


class Index:
    """The jobs of a storage. ``refresh`` is for one thread at a time, all else for any.

    Args:
        storage: where job directories are kept: a path or ``s3://...``.
        drivers: knows who runs what.
    """

    def __init__(self, storage: str, drivers: Drivers) -> None:
        self.storage = storage
        self._drivers = drivers
        self._seen: dict[str, _Seen] = {}
        self._rows: dict[str, Row] = {}
        self._lock = threading.Lock()
        self.problem = ""
        """Why the storage could not be listed at the last look."""

    def rows(self) -> list[Row]:
        """The jobs as last seen; those that nobody has read yet by their names."""
        with self._lock:
            return sorted(self._rows.values(), key=lambda row: row.order)

    def refresh(self) -> None:
        """Look at all jobs; each row is there as soon as it is read. Raises nothing."""
        try:
            found, _ = overview.jobs(self.storage)
        except GandistError as error:
            self.problem = printable(error)
            return
        self.problem = ""
        names = {job.name for job in found}
        with self._lock:
            self._rows = {name: self._rows.get(name) or Row(name) for name in sorted(names)}
        self._seen = {name: seen for name, seen in self._seen.items() if name in names}
        for job in found:
            row = self._look(job)
            with self._lock:
                self._rows[job.name] = row

    def _look(self, job: overview.Found) -> Row:
        if job.problem:
            return Row(job.name, printable(job.problem))
        seen = self._seen.setdefault(job.name, _Seen())
        try:
            holder = self._drivers.see(job.job_dir.storage) if JobDir.DRIVER in job.files else None
            root = {name: stamp for name, stamp in job.files.items() if name not in OWN}
            if seen.row is None or seen.root != root or seen.row.holder != holder or holder is not None:
                seen.row, seen.root = self._read(job, seen, holder), root
        except (NotAJobError, StorageError) as error:
            del self._seen[job.name]
            return Row(job.name, printable(error))
        except Exception as error:  # noqa: BLE001 - one job that nobody has thought of must not hide all others
            del self._seen[job.name]
            return Row(job.name, f"cannot be read: {one_line(error)}")
        return seen.row

    def _read(self, job: overview.Found, seen: _Seen, holder: Holder | None) -> Row:
        manifest = job.job_dir.read_manifest()
        listed = {trial.id: trial for trial in manifest.trials[:MAX_TRIALS]}
        changed = seen.changes.look(job.job_dir.storage, list(listed))
        known = {id_: trial for id_, trial in seen.trials.items() if id_ in listed}
        with ThreadPoolExecutor(READERS) as readers:
            read = readers.map(lambda id_: _read(job.job_dir, listed[id_], changed[id_]), changed)
            known |= dict(zip(changed, read, strict=True))
        trials = {id_: known[id_] for id_ in listed}
        states = {id_: it.state for id_, (it, _) in trials.items() if it.status != UNREADABLE}
        summary = recorded(states, time.time(), driven=holder is not None)[1]
        if seen.row is not None and not changed and seen.trials.keys() == trials.keys():
            answer = seen.row.answer
        else:
            answer = _answer(job.job_dir, manifest, trials) if len(listed) == len(manifest.trials) else ""
        seen.trials, seen.changes = (trials, seen.changes) if holder is not None else ({}, Changes())
        return Row(
            job.name,
            trials=len(manifest.trials),
            left_out=len(manifest.trials) - len(listed),
            unreadable=len(trials) - len(states),
            summary=summary,
            written=max((state.updated_at for state in states.values()), default=0.0),
            holder=holder,
            answer=answer,
            has_report=JobDir.REPORT in job.files,
        )


def _read(job_dir: JobDir, listed: ListedTrial, stamps: Stamps) -> tuple[Trial, pa.Table]:
    """A trial but for its losses, and its evaluations. Raises nothing."""
    directory = job_dir.trial(listed.id)
    of_state, *of_metrics = stamps
    state = TrialState() if of_state is None else read_state(directory)
    status = UNREADABLE if state is None else state.status
    metrics = read_metrics(directory)[0] if any(of_metrics) else tables.METRICS.empty_table()
    trial = Trial(
        listed.id, listed.config, listed.seed, status, state or TrialState(), Thinned(), evaluations(metrics)
    )
    return trial, metrics


def _answer(job_dir: JobDir, manifest: Manifest, trials: Mapping[str, tuple[Trial, pa.Table]]) -> str:
    """What a report would say first; empty where nothing was measured."""
    metrics = pa.concat_tables([tables.METRICS.empty_table(), *(rows for _, rows in trials.values())])
    if not metrics.num_rows:
        return ""
    members = tuple(trial for trial, _ in trials.values())
    merged = Merged(members, (), manifest, tables.TRIALS.empty_table(), metrics, ())
    return answer_of(job_dir.read_job(), merged)
