"""Looking at data before anything is trained."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from gandist.activity import telling
from gandist.cli import options
from gandist.cli.application import app, complain
from gandist.cli.sample import MAX_BYTES


@app.command()
def data(
    job_file: options.JobFile,
    out: Annotated[
        str,
        typer.Option(
            "--out",
            metavar="FILE|DIR/",
            help="A .png grid, a .gif or .mp4, an .npy array; or a directory for a PNG each.",
            show_default=False,
            callback=options.from_home,
        ),
    ],
    augmented: Annotated[
        bool,
        typer.Option(
            "--augmented",
            help="Show each picture beside what the discriminator sees of it, by the job's augmentation.",
        ),
    ] = False,
    count: Annotated[
        int, typer.Option("--n", metavar="N", min=1, max=10_000, help="How many pictures.")
    ] = 64,
    data_dir: options.DataDir = None,
    plugins: options.Plugins = None,
    overrides: options.Overrides = None,
) -> None:
    """Show what the networks of a job will see: the pictures of its data set, cut and resized.

    Trains nothing. Where configurations have data of their own it shows the first one's; --set names another.
    Without --augmented it takes as long as the pictures do.

    \b
    gandist data jobs/my_pictures.yaml --set data.path=my_photos --out grid.png
    gandist data jobs/my_pictures.yaml --set data.path=my_photos --augmented --out changed.png
    """
    from gandist.artifacts.retry import Retry
    from gandist.artifacts.storage import Storage
    from gandist.errors import UsageError
    from gandist.runner.datasets import data_lines, datasets
    from gandist.sampling import files
    from gandist.spec.loading import load_job

    target = files.target(out)
    form = target.kind()
    form.check()
    trial = load_job(job_file, overrides or (), plugins or ()).located(data_dir).trials[0]
    if augmented and trial.augmentation is None:
        raise UsageError("--augmented: the job has no augmentation; leave it out, or give augmentation.name")
    for place in trial.data.places:
        taken_from = Path(data_dir or "", getattr(trial.data, place)).resolve()
        if Path(target.directory).resolve().is_relative_to(taken_from):
            raise UsageError(f"--out {out}: among the pictures that are trained on; give another place")
    found = telling(partial(datasets, [trial], data_dir), complain)
    for line in data_lines(found):
        typer.echo(line)
    dataset = found[trial.data]
    height, width, channels = dataset.image_shape
    taken = form.raw_bytes(count, (height, width * (2 if augmented else 1), channels))
    if taken > MAX_BYTES:
        raise UsageError(f"--n {count}: that is {taken:,} bytes in memory; give fewer")
    images = dataset.some(count)
    beside = ""
    if augmented and trial.augmentation is not None:
        from gandist.training.augmented import beside_augmented  # TensorFlow, when the data is there

        images = beside_augmented(images, trial.augmentation)
        beside = f", each beside itself after {trial.augmentation.name}"
    storage = Storage(target.directory, Retry(write_s=0.0))
    for name, content in form.encode(images):
        storage.write(name or target.name, content)
    typer.echo(f"{len(images):,} of {len(dataset):,} pictures{beside}: {out}")
