"""Ways out of a job directory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

import typer

from gandist.cli import options
from gandist.cli.application import app, complain
from gandist.errors import UsageError

Format = Literal["png", "svg", "pdf"]


@app.command()
def export(
    job_dir: options.JobDirectory,
    figures: Annotated[
        str | None,
        typer.Option(
            "--figures",
            metavar="DIR",
            help="Write each plot of the report as a file, with title, axes and legend.",
            show_default=False,
            callback=options.from_home,
        ),
    ] = None,
    format: Annotated[Format, typer.Option("--format", help="Of the figures.")] = "png",
    csv: Annotated[
        str | None,
        typer.Option(
            "--csv",
            metavar="DIR",
            help="Write losses.csv, metrics.csv and trials.csv.",
            show_default=False,
            callback=options.from_home,
        ),
    ] = None,
    tensorboard: Annotated[
        str | None,
        typer.Option(
            "--tensorboard",
            metavar="DIR",
            help="Write a run for each trial: losses and metrics as scalars, sample grids as images.",
            show_default=False,
            callback=options.from_home,
        ),
    ] = None,
    mlflow: Annotated[
        str | None,
        typer.Option(
            "--mlflow",
            metavar="URI",
            help="Log a run for each trial, to a server at http://HOST:PORT or to a file:DIR without one.",
            show_default=False,
        ),
    ] = None,
    latex: Annotated[
        bool, typer.Option("--latex", help="Print a table of the results with intervals, for booktabs.")
    ] = False,
) -> None:
    """Take a job's results to other tools, also while it runs.

    Several of the options may be given at once. The same command again adds what is new, or replaces what it
    has written; files that are not its own stay.

    \b
    gandist export runs/quickstart --figures figures --format pdf
    gandist export runs/quickstart --csv tables --tensorboard logs
    gandist export runs/quickstart --mlflow http://127.0.0.1:5000
    gandist export runs/quickstart --latex > results.tex
    """
    from gandist.artifacts.job_dir import JobDir

    job = JobDir(job_dir)
    prepared: list[tuple[Callable[[], str], Callable[[str], None]]] = []
    if figures is not None:
        from gandist.export.figures import prepare as prepare_figures

        prepared.append((prepare_figures(job, figures, format), complain))
    if csv is not None:
        from gandist.export.csv import prepare as prepare_csv

        prepared.append((prepare_csv(job, csv), complain))
    if tensorboard is not None:
        from gandist.export.tensorboard import prepare as prepare_tensorboard

        prepared.append((prepare_tensorboard(job, tensorboard), complain))
    if mlflow is not None:
        from gandist.export.mlflow import prepare as prepare_mlflow

        prepared.append((prepare_mlflow(job, mlflow), complain))
    if latex:
        from gandist.export.latex import prepare as prepare_latex

        prepared.append((prepare_latex(job), typer.echo))
    if not prepared:
        raise UsageError(
            "nothing to export; give --figures DIR, --csv DIR, --tensorboard DIR, --mlflow URI or --latex"
        )
    for write, tell in prepared:
        tell(write())
