"""Images from a trained generator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from gandist.cli import options
from gandist.cli.application import app
from gandist.printable import printable

if TYPE_CHECKING:
    from gandist.sampling.generators import Exported

MAX_BYTES = 2**30
"""Of pixels before compression, or of numbers that latents are made from."""
Which = Literal["last", "best"]
BYTES_A_LATENT = 32
"""While they are drawn, for each of its numbers."""


@app.command()
def sample(
    job_dir: options.JobDirectory,
    out: Annotated[
        str,
        typer.Option(
            "--out",
            metavar="FILE|DIR/",
            help="A .png grid, a .gif or .mp4 film, an .npy array: uint8 [n, height, width, channels]; or a "
            "directory for a PNG each.",
            show_default=False,
            callback=options.from_home,
        ),
    ],
    trial: Annotated[
        str | None,
        typer.Option(
            "--trial",
            metavar="ID",
            help="Whose generator; without it that of the first trial that has one.",
            show_default=False,
        ),
    ] = None,
    checkpoint: Annotated[
        Which,
        typer.Option(
            "--checkpoint",
            help="The generator in the end, or the best one that evaluation.select has found.",
        ),
    ] = "last",
    labels: Annotated[
        list[str] | None,
        typer.Option(
            "--label",
            metavar="CLASS",
            help="For a conditional GAN, a class' name or index; several share the images, in their order. "
            "Without it the classes take turns.",
            show_default=False,
        ),
    ] = None,
    count: Annotated[
        int, typer.Option("--n", metavar="N", min=1, max=10_000, help="How many images, or frames.")
    ] = 64,
    seed: Annotated[
        int, typer.Option(min=0, max=2**31 - 1, help="Latent k is a function of the seed and k alone.")
    ] = 0,
    truncation: Annotated[
        float | None,
        typer.Option(
            "--truncation",
            metavar="PSI",
            min=0.0,
            max=2.0,
            help="For a model with styles, such as stylegan2: below 1 images vary less and have fewer flaws; "
            "0 makes the mean image.",
            show_default=False,
        ),
    ] = None,
    interpolate: Annotated[
        bool,
        typer.Option(
            "--interpolate", help="N steps along a closed path through latents, in place of N latents."
        ),
    ] = False,
    between: Annotated[
        str | None,
        typer.Option(
            "--between",
            metavar="K,K,...",
            help="A path like that of --interpolate, through the images with these numbers, from 0 on.",
            show_default=False,
        ),
    ] = None,
    scale: Annotated[
        int | None,
        typer.Option(
            "--scale",
            metavar="N",
            min=1,
            max=64,
            help="Make each pixel a square of N by N. By default grids and films are magnified to be seen "
            "well, and single images are left as they are.",
            show_default=False,
        ),
    ] = None,
    fps: Annotated[
        float | None,
        typer.Option(
            "--fps",
            min=0.1,
            max=1000.0,
            help="Frames a second of a film: by default 2, and 17 along a path.",
            show_default=False,
        ),
    ] = None,
    plugins: options.Plugins = None,
) -> None:
    """Make images with the generator that a completed trial has exported.

    The same command makes the same images anywhere, up to rounding; --n 8 makes the first 8 of --n 64. A path
    is closed and leads through as many latents as a grid has rows, or through images that you have chosen, by
    spherical interpolation. A film shows a path without an end, other images as slides.

    The job directory may be a stranger's: no code in it is run, and of its generator only numbers are read.
    A model that is a plug-in's needs that plug-in again.

    \b
    gandist sample runs/quickstart --out digits.png
    gandist sample runs/quickstart --n 100 --out digits/ --scale 8
    gandist sample runs/mnist_conditional --label 7 --n 100 --seed 1 --out sevens.png
    gandist sample runs/quickstart --trial r1-seed0 --between 17,42,3 --n 240 --fps 24 --out morph.mp4
    """
    from gandist.artifacts.job_dir import JobDir, TrialDir
    from gandist.artifacts.retry import Retry
    from gandist.artifacts.storage import Storage
    from gandist.errors import UsageError
    from gandist.sampling import files
    from gandist.sampling.generators import find
    from gandist.spec.plugins import allow

    allow(plugins or ())
    target = files.target(out)
    through = _numbers(between) if between is not None else []
    along = "--between" if through else "--interpolate" if interpolate else ""
    form = target.kind(scale, fps, moving=bool(along))
    form.check()
    path = {"last": TrialDir.GENERATOR, "best": TrialDir.BEST}[checkpoint]
    source = find(JobDir(job_dir), trial, path)
    chosen = source.labels(labels or [], count, path=along)
    shape, latent_dim = source.dataset.image_shape, source.trial.model.latent_dim
    each = max(form.raw_bytes(count, shape) // count, BYTES_A_LATENT * latent_dim)
    if count * each > MAX_BYTES:
        raise UsageError(
            f"--n {count}: that is {count * each:,} bytes in memory; give at most {MAX_BYTES // each}"
        )

    from gandist.sampling import generate

    generator = generate.open_generator(source.trial, shape, source.classes, *source.generator())
    if truncation is not None:
        generator.truncate(truncation)
    if along:
        latents = generate.draw_path(seed, count, latent_dim, through)
    else:
        latents = generate.draw(seed, count, latent_dim)
    made = generate.generate(generator, latents, chosen)
    storage = Storage(target.directory, Retry(write_s=0.0))
    for name, content in form.encode(made):
        storage.write(name or target.name, content)
    typer.echo(f"{_what(source, labels or [], count, bool(along), through)}: {out}")


def _numbers(between: str) -> list[int]:
    """The images that a path leads through.

    Raises:
        UsageError: they are no numbers, too few, or too large.
    """
    from gandist.errors import UsageError

    given = [number.strip() for number in between.split(",")]
    if len(given) < 2 or not all(it.isascii() and it.isdecimal() and len(it) <= 4 for it in given):
        raise UsageError(
            f"--between {printable(between, 60)}: give two or more numbers of images, such as 17,42,3"
        )
    return [int(number) for number in given]


def _what(source: Exported, labels: list[str], count: int, moving: bool, through: Sequence[int]) -> str:
    """``64 images of 7 from base-seed0 at step 5,000``."""
    noun = f"image{'s'[: count > 1]}"
    words = [f"{count:,} {noun}{' along a path' if moving else ''}"]
    if through:
        words.append(f"through {', '.join(map(str, through))}")
    if labels:
        words.append(f"of {', '.join(source.class_names(labels))}")
    words.append(f"from {source.trial.id} at {source.step}")
    return " ".join(words) + source.choice
