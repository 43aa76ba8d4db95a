"""Clearing away what nobody needs any more."""

from __future__ import annotations

from typing import Annotated

import typer

from gandist.cli import options
from gandist.cli.application import app, complain
from gandist.errors import GandistError
from gandist.printable import printable


@app.command()
def clean(
    where: Annotated[
        str,
        typer.Argument(
            metavar="DIR",
            help="A job's directory, or the storage that jobs lie in: a path or s3://bucket/...",
            show_default=False,
            callback=options.from_home,
        ),
    ],
    yes: Annotated[
        bool, typer.Option("--yes", help="Delete; without it only what would go is told.")
    ] = False,
    all_checkpoints: Annotated[
        bool,
        typer.Option(
            "--all-checkpoints",
            help="Also the newest and the best one of each finished trial, which then can be neither trained "
            "further nor evaluated again.",
        ),
    ] = False,
) -> None:
    """Tell what nobody needs any more and how much it takes, and with --yes delete it.

    What --fresh has put into aside/, and of each finished trial all checkpoints but the newest, from which
    more steps go on, and the best one. Trials that are not finished or have failed keep theirs; tables,
    pictures and generators stay. A job that somebody runs is left alone.

    Exit code: 0, or 1 where a job could not be cleared.

    \b
    gandist clean runs/quickstart
    gandist clean s3://bucket/gans --yes
    """
    from gandist.artifacts.job_dir import JobDir
    from gandist.console import overview
    from gandist.runner.clearing import clear, leftovers, size

    job_dir = JobDir(where)
    if "manifest.json" in job_dir.storage.list():
        jobs = [job_dir]
    else:
        jobs = [found.job_dir for found in overview.jobs(where)[0]]
    total, failed = 0, False
    for job in jobs:
        try:
            found = (
                clear(job, complain, all_checkpoints=all_checkpoints)
                if yes
                else leftovers(job, all_checkpoints=all_checkpoints)
            )
            for leftover in found:
                typer.echo(printable(f"{job.root}/{leftover}"))
                total += leftover.bytes
        except GandistError as error:
            complain(str(error))
            failed = True
    done = "deleted" if yes else "would go; --yes deletes it" if total else "would go"
    typer.echo(f"{size(total)} {done}")
    raise typer.Exit(int(failed))
