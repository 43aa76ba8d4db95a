"""Evaluating what was trained before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from gandist.activity import telling
from gandist.cli import options
from gandist.cli.application import app, complain

if TYPE_CHECKING:
    from gandist.activity import Tell


@app.command()
def evaluate(
    job_dir: options.JobDirectory,
    metrics: Annotated[
        list[str] | None,
        typer.Option(
            "--metric",
            metavar="NAME",
            help="What to measure; may be given several times. Without it what the job measures.",
            show_default=False,
        ),
    ] = None,
    features: Annotated[
        str | None,
        typer.Option(
            "--features",
            metavar="NAME",
            help="What images are compared by: a name, or {name: ..., ...} as in a job file.",
            show_default=False,
        ),
    ] = None,
    samples: Annotated[
        int | None,
        typer.Option("--samples", metavar="N", help="How many images to generate.", show_default=False),
    ] = None,
    checkpoint: Annotated[
        Literal["best", "last", "all"],
        typer.Option("--checkpoint", help="Which of the checkpoints that a trial keeps."),
    ] = "last",
    trial: Annotated[
        str | None,
        typer.Option("--trial", metavar="ID", help="One trial; without it all.", show_default=False),
    ] = None,
    data_dir: options.DataDir = None,
    plugins: options.Plugins = None,
) -> None:
    """Measure the images of trained generators, without training.

    What is measured as the trial itself did is equal to it, to the last bit on the same machine; values by
    another protocol stand beside those that are there, and nothing is written twice. In this process, one
    trial after another, while nobody runs the job. The job directory may be a stranger's: no code in it is
    run; a job that was made with plug-ins needs the same ones again.

    \b
    gandist evaluate runs/quickstart --metric frechet --metric prdc
    gandist evaluate runs/mnist_dcgan --checkpoint all --samples 50000
    gandist evaluate runs/mnist_dcgan --trial base-seed0 --features pixels
    gandist evaluate runs/quickstart --metric my_metric --plugin my_metrics.py
    """
    from gandist import api
    from gandist.errors import UsageError
    from gandist.spec.yaml import YamlError, parse

    try:
        network = parse(features) if features is not None else None
    except YamlError as error:
        raise UsageError(f"--features {features}: {error}") from None

    def work(tell: Tell) -> int:
        return api.evaluate(
            job_dir,
            trial=trial,
            checkpoint=checkpoint,
            metrics=metrics or (),
            features=network,
            samples=samples,
            data_dir=data_dir,
            plugins=plugins or (),
            on_line=typer.echo,
            tell=tell,
        )

    added = telling(work, complain)
    typer.echo(f"{added} {'rows' if added != 1 else 'row'} added; gandist report {job_dir} shows them")
