"""Every trial of a job side by side: their states in one table, their losses as curves.

Losses pass through in pieces, and only their curves are kept. Nothing here trusts the directory: it may be of
a job that runs, of one that was killed, or a stranger's. What cannot be used is left out, never guessed, and
``warnings`` says so.
"""

from __future__ import annotations

import itertools
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from operator import itemgetter
from typing import TypeVar

import numpy as np
import pyarrow as pa

from gandist.artifacts import tables
from gandist.artifacts.job_dir import JobDir, TrialDir
from gandist.artifacts.manifest import ListedTrial, Manifest
from gandist.artifacts.trial_state import TrialState
from gandist.errors import StorageError
from gandist.report.kept import Kept
from gandist.report.losses import Piece, pieces, read_piece
from gandist.report.reading import evaluations, read_metrics, read_outputs, read_state
from gandist.report.thinning import MAX_FIGURES, NORMS, Thinned, Thinner
from gandist.report.trial import UNREADABLE, Trial

A = TypeVar("A")
B = TypeVar("B")

SILENT_S = 300.0
"""A trial that is recorded as running and has been silent for longer may have lost its process."""
READERS = 16  # trials read at a time: over s3:// the waiting is the cost


@dataclass(frozen=True)
class Merged:
    """All trials that the manifest lists, in its order."""

    members: tuple[Trial, ...]
    warnings: tuple[str, ...]
    """What was left out, and what is missing, one line each."""
    manifest: Manifest
    trials: pa.Table
    """Schema ``tables.TRIALS``: one row a trial."""
    metrics: pa.Table
    """Schema ``tables.METRICS``: by the order of trials, then of steps, then of metrics."""
    logged: tuple[str, ...]
    """What steps log besides ``tables.LOSSES``, by the trials' states; of the first ones there are curves."""

    @cached_property
    def configs(self) -> dict[str, tuple[Trial, ...]]:
        """The trials of each configuration, both in the manifest's order."""
        found: dict[str, list[Trial]] = {}
        for member in self.members:
            found.setdefault(member.config, []).append(member)
        return {config: tuple(members) for config, members in found.items()}


def merge_job(job_dir: JobDir, keep: Callable[[pa.Table], object] | None = None) -> Merged:
    """Read every trial that the job's manifest lists.

    Args:
        job_dir: the job.
        keep: is given all losses, some rows at a time, by trial and then by step.

    Raises:
        NotAJobError: the directory has no manifest.
        StorageError: the storage refused to list a directory.
    """
    return merge_opened(open_job(job_dir), keep)


def open_job(job_dir: JobDir) -> Opened:
    """Every trial that the job's manifest lists, but for its losses. Raises like ``merge_job``."""
    manifest = job_dir.read_manifest()
    with ThreadPoolExecutor(READERS) as pool:
        return Opened(manifest, tuple(pool.map(partial(open_trial, job_dir), manifest.trials)))


def merge_opened(
    opened: Opened, keep: Callable[[pa.Table], object] | None = None, known: Kept | None = None
) -> Merged:
    """With the losses, like ``merge_job``, but for those that are ``known``: they are not read."""
    logged = opened.logged()
    kept = logged[:MAX_FIGURES]
    unchanged = {
        trial.listed.id: known[trial.listed.id][1]
        for trial in opened.trials
        if known
        and known.get(trial.listed.id, ("",))[0] == trial.stamp != ""
        and {*kept} & {*trial.state.figures} <= known[trial.listed.id][1].curves.keys()
    }
    members: list[Trial] = []
    with ThreadPoolExecutor(READERS) as pool:
        to_read = (
            (trial, piece)
            for trial in opened.trials
            for piece in ([()] if trial.listed.id in unchanged else trial.pieces or [()])
        )
        read = _ahead(pool, _read, to_read)
        for trial, of_trial in itertools.groupby(read, key=itemgetter(0)):
            thinner = Thinner(trial.state.total_steps, (*NORMS, *kept))
            warnings: list[str] = []
            for _, rows, of_piece in of_trial:
                if keep is not None:
                    keep(rows)
                thinner.add(rows)
                warnings += of_piece
            losses = unchanged.get(trial.listed.id) or thinner.thinned()
            members.append(close_trial(trial, losses, warnings))
    return assemble(opened, members)


def assemble(opened: Opened, members: Sequence[Trial]) -> Merged:
    """The job of ``members``, which are the trials of ``opened``, closed."""
    told = [f"manifest.json: {problem}" for problem in opened.manifest.problems]
    told += [line for member in members for line in member.warnings]
    return Merged(
        tuple(members), tuple(told), opened.manifest, opened.table(), opened.metrics(), opened.logged()
    )


def merge_trials(job_dir: JobDir) -> pa.Table:
    """One row a trial, in the manifest's order: schema ``tables.TRIALS``. Raises like ``merge_job``."""
    return open_job(job_dir).table()


def merge_metrics(job_dir: JobDir) -> pa.Table:
    """By the order of trials, steps and metrics: schema ``tables.METRICS``. Raises like ``merge_job``."""
    return open_job(job_dir).metrics()


def merge_losses(job_dir: JobDir) -> pa.Table:
    """One row a trial and step, each once, sorted: a table of losses. Raises like ``merge_job``."""
    opened = open_job(job_dir)
    schema = tables.losses_schema(opened.figures())
    rows = [schema.empty_table()]
    merge_opened(opened, lambda more: rows.append(tables.conformed(more, schema)))
    return pa.concat_tables(rows)


@dataclass(frozen=True, eq=False)
class OpenedTrial:
    """A trial but for its losses."""

    listed: ListedTrial
    directory: TrialDir
    status: str
    state: TrialState
    metrics: pa.Table
    outputs: Mapping[str, np.ndarray]
    pieces: list[Piece]
    warnings: tuple[list[str], list[str]]
    """Of the state, which come before those of the losses, and of the rest."""
    stamp: str
    """Changes with the parts of the losses and the trial's length."""
    parts: Mapping[str, str]
    """Stamps of the files with its losses, by name."""


@dataclass(frozen=True)
class Opened:
    """A job but for its losses."""

    manifest: Manifest
    trials: tuple[OpenedTrial, ...]

    def figures(self) -> set[str]:
        """What the trials' steps log besides ``tables.LOSSES``."""
        found = set(self.logged())
        for it in self.trials:
            if it.status == UNREADABLE:  # what it logs is known from its losses alone
                for piece in it.pieces:
                    found |= set(read_piece(it.directory, piece)[0].schema.names)
        return found - set(tables.LOSSES.names)

    def logged(self) -> tuple[str, ...]:
        """The same by the states alone, those of the most trials first."""
        found = Counter(
            name
            for it in self.trials
            if it.pieces and it.status != UNREADABLE
            for name in {*(it.state.figures or tables.FIRST_FIGURES)} - {*tables.LOSSES.names}
        )
        return tuple(sorted(found, key=lambda name: (-found[name], name)))

    def table(self) -> pa.Table:
        """How each trial stands: schema ``tables.TRIALS``."""
        rows = [
            {
                **it.state.model_dump(),
                "trial": it.listed.id,
                "config": it.listed.config,
                "seed": it.listed.seed,
            }
            | {"status": it.status, "notes": "; ".join(it.state.notes)}
            for it in self.trials
        ]
        columns = {name: [row[name] for row in rows] for name in tables.TRIALS.names}
        return pa.table(columns, schema=tables.TRIALS)

    def metrics(self) -> pa.Table:
        """Those of all trials: schema ``tables.METRICS``."""
        return pa.concat_tables([tables.METRICS.empty_table(), *(trial.metrics for trial in self.trials)])

    def runs(self, now: float) -> bool:
        """Whether a trial has given a sign of life within the last minutes."""
        return any(it.state.meaning.active and now - it.state.updated_at < SILENT_S for it in self.trials)


def open_trial(job_dir: JobDir, listed: ListedTrial) -> OpenedTrial:
    """One trial but for its losses. Raises nothing: what cannot be read is left out, and told."""
    directory = job_dir.trial(listed.id)
    metrics, of_metrics = read_metrics(directory)
    outputs, of_outputs = read_outputs(directory)
    stamps: dict[str, str] = {}
    try:
        stamps = directory.storage.stamps(TrialDir.LOSSES)
        parts, of_parts = pieces(directory, stamps), []
    except StorageError as error:
        parts, of_parts = [], [f"{listed.id}: losses cannot be listed: {error}"]
    state = read_state(directory)
    of_state = [f"{listed.id}: state.json is not a trial's state"] if state is None else []
    return OpenedTrial(
        listed,
        directory,
        UNREADABLE if state is None else state.status,
        state or TrialState(),
        metrics,
        outputs,
        parts,
        (of_state + of_parts, of_metrics + of_outputs),
        f"{0 if state is None else state.total_steps}: {sorted(stamps.items())}" if parts else "",
        stamps,
    )


def _read(of_trial: tuple[OpenedTrial, Piece]) -> tuple[OpenedTrial, pa.Table, list[str]]:
    trial, piece = of_trial
    return trial, *read_piece(trial.directory, piece)


def close_trial(trial: OpenedTrial, losses: Thinned, of_losses: Sequence[str]) -> Trial:
    """The same with what its losses were thinned to, and what was left out of these."""
    name, state = trial.listed.id, trial.state
    of_state, of_rest = trial.warnings
    warnings = [*of_state, *of_losses, *_gaps(name, losses), *of_rest]
    if trial.state.meaning.is_success and 0 < losses.last < state.step:
        warnings.append(f"{name}: losses end at step {losses.last:,} of {state.step:,}")
    return Trial(
        name,
        trial.listed.config,
        trial.listed.seed,
        trial.status,
        state,
        losses,
        evaluations(trial.metrics),
        trial.outputs,
        tuple(warnings),
        "" if of_losses else trial.stamp,
    )


def _gaps(trial: str, losses: Thinned) -> list[str]:
    """One line that names the steps missing before the last one, the first gaps in full."""
    if not losses.gaps:
        return []
    spans = ", ".join(f"{first:,} to {last:,}" for first, last in losses.gaps)
    more = f" and {losses.more_gaps:,} more gaps" if losses.more_gaps else ""
    return [f"{trial}: losses of steps {spans}{more} are missing"]


def _ahead(pool: Executor, work: Callable[[A], B], items: Iterable[A], most: int = READERS) -> Iterator[B]:
    """``pool.map``, with no more than ``most`` items begun that nobody has asked for yet."""
    begun: deque[Future[B]] = deque()
    for item in items:
        begun.append(pool.submit(work, item))
        if len(begun) >= most:
            yield begun.popleft().result()
    while begun:
        yield begun.popleft().result()
