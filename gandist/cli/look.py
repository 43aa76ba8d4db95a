"""Looking at what jobs have left so far."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from gandist.cli import options
from gandist.cli.application import app, complain
from gandist.cli.cluster import Address, ended
from gandist.printable import printable

if TYPE_CHECKING:
    from gandist.artifacts.job_dir import JobDir
    from gandist.remote.jobs_api import Submission


@app.command()
def status(
    job: Annotated[
        str,
        typer.Argument(
            metavar="JOB",
            help="A job's directory (a path or s3://bucket/...); with an address a submission's id or a "
            "submitted job's name.",
            show_default=False,
            callback=options.from_home,
        ),
    ],
    address: Address = None,
) -> None:
    """Show how each trial of a job stands.

    \b
    gandist status runs/quickstart
    gandist status mnist_dcgan --address http://127.0.0.1:8265
    """
    from gandist.artifacts.job_dir import JobDir
    from gandist.errors import NotAJobError, StorageError
    from gandist.remote.jobs_api import find_submission

    submission = find_submission(job, address)
    if submission is None:
        _show_trials(JobDir(job))
        return
    typer.echo(_line(submission))
    if submission.job_dir is None:
        return
    try:
        _show_trials(JobDir(submission.job_dir))
    except NotAJobError:
        # Whether it has not begun, or writes to a disk of that name on another machine, cannot be told.
        log = f"; gandist logs {submission.id} tells why" if submission.ended else " yet"
        complain(f"nothing of it in {submission.job_dir}, as seen from here{log}")
    except StorageError as error:
        complain(f"its trials cannot be seen from here: {error}")


@app.command()
def report(job_dir: options.JobDirectory) -> None:
    """Write the report of what is there so far.

    Merges what the trials have written, writes report.html, and prints its answer and its path.

    \b
    gandist report runs/quickstart
    """
    from gandist.artifacts.job_dir import JobDir
    from gandist.report import write_report

    written = write_report(JobDir(job_dir))
    if written.answer:
        typer.echo(printable(written.answer))
    typer.echo(written.where)


@app.command()
def jobs(
    storage: Annotated[
        str,
        typer.Argument(
            metavar="DIR",
            envvar="GANDIST_STORAGE",
            help="Where job directories are kept: a path or s3://...",
            callback=options.from_home,
        ),
    ] = "runs",
) -> None:
    """List the jobs of a storage.

    How their trials stand, when they last wrote, who runs them.

    \b
    gandist jobs
    gandist jobs s3://bucket/gans
    """
    from gandist.console import overview

    found, others = overview.jobs(storage)
    for line in overview.lines(found):
        typer.echo(line)
    if not found:
        typer.echo(f"no jobs in {storage}")
    if others:
        complain(f"{others} other {'things' if others > 1 else 'thing'} there: no jobs")


def _show_trials(directory: JobDir) -> None:
    from rich.console import Console

    from gandist.artifacts.driver import living
    from gandist.artifacts.trials import listed_trials, read_states
    from gandist.console.progress import recorded
    from gandist.console.views import table

    states = read_states(directory, listed_trials(directory))
    runs = any(state.meaning.active for state in states.values())
    driven = not runs or living([directory.storage]) != [None]
    rows, summary = recorded(states, time.time(), driven)
    console = Console(highlight=False)
    if console.is_terminal:
        console.print(table(rows))
    else:
        typer.echo("\n".join(row.line for row in rows))
    typer.echo(str(summary))
    if not driven:
        typer.echo("its driver is gone; the command that ran it goes on from the last checkpoints")
    for trial, state in states.items():
        for note in state.notes:
            typer.echo(f"{trial}: {note}")


def _line(submission: Submission) -> str:
    from gandist.console.overview import utc

    where = f"; in {submission.job_dir}" if submission.job_dir else ""
    if submission.ended:
        return f"{submission.id}: {ended(submission)}, {utc(submission.ended_at)}{where}"
    return f"{submission.id}: {submission.status.lower()}, submitted {utc(submission.started_at)}{where}"
