"""The command line: parse, call, print. What is slow to import is imported by the command that needs it."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer.exceptions import TyperException

import gandist
from gandist import cli_options as options
from gandist.errors import GandistError

if TYPE_CHECKING:
    from gandist.artifacts.job_dir import JobDir
    from gandist.runner.plan import Plan
    from gandist.runner.schedule import Outcome
    from gandist.spec import JobSpec, TrialSpec

app = typer.Typer(
    name="gandist",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)


def main() -> None:
    """Run the command line. Errors are plain lines on stderr; the exit code is theirs."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        code = app(prog_name="gandist", standalone_mode=False)
    except GandistError as error:
        _complain(str(error))
        code = error.exit_code
    except TyperException as error:
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "gandist"
        _complain(f"{command}: {' '.join(error.format_message().split())} (see {command} --help)")
        code = error.exit_code
    sys.exit(code)


@app.callback(invoke_without_command=True)
def _gandist(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and leave.")] = False,
) -> None:
    """Train small-image GANs as jobs of configurations x seeds, and get one honest report.

    \b
    gandist validate jobs/quickstart.yaml    what it would run, and what that costs
    gandist run jobs/quickstart.yaml         run it; again to continue it
    gandist status runs/quickstart           how each trial stands
    """
    if version:
        typer.echo(gandist.__version__)
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())


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

    Trials run on the Ray cluster that RAY_ADDRESS names, else on all cores and GPUs of this machine. Ctrl-C
    stops them at a checkpoint; the same command goes on from there. More seeds, configurations or epochs are
    added; trials of other settings are refused, unless --fresh puts them aside. One driver at a time runs a
    job. The last line is the report's path.

    Exit code: 0 all trials are finished, 1 some failed, 2 the input is wrong, 130 or 143 stopped by a signal.

    \b
    gandist run jobs/quickstart.yaml
    gandist run jobs/mnist_dcgan.yaml --set seeds=0..7 --set resources.gpus=0.5
    gandist run jobs/mnist_dcgan.yaml --storage s3://bucket/gans --data-dir /data
    gandist run jobs/quickstart.yaml --local --set training.epochs=1
    """
    from gandist.runner.lease import Lease
    from gandist.runner.plan import make_plan
    from gandist.runner.prepare import open_job_dir, write_job

    job, trials = _load(job_file, overrides)
    job_dir = open_job_dir(storage, job)

    def look() -> Plan:
        return make_plan(trials, job_dir, retry_failed=retry_failed, fresh=fresh)

    plan = look()
    done = len(trials) - len(plan.todo)
    if not plan.todo:
        from gandist.runner.schedule import Outcome

        typer.echo(f"nothing left to do: {done} of {len(trials)} trials are finished")
        with Lease(job_dir.storage, typer.echo) as lease:
            lease.take()
            write_job(job_dir, job, trials)
        _end(job_dir, Outcome(plan.states))
    typer.echo(f"{job.name}: {_product(trials)}, {len(plan.todo)} to run, {done} finished; in {job_dir.root}")

    from rich.console import Console

    from gandist.runner.backend import Backend
    from gandist.runner.progress import Board
    from gandist.runner.schedule import run_job
    from gandist.runner.views import view

    backend: Backend
    if local:
        from gandist.runner.local_backend import LocalBackend

        backend = LocalBackend(job, job_dir.root, data_dir)
    else:
        from gandist.runner.ray_backend import RayBackend

        backend = RayBackend(job, job_dir.root, data_dir)
    lease = Lease(job_dir.storage, typer.echo)
    lease.look()
    with lease, backend:  # given back when the last trial has ended
        for notice in backend.admit():
            typer.echo(notice)
        lease.take()
        plan = look()  # another driver may have been at work since
        for trial in plan.aside:
            typer.echo(f"{trial}: trained anew; what there was is now in {job_dir.set_aside(trial)}")
        write_job(job_dir, job, trials)
        with view(Board(plan.states), Console(highlight=False)) as show:
            outcome = run_job(job, plan, job_dir, backend, show, check=lease.check)
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
    job, trials = _load(job_file, overrides)
    typer.echo(f"{job.name}: {_product(trials)}")

    from gandist.runner.cost import costs

    found = costs(trials, data_dir)
    for cost in found:
        typer.echo(
            f"{cost.config}: generator {cost.generator_parameters:,} parameters, "
            f"discriminator {cost.discriminator_parameters:,}; "
            f"{cost.steps:,} steps, {cost.images:,} images a trial"
        )
    total = sum(cost.seeds * cost.images for cost in found)
    typer.echo(f"in all {sum(cost.seeds * cost.steps for cost in found):,} steps, {total:,} images")


@app.command()
def status(job_dir: options.JobDirectory) -> None:
    """Show how each trial of a job stands.

    \b
    gandist status runs/quickstart
    """
    from rich.console import Console

    from gandist.artifacts.job_dir import JobDir
    from gandist.runner.plan import read_states
    from gandist.runner.prepare import listed_trials
    from gandist.runner.progress import recorded
    from gandist.runner.views import table

    directory = JobDir(job_dir)
    states = read_states(directory, listed_trials(directory))
    rows, summary = recorded(states, time.time())
    console = Console(highlight=False)
    if console.is_terminal:
        console.print(table(rows))
    else:
        typer.echo("\n".join(row.line for row in rows))
    typer.echo(str(summary))
    for trial, state in states.items():
        for note in state.notes:
            typer.echo(f"{trial}: {note}")


@app.command()
def report(job_dir: options.JobDirectory) -> None:
    """Write the report of what is there so far.

    Merges what the trials have written, writes report.html and prints its path.

    \b
    gandist report runs/quickstart
    """
    from gandist.artifacts.job_dir import JobDir

    typer.echo(_report(JobDir(job_dir)))


@app.command()
def schema() -> None:
    """Print the JSON schema of a job file.

    For an editor that completes and checks YAML.

    \b
    gandist schema > job.schema.json
    """
    from gandist.job_file import json_schema

    typer.echo(json.dumps(json_schema(), indent=2))


@app.command()
def bench(
    job_file: options.JobFile,
    steps: Annotated[int, typer.Option(min=1, help="Steps to time, after those that compile.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    data_dir: options.DataDir = None,
    overrides: options.Overrides = None,
) -> None:
    """Time the training steps of a job's first trial on this machine. Writes nothing.

    \b
    gandist bench jobs/mnist_dcgan.yaml --steps 200
    gandist bench jobs/mnist_dcgan.yaml --set data.batch_size=512 --json
    """
    _, trials = _load(job_file, overrides)

    from gandist.training.bench import bench as measure

    figures = measure(trials[0], data_dir, steps)
    if as_json:
        typer.echo(json.dumps(figures))
    else:
        for name, value in figures.items():
            typer.echo(f"{name}: {value:.4g}" if isinstance(value, float) else f"{name}: {value}")


def _load(job_file: Path, overrides: list[str] | None) -> tuple[JobSpec, tuple[TrialSpec, ...]]:
    from gandist.job_file import load_job
    from gandist.spec import expand

    job = load_job(job_file, overrides or [])
    return job, expand(job)


def _product(trials: tuple[TrialSpec, ...]) -> str:
    configs, seeds = len({trial.config for trial in trials}), len({trial.seed for trial in trials})
    counts = ((configs, "configuration"), (seeds, "seed"), (len(trials), "trial"))
    return "{} x {} = {}".format(*(f"{count} {noun}{'s'[: count > 1]}" for count, noun in counts))


def _report(job_dir: JobDir) -> str:
    from gandist.report import write_report

    return write_report(job_dir)


def _end(job_dir: JobDir, outcome: Outcome) -> None:
    """Say how the job stands, write the report unless there is no time for it, and leave."""
    typer.echo(", ".join(f"{count} {name}" for name, count in outcome.counts.items()))
    if outcome.signal is not None:
        typer.echo("stopped; the same command goes on from here")
    else:
        for trial, state in outcome.states.items():
            if state.status == "failed":
                _complain(f"{trial}: failed: {state.reason}")
        typer.echo(_report(job_dir))
    raise typer.Exit(outcome.exit_code)


def _complain(text: str) -> None:
    """To stderr as it is: a path may hold what looks like markup."""
    typer.echo(text, err=True)
