"""Running a job, and what it would cost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from gandist.activity import telling
from gandist.cli import options
from gandist.cli.application import app, complain
from gandist.errors import GandistError
from gandist.printable import printable

if TYPE_CHECKING:
    from gandist.training.forecast import Forecast

PROBED_STEPS = 20


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
    plugins: options.Plugins = None,
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
    gandist run my_job.yaml --plugin my_losses.py
    """
    with _stoppable():
        from gandist import api
        from gandist.console.told import Told
        from gandist.runner.interrupts import at_once

        with at_once():
            job = api.load_job(job_file, overrides or (), plugins or ())
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
    job_file: options.JobFile,
    probe: Annotated[
        bool,
        typer.Option("--probe", help="Train some steps of each configuration, for its time and memory here."),
    ] = False,
    as_json: options.AsJson = False,
    data_dir: options.DataDir = None,
    plugins: options.Plugins = None,
    overrides: options.Overrides = None,
) -> None:
    """Check a job file, build its networks, and say what it will cost and what is known to fail.

    Writes nothing. Floating-point operations are those of the step with all regularizers. --probe takes some
    seconds a configuration, on the devices that the job asks for. Evaluations and grids are not counted; the
    memory, without a GPU, is this process' so far.

    \b
    gandist validate jobs/mnist_dcgan.yaml
    gandist validate jobs/mnist_dcgan.yaml --probe --set model.latent_dim=128
    gandist validate jobs/mnist_dcgan.yaml --json
    """
    from gandist.spec.loading import load_job

    job = load_job(job_file, overrides or (), plugins or ()).located(data_dir)
    say = complain if as_json else typer.echo
    say(str(job))

    from gandist.runner.datasets import data_lines, datasets
    from gandist.spec.notices import notices

    loaded = telling(partial(datasets, job.trials, data_dir), complain)
    for line in data_lines(loaded):
        say(line)
    for line in notices(job, job.trials, loaded):
        complain(line)

    from gandist.training.forecast import forecasts

    made = []
    for forecast in forecasts(job, loaded, PROBED_STEPS if probe else 0):
        made.append(forecast)
        if not as_json:
            _print_forecast(forecast)
    if as_json:
        from gandist.console import as_json as documents

        costs = [documents.configuration(it.config, it.seeds, it.steps, it.images, it.figures) for it in made]
        typer.echo(documents.text(documents.validation(job.spec.name, costs)))
        return
    from gandist.report.text import duration

    steps, images, seconds = (
        sum(forecast.seeds * getattr(forecast, what) for forecast in made)
        for what in ("steps", "images", "seconds")
    )
    here = f"; about {duration(seconds)} of training here, one trial after another" if probe else ""
    typer.echo(f"in all {steps:,} steps, {images:,} images{here}")


def _print_forecast(forecast: Forecast) -> None:
    from gandist.report.text import duration

    figures = forecast.figures
    typer.echo(
        f"{forecast.config}: generator {figures['generator_parameters']:,} parameters, "
        f"discriminator {figures['discriminator_parameters']:,}; "
        f"{forecast.steps:,} steps, {forecast.images:,} images a trial; "
        f"{figures['gflop_per_step']:.3g} GFLOP a step"
    )
    if "ms_per_step" in figures:
        typer.echo(
            f"{forecast.config}: {figures['ms_per_step']:.3g} ms a step, "
            f"{figures['images_per_s']:,.0f} images/s, {figures['peak_memory_gib']:.2f} GiB at most; "
            f"about {duration(forecast.seconds)} of training a trial"
        )


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
