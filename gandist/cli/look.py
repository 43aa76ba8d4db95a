"""Looking at what jobs have left so far."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from gandist.cli import options
from gandist.cli.application import app, complain
from gandist.cli.cluster import Address, ended
from gandist.printable import printable

if TYPE_CHECKING:
    from gandist.console.overview import Standing
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
    as_json: options.AsJson = False,
) -> None:
    """Show how each trial of a job stands.

    \b
    gandist status runs/quickstart
    gandist status runs/quickstart --json
    gandist status mnist_dcgan --address http://127.0.0.1:8265
    """
    from gandist.errors import NotAJobError, StorageError
    from gandist.remote.jobs_api import find_submission

    show = _print_json if as_json else _print_text
    submission = find_submission(job, address)
    if submission is None:
        show(_standing(job), None)
        return
    standing = None
    if submission.job_dir is not None:
        try:
            standing = _standing(submission.job_dir)
        except NotAJobError:
            # Whether it has not begun, or writes to a disk of that name on another machine, cannot be told.
            log = f"; gandist logs {submission.id} tells why" if submission.ended else " yet"
            complain(f"nothing of it in {submission.job_dir}, as seen from here{log}")
        except StorageError as error:
            complain(f"its trials cannot be seen from here: {error}")
    show(standing, submission)


@app.command()
def report(
    job_dirs: Annotated[
        list[str],
        typer.Argument(
            metavar="JOB_DIR...",
            help="A job's directory: a path or s3://bucket/...; several are put side by side in one page.",
            show_default=False,
        ),
    ],
    out: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Where to write the page of several jobs.",
            show_default=False,
            callback=options.from_home,
        ),
    ] = None,
) -> None:
    """Write the report of what is there so far.

    Merges what the trials have written, writes report.html, and prints its answer and its path. Of several
    jobs it compares all configurations with each other, and writes nothing but FILE.

    \b
    gandist report runs/quickstart
    gandist report runs/monday runs/tuesday --out compare.html
    """
    from gandist.artifacts.job_dir import JobDir
    from gandist.errors import UsageError
    from gandist.report import write_comparison, write_report

    directories = [JobDir(options.from_home(job_dir)) for job_dir in job_dirs]
    if len(directories) > 1 and out is None:
        raise UsageError("several jobs: --out is missing; give the path of an HTML file to write")
    if len(directories) == 1 and out is not None:
        raise UsageError("--out is for several jobs; the report of one lies in its directory")
    written = write_comparison(directories, out) if out else write_report(directories[0])
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
    as_json: options.AsJson = False,
) -> None:
    """List the jobs of a storage.

    How their trials stand, when they last wrote, who runs them.

    \b
    gandist jobs
    gandist jobs s3://bucket/gans
    gandist jobs s3://bucket/gans --json
    """
    from gandist.console import as_json as documents
    from gandist.console import overview

    found, others = overview.jobs(storage)
    if as_json:
        typer.echo(documents.text(documents.jobs(storage, list(overview.stand(found)), others)))
        return
    for line in overview.lines(found):
        typer.echo(line)
    if not found:
        typer.echo(f"no jobs in {storage}")
    if others:
        complain(f"{others} other {'things' if others > 1 else 'thing'} there: no jobs")


def _standing(directory: str) -> Standing:
    from gandist.artifacts.driver import living
    from gandist.artifacts.job_dir import JobDir
    from gandist.console.overview import standing

    job_dir = JobDir(directory)
    (holder,) = living([job_dir.storage])
    return standing(job_dir, holder)


def _print_json(standing: Standing | None, submission: Submission | None) -> None:
    from gandist.console import as_json

    sent = (
        None
        if submission is None
        else as_json.Submission(
            id=submission.id,
            status=submission.status,
            submitted_at=as_json.when(submission.started_at),
            ended_at=as_json.when(submission.ended_at),
        )
    )
    typer.echo(as_json.text(as_json.status(standing, sent)))


def _print_text(standing: Standing | None, submission: Submission | None) -> None:
    if submission is not None:
        typer.echo(_line(submission))
    if standing is None:
        return
    from rich.console import Console

    from gandist.console.views import table

    rows = list(standing.rows)
    console = Console(highlight=False)
    if console.is_terminal:
        console.print(table(rows, console.width))
    else:
        typer.echo("\n".join(row.line for row in rows))
    typer.echo(str(standing.summary))
    if standing.holder is None and any(row.state.meaning.active for row in rows):
        typer.echo("its driver is gone; the command that ran it goes on from the last checkpoints")
    for row in rows:
        for note in row.state.notes:
            typer.echo(f"{row.trial}: {note}")


def _line(submission: Submission) -> str:
    from gandist.console.overview import utc

    where = f"; in {submission.job_dir}" if submission.job_dir else ""
    if submission.ended:
        return f"{submission.id}: {ended(submission)}, {utc(submission.ended_at)}{where}"
    return f"{submission.id}: {submission.status.lower()}, submitted {utc(submission.started_at)}{where}"
