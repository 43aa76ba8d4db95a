"""Jobs on a Ray cluster, from a machine outside it, and their results."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from gandist.cli import options
from gandist.cli.application import app, complain
from gandist.errors import ClusterError

if TYPE_CHECKING:
    from gandist.remote.jobs_api import JobsApi, Submission

DETACHED_EXIT = 130

Address = Annotated[
    str | None,
    typer.Option(
        "--address",
        metavar="URL",
        help="The cluster's dashboard: http://127.0.0.1:8265; else RAY_API_SERVER_ADDRESS or RAY_ADDRESS.",
        show_default=False,
    ),
]
SubmissionName = Annotated[
    str,
    typer.Argument(
        metavar="ID", help="A submission's id, or a job's name for its newest one.", show_default=False
    ),
]
Follow = Annotated[
    bool, typer.Option("--follow", help="Print the log until the job has ended, and exit with its code.")
]


@app.command()
def submit(
    job_file: options.JobFile,
    storage: Annotated[
        str,
        typer.Option(
            metavar="DIR",
            help="Where the cluster keeps job directories: s3://..., or a path that all its nodes share.",
            show_default=False,
        ),
    ],
    address: Address = None,
    data_dir: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Where data files lie, on every node.", show_default=False),
    ] = None,
    follow: Follow = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Run trials that ended as failed once more.")
    ] = False,
    fresh: options.Fresh = False,
    python: Annotated[
        str | None,
        typer.Option(
            metavar="PATH",
            help="The cluster's Python that has gandist; else gandist must be on the PATH of its head.",
            show_default=False,
        ),
    ] = None,
    plugins: options.Plugins = None,
    overrides: options.Overrides = None,
) -> None:
    """Run a job in a Ray cluster, or continue it there.

    The job file and the files of plug-ins are checked here and travel; `gandist run` then runs in the cluster
    and needs this machine no more. Submitting the same job to the same storage again continues it. A token
    goes into RAY_AUTH_TOKEN, or into a file named by RAY_AUTH_TOKEN_PATH. The last line is the submission's
    id.

    Exit code: 0 submitted, 1 the cluster refuses or cannot be reached, 2 the input is wrong and nothing was
    sent; with --follow that of the job.

    \b
    gandist submit jobs/mnist_dcgan.yaml --storage s3://bucket/gans --address http://127.0.0.1:8265
    gandist submit jobs/mnist_dcgan.yaml --storage /shared/runs --data-dir /shared/data --follow
    """
    from gandist.remote import submit as submitting
    from gandist.remote.dashboard import UnreachableError
    from gandist.spec.loading import load_job
    from gandist.spec.notices import notices

    job = load_job(job_file, overrides or (), plugins or ())
    request = submitting.Request(storage, data_dir, retry_failed, fresh, overrides or (), python)
    submitting.check(request)
    api = _connect(address)
    sent: list[str] = []
    try:
        submission = submitting.submit(api, job_file, job, request, sent.append)
    except (KeyboardInterrupt, UnreachableError) as error:
        for name in sent:
            complain(f"{name}: may have been submitted; {api.command(f'status {name}')} tells")
        if isinstance(error, UnreachableError):
            raise
        raise typer.Exit(DETACHED_EXIT) from None
    where = "" if "://" in storage else ", a path of the cluster's nodes"
    typer.echo(f"{job}; in {submission.job_dir}{where}")
    for line in notices(job, job.trials, {}):
        complain(line)
    for what, command in (
        ("log", f"logs {submission.id} --follow"),
        ("state", f"status {submission.id}"),
        ("stop", f"stop {submission.id}"),
        ("results", f"fetch {submission.id} DIRECTORY"),
    ):
        typer.echo(f"{what + ':':<8} {api.command(command)}")
    typer.echo(submission.id)
    if follow:
        _follow(api, submission.id)


@app.command()
def logs(submission: SubmissionName, address: Address = None, follow: Follow = False) -> None:
    """Print the log of a submitted job.

    Ctrl-C ends --follow, not the job.

    \b
    gandist logs mnist_dcgan --address http://127.0.0.1:8265
    gandist logs mnist_dcgan-20260101-120000-1f2e --follow
    """
    from gandist.remote.submit import quiet

    api = _connect(address)
    found = api.find(submission)
    if follow and not found.ended:
        _follow(api, found.id)
    typer.echo(quiet(api.log(found.id)), nl=False)
    if follow:
        _leave(found)


@app.command()
def stop(submission: SubmissionName, address: Address = None) -> None:
    """Stop a submitted job at a checkpoint.

    Waits until it has ended. Submit it again to continue it.

    \b
    gandist stop mnist_dcgan --address http://127.0.0.1:8265
    """
    from gandist.remote import submit as submitting

    api = _connect(address)
    found = api.find(submission)
    if found.ended:
        typer.echo(f"{found.id}: {ended(found)} already")
        return
    typer.echo(f"{found.id}: its trials go to a checkpoint first")
    api.stop(found.id)
    try:
        found = submitting.wait_until_stopped(api, found.id)
    except KeyboardInterrupt:
        complain(f"{found.id}: was asked to stop, and will")
        raise typer.Exit(DETACHED_EXIT) from None
    typer.echo(f"{found.id}: {ended(found)}")
    with contextlib.suppress(ClusterError):  # it has stopped, whatever the log
        typer.echo("".join(api.log(found.id).splitlines(keepends=True)[-2:]), nl=False)


@app.command()
def fetch(
    name: Annotated[
        str,
        typer.Argument(
            metavar="JOB",
            help="A job's directory (a path or s3://...), a submission's id, or a submitted job's name.",
            show_default=False,
            callback=options.from_home,
        ),
    ],
    destination: Annotated[
        Path,
        typer.Argument(
            metavar="DIR",
            help="The directory to copy into.",
            show_default=False,
            callback=options.from_home,
        ),
    ],
    everything: Annotated[
        bool,
        typer.Option("--all", help="Checkpoints and each trial's own losses, too."),
    ] = False,
    address: Address = None,
) -> None:
    """Copy a job's results to this machine.

    Report, tables, sample grids, generators; again, what is new of them. The copy is a job directory, too.
    Credentials for s3:// are this machine's.

    \b
    gandist fetch s3://bucket/gans/mnist_dcgan results
    gandist fetch mnist_dcgan results --address http://127.0.0.1:8265
    """
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress

    from gandist.artifacts.job_dir import JobDir
    from gandist.remote.fetch import Fetch, Fetched
    from gandist.remote.jobs_api import results

    job_dir = results(name, address)
    fetching = Fetch(job_dir, destination, everything=everything)
    console = Console(stderr=True)
    columns = Progress.get_default_columns()[:2]
    try:
        with Progress(
            *columns, MofNCompleteColumn(), console=console, transient=True, disable=not console.is_terminal
        ) as progress:
            task = progress.add_task("files", total=None)

            def show(so_far: Fetched) -> None:
                progress.update(task, total=so_far.found, completed=so_far.copied + so_far.there)

            fetching.run(show)
    except KeyboardInterrupt:
        complain(f"{fetching.fetched}; the same command goes on from here")
        raise typer.Exit(DETACHED_EXIT) from None
    typer.echo(fetching.fetched)
    report = destination / JobDir.REPORT
    typer.echo(report if report.is_file() else f"{destination}: no report yet; gandist report {job_dir.root}")


def ended(submission: Submission) -> str:
    """How, in words."""
    if submission.status == "FAILED":
        return f"failed with exit code {submission.exit_code}"
    return submission.status.lower()


def _connect(address: str | None) -> JobsApi:
    from gandist.remote.jobs_api import connect

    return connect(address)


def _follow(api: JobsApi, submission: str) -> NoReturn:
    """Print its log to the end, and leave with its exit code."""
    from gandist.remote.submit import Follower

    try:
        found = Follower(api, submission, lambda text: typer.echo(text, nl=False), complain).follow()
    except KeyboardInterrupt:
        complain(f"{submission}: left alone, running or not; {api.command(f'stop {submission}')} stops it")
        raise typer.Exit(DETACHED_EXIT) from None
    _leave(found)


def _leave(found: Submission) -> NoReturn:
    """Say how a submission has ended, and end with its exit code."""
    from gandist.printable import one_line

    complain(f"{found.id}: {ended(found)}")
    if found.status == "FAILED" and found.driver_exit_code is None:
        complain(one_line(found.message))
    elif found.driver_exit_code in (126, 127):
        complain(
            "its head found no gandist: put that on its PATH, or name the Python that has it with --python"
        )
    raise typer.Exit(found.exit_code)
