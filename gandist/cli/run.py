"""Running a job, and what it would cost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Annotated

import typer

from gandist.activity import telling
from gandist.cli import options
from gandist.cli.application import app, complain
from gandist.errors import GandistError
from gandist.printable import printable


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
    with _stoppable():
        from gandist import api
        from gandist.console.told import Told
        from gandist.runner.interrupts import at_once

        with at_once():
            job = api.load_job(job_file, overrides or ())
        with Told(typer.echo, complain) as told:
            ran = api.run(
                job,
                storage,
                data_dir=data_dir,
                local=local,
                retry_failed=retry_failed,
                fresh=fresh,
                on_event=told,
            )
        if ran.verdict:
            typer.echo(printable(ran.verdict))
        typer.echo(ran.report)
        raise typer.Exit(ran.exit_code)


@app.command()
def validate(
    job_file: options.JobFile, data_dir: options.DataDir = None, overrides: options.Overrides = None
) -> None:
    """Check a job file, build its networks, and say what it will cost. Trains and writes nothing.

    \b
    gandist validate jobs/mnist_dcgan.yaml
    gandist validate jobs/mnist_dcgan.yaml --set model.latent_dim=128
    """
    from gandist.spec.loading import load_job

    job = load_job(job_file, overrides or ())
    typer.echo(job)

    from gandist.runner.cost import costs, data_lines, datasets
    from gandist.spec.notices import notices

    loaded = telling(partial(datasets, job.trials, data_dir), complain)
    for line in data_lines(loaded):
        typer.echo(line)
    for line in notices(job, job.trials, loaded):
        complain(line)
    found = costs(job.trials, loaded)
    for cost in found:
        typer.echo(
            f"{cost.config}: generator {cost.generator_parameters:,} parameters, "
            f"discriminator {cost.discriminator_parameters:,}; "
            f"{cost.steps:,} steps, {cost.images:,} images a trial"
        )
    total = sum(cost.seeds * cost.images for cost in found)
    typer.echo(f"in all {sum(cost.seeds * cost.steps for cost in found):,} steps, {total:,} images")


@contextmanager
def _stoppable() -> Iterator[None]:
    """However a signal has ended what is within, the exit code tells which it was."""
    from gandist.runner.interrupts import Interrupted, Stopped, ignore, interruptible

    try:
        with interruptible() as interrupt:
            yield
    except (Interrupted, GandistError, typer.Exit) as left:
        if interrupt.signal is None:
            raise
        ignore()
        if isinstance(left, GandistError):
            complain(str(left))
        elif isinstance(left, Interrupted) and not isinstance(left, Stopped):
            complain("stopped; the same command goes on from the last checkpoint")
        raise typer.Exit(128 + interrupt.signal) from None
