"""Running a job, and what it would cost."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from gandist.cli import options
from gandist.cli.application import app, complain
from gandist.cli.job import load, tell_data, tell_notices, telling
from gandist.errors import GandistError

if TYPE_CHECKING:
    from gandist.artifacts.job_dir import JobDir
    from gandist.runner.backend import Backend
    from gandist.runner.plan import Plan
    from gandist.runner.schedule import Outcome
    from gandist.spec.job import Job


@app.command()
def run(
    job_file: options.JobFile,
    storage: options.StorageDir = "runs",
    data_dir: options.DataDir = None,
    local: Annotated[
        bool, typer.Option("--local", help="In this process, one trial after another, without Ray.")
    ] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Run trials that ended as failed once more.")
    ] = False,
    fresh: options.Fresh = False,
    overrides: options.Overrides = None,
) -> None:
    """Run a job, or continue it: finished trials are not run twice.

    Trials run on the Ray cluster that RAY_ADDRESS names, else on all cores and GPUs of this machine. Ctrl-C,
    a closed terminal or a closed pipe stop them at a checkpoint; the same command goes on from there. More
    seeds, configurations or epochs are added; trials of other settings are refused, unless --fresh puts them
    aside. One driver at a time runs a job. The last line is the report's path.

    Exit code: 0 all trials are finished, 1 some failed, 2 the input is wrong, 128 + n stopped by signal n:
    130 Ctrl-C, 143 SIGTERM.

    \b
    gandist run jobs/quickstart.yaml
    gandist run jobs/mnist_dcgan.yaml --set seeds=0..7 --set resources.gpus=0.5
    gandist run jobs/mnist_dcgan.yaml --storage s3://bucket/gans --data-dir /data
    gandist run jobs/quickstart.yaml --local --set training.epochs=1
    """
    from gandist.console.told_data import ToldData
    from gandist.remote.submit import refuse_scratch
    from gandist.runner.cost import datasets
    from gandist.runner.interrupts import at_once
    from gandist.runner.lease import Lease
    from gandist.runner.manifest import open_job_dir, write_job
    from gandist.runner.plan import make_plan, shortened
    from gandist.runner.ray.connection import on_this_machine

    began = time.monotonic()
    with _stoppable():
        with at_once():
            job = load(job_file, overrides)
            refuse_scratch(storage)
            job_dir = open_job_dir(storage, job)

            def look() -> Plan:
                return make_plan(job.trials, job_dir, retry_failed=retry_failed, fresh=fresh)

            plan = look()
        if ahead := shortened(job.trials, plan.states):
            complain(ahead)
        done = len(job.trials) - len(plan.todo)
        if not plan.todo:
            from gandist.runner.schedule import Outcome

            typer.echo(f"nothing left to do: {done} of {len(job.trials)} trials are finished")
            with Lease(job_dir.storage, typer.echo) as lease:
                lease.take()
                write_job(job_dir, job)
            _end(job_dir, Outcome(plan.states))
        here = local or on_this_machine()
        with at_once():  # what is missing is told before anything is written or started
            found = telling(partial(datasets, plan.todo, data_dir)) if here else {}
        where = f"{len(plan.todo)} to run, {done} finished; in {job_dir.root}"
        typer.echo(f"{job}, {where}")
        tell_data(found)
        tell_notices(job, plan.todo, found)

        from rich.console import Console

        from gandist.console.progress import Board
        from gandist.console.views import view
        from gandist.runner.schedule import run_job

        if len(plan.todo) == 1 and not local and on_this_machine():
            typer.echo("one trial only: --local runs it without Ray, and begins sooner")
        lease = Lease(job_dir.storage, typer.echo)
        with at_once():
            lease.look()
        with lease, _backend(job, job_dir, data_dir, local) as backend:  # the lease goes when all have ended
            with at_once():
                for notice in backend.admit():
                    typer.echo(notice)
                lease.take()
                plan = look()  # another driver may have been at work since
            for trial in plan.aside:
                typer.echo(f"{trial}: trained anew; what there was is now in {job_dir.set_aside(trial)}")
            write_job(job_dir, job, start_s=time.monotonic() - began)
            with view(Board(plan.states), Console(highlight=False)) as show:
                tell = show if here else ToldData(show, job_dir, plan.todo)
                outcome = run_job(job, plan, job_dir, backend, tell, check=lease.check)
        _end(job_dir, outcome)


@app.command()
def validate(
    job_file: options.JobFile, data_dir: options.DataDir = None, overrides: options.Overrides = None
) -> None:
    """Check a job file, build its networks, and say what it will cost. Trains and writes nothing.

    \b
    gandist validate jobs/mnist_dcgan.yaml
    gandist validate jobs/mnist_dcgan.yaml --set model.latent_dim=128
    """
    job = load(job_file, overrides)
    typer.echo(job)

    from gandist.runner.cost import costs, datasets

    loaded = telling(partial(datasets, job.trials, data_dir))
    tell_data(loaded)
    tell_notices(job, job.trials, loaded)
    found = costs(job.trials, loaded)
    for cost in found:
        typer.echo(
            f"{cost.config}: generator {cost.generator_parameters:,} parameters, "
            f"discriminator {cost.discriminator_parameters:,}; "
            f"{cost.steps:,} steps, {cost.images:,} images a trial"
        )
    total = sum(cost.seeds * cost.images for cost in found)
    typer.echo(f"in all {sum(cost.seeds * cost.steps for cost in found):,} steps, {total:,} images")


def _backend(job: Job, job_dir: JobDir, data_dir: str | None, local: bool) -> Backend:
    if local:
        from gandist.runner.local_backend import LocalBackend

        return LocalBackend(job, job_dir.root, data_dir)
    from gandist.runner.ray.pool import RayBackend

    return RayBackend(job, job_dir.root, data_dir, tell=typer.echo)


@contextmanager
def _stoppable() -> Iterator[None]:
    """However a signal has ended what is within, the exit code tells which it was."""
    from gandist.runner.interrupts import Interrupted, ignore, interruptible

    try:
        with interruptible() as interrupt:
            yield
    except (Interrupted, GandistError, typer.Exit) as left:
        if interrupt.signal is None:
            raise
        ignore()
        if isinstance(left, GandistError):
            complain(str(left))
        elif isinstance(left, Interrupted):
            complain("stopped; the same command goes on from the last checkpoint")
        raise typer.Exit(128 + interrupt.signal) from None


def _end(job_dir: JobDir, outcome: Outcome) -> NoReturn:
    """Say how the job stands, write the report unless there is no time for it, and leave."""
    from gandist.report import write_report
    from gandist.runner.interrupts import at_once

    typer.echo(", ".join(f"{count} {name}" for name, count in outcome.counts.items()))
    if outcome.signal is not None:
        typer.echo("stopped; the same command goes on from here")
        raise typer.Exit(outcome.exit_code)
    for trial, state in outcome.states.items():
        if state.status == "failed":
            complain(f"{trial}: failed: {state.reason}")
    if outcome.counts.get("failed"):
        complain("once their cause is gone, the same command with --retry-failed runs them again")
    with at_once():
        typer.echo(write_report(job_dir))
    raise typer.Exit(outcome.exit_code)
