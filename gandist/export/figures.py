"""The report's plots as figures of their own, for a thesis or a notebook. No state of pyplot is touched."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from gandist.artifacts.images import decode_png
from gandist.artifacts.job_dir import JobDir, TrialDir
from gandist.errors import StorageError, UsageError
from gandist.export import panels
from gandist.export.place import Place
from gandist.report import Content, read_content, text
from gandist.report.evaluations import Metric, measured, objective
from gandist.report.pictures import MAX_PIXELS, look
from gandist.report.plots import KIMG, Plot
from gandist.report.sections import discriminator, health, losses, metrics
from gandist.report.verdict import verdict

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure

MAX_METRICS = 24
MAX_HEALTH = 12
"""Panels of one row."""
MAX_GRIDS = 23
MAX_BYTES = 2**23
"""Of a grid."""

Draw = Callable[[Content], "Figure | None"]


def figure(job_dir: JobDir, name: str) -> Figure:
    """One figure of what a job has left so far.

    Args:
        job_dir: the job's directory.
        name: one of ``NAMES``, or one of the job's metrics.

    Raises:
        UsageError: there is no figure of that name, or nothing to draw in it yet.
        NotAJobError: the directory holds no job.
        StorageError: the storage refused.
    """
    content = read_content(job_dir)
    drawn_by = _drawn_by(content)
    if name not in drawn_by:
        raise UsageError(f"figure {text.plain(name, 60)}: unknown; choose one of {', '.join(drawn_by)}")
    drawn = drawn_by[name](content)
    if drawn is None:
        raise UsageError(f"figure {name}: {job_dir.root} has nothing to draw in it yet")
    return drawn


def figures(content: Content) -> Iterator[tuple[str, Figure]]:
    """All that there is something to draw in, with their names: letters, digits and ``_``."""
    for name, draw in _drawn_by(content).items():
        drawn = draw(content)
        if drawn is not None:
            yield name, drawn


def prepare(job_dir: JobDir, root: str, extension: str) -> Callable[[], str]:
    """What writes all figures to the directory ``root``, and says so.

    Args:
        job_dir: the job's directory.
        root: a path or ``s3://...``.
        extension: one of ``FORMATS``.

    Raises:
        UsageError: a file is there that is none of the job's exports.
        NotAJobError: ``job_dir`` holds no job.
        StorageError: a storage refused.
    """
    place, content = Place(root, job_dir, "--figures"), read_content(job_dir)
    place.claim([f"{name}.{extension}" for name in _drawn_by(content)])
    return partial(_write, place, content, extension)


def _write(place: Place, content: Content, extension: str) -> str:
    names = []
    for name, drawn in figures(content):
        place.write(f"{name}.{extension}", panels.encode(drawn, extension))
        names.append(name)
    return f"{text.plural(len(names), 'figure')} ({', '.join(names) or 'nothing to draw yet'}): {place.root}"


def _answer(content: Content) -> Figure | None:
    metric = objective(content.job, measured(content.merged))
    found = verdict(content.merged.configs, metric) if metric else None
    if found is None:
        return None
    return panels.dots(f"{content.title}: every seed", found.ranked.standings, found.metric)


def _samples(content: Content) -> Figure | None:
    """Real images, and of each configuration the last grid of its first seed that has one."""
    found: list[tuple[str, np.ndarray]] = []
    for config, trials in list(content.merged.configs.items())[:MAX_GRIDS]:
        for trial in trials:
            directory = content.directory(trial)
            real, drawn = _pixels(directory, TrialDir.REAL), _last_grid(directory)
            if real is not None and not found:
                found.append(("real images", real))
            if drawn is not None:
                step, pixels = drawn
                found.append((f"{config} (seed {trial.seed}, step {step:,})", pixels))
                break
    return panels.pictures(f"{content.title}: samples", found)


def _last_grid(directory: TrialDir) -> tuple[int, np.ndarray] | None:
    try:
        step, path = directory.samples()[-1]
    except (StorageError, IndexError):
        return None
    pixels = _pixels(directory, path)
    return None if pixels is None else (step, pixels)


def _pixels(directory: TrialDir, path: str) -> np.ndarray | None:
    """Of a PNG, which may be a stranger's; None where it is none, or too large."""
    try:
        content = directory.storage.read(path, MAX_BYTES)
        kind, size = look(content)
        return decode_png(content) if kind == "png" and size and size[0] * size[1] <= MAX_PIXELS else None
    except (StorageError, FileNotFoundError, ValueError):
        return None


def _losses(content: Content) -> Figure | None:
    return panels.curves(f"{content.title}: losses, means over seeds", losses.plots(content))


def _discriminator(content: Content) -> Figure | None:
    rows = discriminator.plots(content)
    told = "0.5: cannot tell" if any(plot.reference is not None for row in rows for plot in row) else ""
    return panels.curves(f"{content.title}: discriminator outputs, means over seeds", rows, told)


def _outputs(content: Content) -> Figure | None:
    found = discriminator.outputs(content)
    return panels.histograms(f"{content.title}: discriminator outputs at the end", found)


def _health(content: Content) -> Figure | None:
    rows = [row[:MAX_HEALTH] for row in health.plots(content)]
    return panels.curves(f"{content.title}: training health, means over seeds", rows)


def _cost(content: Content) -> Figure | None:
    metric = objective(content.job, measured(content.merged))
    rows = metrics.plots(content, [metric]) if metric else []
    paid = [[plot for plot in row if plot.x != KIMG] for row in rows]
    return panels.curves(f"{content.title}: quality by cost, means over seeds", list(filter(None, paid)))


def _metric(metric: Metric, content: Content) -> Figure | None:
    rows = [
        [_with_floor(plot, metric) for plot in row if plot.x == KIMG]
        for row in metrics.plots(content, [metric])
    ]
    told = "" if metric.floor is None else f"real images: {text.number(metric.floor, 3)}"
    return panels.curves(f"{content.title}: {metric.title}, means over seeds", rows, told)


def _with_floor(plot: Plot, metric: Metric) -> Plot:
    """With a line for what real images have, on the axis."""
    if metric.floor is None:
        return plot
    low, high = plot.limits
    margin = 0.05 * (high - low)
    limits = min(low, metric.floor - margin), max(high, metric.floor + margin)
    return replace(plot, reference=metric.floor, limits=limits)


_DRAWN_BY: dict[str, Draw] = {
    "answer": _answer,
    "samples": _samples,
    "losses": _losses,
    "discriminator": _discriminator,
    "outputs": _outputs,
    "health": _health,
    "cost": _cost,
}
NAMES = tuple(_DRAWN_BY)
"""Figures of any job; besides these each metric has one of its name."""


def _drawn_by(content: Content) -> dict[str, Draw]:
    """What draws each figure, by its name."""
    found = dict(_DRAWN_BY)
    for metric in measured(content.merged)[:MAX_METRICS]:
        found[_free(_name(metric), found)] = partial(_metric, metric)
    return found


def _name(metric: Metric) -> str:
    """A name for a file: a job directory may be a stranger's."""
    return re.sub(r"[^a-z0-9_]+", "_", metric.name.lower())[:60].strip("_") or "metric"


def _free(name: str, taken: dict[str, Draw]) -> str:
    """``frechet``, or ``frechet_2`` where several protocols share a metric."""
    numbered = (name, *(f"{name}_{n}" for n in range(2, MAX_METRICS + 2)))
    return next(it for it in numbered if it not in taken)


__all__ = ["NAMES", "figure", "figures", "prepare"]
