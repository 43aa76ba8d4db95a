"""For editors and for measuring."""

from __future__ import annotations

import json
from functools import partial
from typing import Annotated

import typer

from gandist.activity import telling
from gandist.cli import options
from gandist.cli.application import app, complain


@app.command()
def schema(
    markdown: Annotated[bool, typer.Option("--markdown", help="Print a page to read instead.")] = False,
    plugins: options.Plugins = None,
) -> None:
    """Print the JSON schema of a job file.

    For an editor that completes and checks YAML.

    \b
    gandist schema > job.schema.json
    gandist schema --plugin my_losses.py > my_job.schema.json
    """
    from gandist.spec.loading import json_schema
    from gandist.spec.reference import reference

    found = json_schema(plugins or ())
    typer.echo(reference(found) if markdown else json.dumps(found, indent=2))


@app.command()
def bench(
    job_file: options.JobFile,
    steps: Annotated[int, typer.Option(min=1, help="Steps to time, after those that compile.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    data_dir: options.DataDir = None,
    plugins: options.Plugins = None,
    overrides: options.Overrides = None,
) -> None:
    """Time the training steps of a job's first trial on this machine. Writes nothing.

    \b
    gandist bench jobs/mnist_dcgan.yaml --steps 200
    gandist bench jobs/mnist_dcgan.yaml --set data.batch_size=512 --json
    """
    from gandist.runner.datasets import datasets
    from gandist.spec.loading import load_job

    trials = load_job(job_file, overrides or (), plugins or ()).located(data_dir).trials
    (dataset,) = telling(partial(datasets, trials[:1], data_dir), complain).values()

    from gandist.training.bench import bench as measure  # TensorFlow, when the data is there

    figures = measure(trials[0], dataset, steps)
    if as_json:
        typer.echo(json.dumps(figures))
    else:
        for name, value in figures.items():
            typer.echo(f"{name}: {value:.4g}" if isinstance(value, float) else f"{name}: {value}")
