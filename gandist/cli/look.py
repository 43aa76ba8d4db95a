"""Looking at what a job has left so far."""

from __future__ import annotations

import time

import typer

from gandist.cli import options
from gandist.cli.application import app


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
    from gandist.report import write_report

    typer.echo(write_report(JobDir(job_dir)))
