"""Images from a trained generator."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from gandist.cli import options
from gandist.cli.application import app

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
        Path,
        typer.Option(
            "--out",
            metavar="FILE",
            help="A .png grid, a .gif animation, or an .npy array: uint8 [n, height, width, channels].",
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
) -> None:
    """Make images with the generator that a completed trial has exported.

    The same command makes the same images anywhere, up to rounding; --n 8 makes the first 8 of --n 64. A path
    leads through as many latents as a grid has rows, by spherical interpolation. A .gif shows a path as an
    endless film, other images as slides.

    The job directory may be a stranger's: no code in it is run, and of its generator only numbers are read.

    \b
    gandist sample runs/quickstart --out digits.png
    gandist sample runs/mnist_conditional --label 7 --n 100 --seed 1 --out sevens.png
    gandist sample runs/quickstart --trial r1-seed0 --interpolate --n 240 --out morph.gif
    """
    from gandist.artifacts import images
    from gandist.artifacts.job_dir import JobDir, TrialDir
    from gandist.artifacts.retry import Retry
    from gandist.artifacts.storage import Storage
    from gandist.errors import UsageError
    from gandist.sampling.generators import find

    extension = _extension(out, images.FORMATS)
    path = {"last": TrialDir.GENERATOR, "best": TrialDir.BEST}[checkpoint]
    source = find(JobDir(job_dir), trial, path)
    chosen = source.labels(labels or [], count, one=interpolate)
    shape, latent_dim = source.dataset.image_shape, source.trial.model.latent_dim
    each = max(images.raw_bytes(1, shape, extension), BYTES_A_LATENT * latent_dim)
    if count * each > MAX_BYTES:
        raise UsageError(
            f"--n {count}: that is {count * each:,} bytes in memory; give at most {MAX_BYTES // each}"
        )

    from gandist.sampling import generate

    generator = generate.open_generator(source.trial, shape, source.classes, *source.generator())
    if truncation is not None:
        generator.truncate(truncation)
    draw = generate.draw_path if interpolate else generate.draw
    made = generate.generate(generator, draw(seed, count, latent_dim), chosen)
    content = images.encode(made, extension, moving=interpolate)
    Storage(str(out.parent), Retry(write_s=0.0)).write(out.name, content)
    typer.echo(f"{_what(source, labels or [], count, interpolate)}: {out}")


def _extension(out: Path, allowed: Sequence[str]) -> str:
    """The format that ``out`` asks for.

    Raises:
        UsageError: there is none, or no file can be made there.
    """
    from gandist.errors import UsageError

    extension = out.suffix.lower()
    if extension not in allowed:
        raise UsageError(f"--out {out}: its name ends in none of {', '.join(allowed)}")
    try:
        is_directory, has_place = out.is_dir(), out.parent.is_dir()
    except OSError as error:  # a name too long, a directory that may not be looked into
        raise UsageError(f"--out {out}: {error.strerror}") from error
    if is_directory:
        raise UsageError(f"--out {out}: a directory; give a file in it")
    if not has_place:
        raise UsageError(f"--out {out}: there is no directory {out.parent}; make it first")
    return extension


def _what(source: Exported, labels: list[str], count: int, interpolate: bool) -> str:
    """``64 images of 7 from base-seed0 at step 5,000``."""
    noun = f"image{'s'[: count > 1]}"
    words = [f"{count:,} {noun}{' along a path' if interpolate else ''}"]
    if labels:
        words.append(f"of {', '.join(source.class_names(labels))}")
    words.append(f"from {source.trial.id} at {source.step}")
    return " ".join(words) + source.choice
