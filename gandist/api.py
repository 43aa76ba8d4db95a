"""gandist from Python: what the command line does with a job, as functions."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gandist.activity import Tell, silent
from gandist.artifacts.job_dir import JobDir
from gandist.console.told import Told
from gandist.report import write_report
from gandist.results import Results, open
from gandist.runner import run as running
from gandist.runner.events import Notice, Outcome, RunEvent
from gandist.runner.interrupts import Stopped, at_once, interruptible
from gandist.runner.lease import Lease
from gandist.runner.webhook import notified
from gandist.sampling import kept
from gandist.spec.job import Job
from gandist.spec.loading import load_job
from gandist.spec.plugins import allow
from gandist.spec.variants import held


@dataclass(frozen=True, repr=False)
class Ran(Outcome):
    """A job after ``run``: how its trials stand, in which directory, and where that is told."""

    report: str = ""
    """Where the page lies."""
    verdict: str = ""
    """The sentences that it opens with; empty where nothing was measured."""

    @property
    def results(self) -> Results:
        """Its tables, figures and generators: ``gandist.open`` of its directory."""
        return Results(self.root)

    def __repr__(self) -> str:
        counts = ", ".join(f"{count} {status}" for status, count in self.counts.items())
        return f"<job in {self.root}: {counts}; report {self.report}>"


def run(
    job: Job | str | Path | Mapping[str, Any],
    storage: str | Path = "runs",
    *,
    data_dir: str | Path | None = None,
    local: bool = False,
    retry_failed: bool = False,
    fresh: bool = False,
    on_event: Callable[[RunEvent], None] | None = None,
) -> Ran:
    """Run a job, or continue it, and write its report: what ``gandist run`` does.

    In the main thread, as in a notebook, Ctrl-C (an interrupted kernel) or SIGTERM stop the trials at a
    checkpoint first, and a second Ctrl-C at once; the same call goes on from there. In another thread no
    signal arrives.

    Args:
        job: from ``load_job``, or what it takes: the path of a job file, or what would stand in one.
        storage: where job directories are kept: a path or ``s3://...``.
        data_dir: where data files lie, on every node; None downloads each data set to its own cache.
        local: in this process, one trial after another, without Ray.
        retry_failed: run trials that ended as ``failed`` once more.
        fresh: train anew what was trained with other settings; what there is moves to ``aside/``.
        on_event: told of everything that happens, in this thread; what it raises ends the run. Without it
            the run is shown as by the command line: in a notebook or a terminal as a table that is drawn anew
            in place, elsewhere as lines. ``on_event=lambda event: None`` shows nothing.

    Raises:
        UsageError: the input is wrong, or what there is was trained with other settings; nothing was written.
        RunError: data, storage or cluster refused, or another driver runs the job.
        KeyboardInterrupt: a signal stopped it.
    """
    with ExitStack() as shown, interruptible():
        tell = on_event or shown.enter_context(Told(print, _complain))
        wanted = job if isinstance(job, Job) else load_job(job)
        with notified(wanted, str(storage), lambda line: tell(Notice(line, warning=True))) as ending:
            ending.outcome = outcome = running.run(
                wanted,
                str(storage),
                data_dir=str(data_dir) if data_dir is not None else None,
                local=local,
                retry_failed=retry_failed,
                fresh=fresh,
                on_event=tell,
            )
            if outcome.signal is not None:
                raise Stopped(outcome.signal)
            with at_once():
                written = write_report(JobDir(outcome.root))
            ending.report, ending.verdict = written.where, written.answer
    return Ran(outcome.states, outcome.root, report=written.where, verdict=written.answer)


def _complain(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def evaluate(
    root: str | Path,
    *,
    trial: str | None = None,
    checkpoint: kept.Which = "last",
    metrics: Sequence[str] = (),
    features: Any = None,
    samples: int | None = None,
    data_dir: str | Path | None = None,
    plugins: Sequence[str | Path] = (),
    on_line: Callable[[str], None] = lambda _: None,
    tell: Tell = silent,
) -> int:
    """Evaluate the checkpoints that a job keeps, without training: ``gandist evaluate``.

    In this process, one after another, while nobody runs the job. Rows that are there are not written again.

    Args:
        root: the job directory.
        trial: one of its trials; None for all.
        checkpoint: which of those that each trial keeps.
        metrics: names; by default those of the trial.
        features: a name, or a mapping as in a job file; by default those of the trial.
        samples: images; by default as many as the trial has measured.
        data_dir: where data files lie.
        plugins: as for ``load_job``: those that the job was made with, and those of metrics.
        on_line: told what was measured.
        tell: told of what takes long.

    Returns:
        how many rows were added.

    Raises:
        UsageError: the input is wrong; nothing was written.
        RunError: data, storage or a checkpoint cannot be used, or a driver runs the job.
    """
    allow(plugins)
    job_dir = JobDir(str(root))
    asked = kept.Asked(tuple(metrics), features, samples)
    with Lease(job_dir.storage, on_line) as lease, held():
        trials = kept.find(job_dir, trial, checkpoint, asked, on_line)
        lease.take()

        from gandist.training import evaluated  # TensorFlow, when there is something to do

        added = 0
        found = evaluated.evaluate(trials, str(data_dir) if data_dir is not None else None, tell)
        for name, step, rows in found:
            lease.check()
            added += len(rows)
            values = ", ".join(f"{row['metric']} {row['value']:.4g}" for row in rows)
            on_line(f"{name} at step {step:,}: {values or 'nothing that was not there'}")
    return added


__all__ = ["evaluate", "load_job", "open", "run"]
