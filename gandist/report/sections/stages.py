"""How the samples developed: grids from the first step to the last, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gandist.artifacts.job_dir import TrialDir
from gandist.errors import StorageError
from gandist.report import text
from gandist.report.losses import budget_at
from gandist.report.pictures import Pictures, archive, cropped

if TYPE_CHECKING:
    from gandist.report.render import Content

TITLE = "Stages"
ORDER = 17

MAX_CONFIGS = 24
STAGES = 5
MAX_CHOSEN = 10
"""Stages, where the job names their epochs."""
MAX_ROWS = 32
"""Of a grid."""
MAX_BYTES = 2 * 2**20
"""Of one image."""
MAX_TOTAL = 8 * 2**20
"""Of all images here; each configuration has its share."""

Grids = list[tuple[int, str]]


def build(content: Content) -> dict[str, Any] | None:
    """A strip for each configuration, of the first of its seeds that has several grids."""
    pictures = Pictures(MAX_BYTES, MAX_TOTAL)
    configs = content.merged.configs
    share = MAX_TOTAL // max(1, min(len(configs), MAX_CONFIGS))
    strips = []
    for config, trials in list(configs.items())[:MAX_CONFIGS]:
        candidates = ((trial, pictures.grids(content.directory(trial))) for trial in trials)
        trial, grids = next(((trial, grids) for trial, grids in candidates if len(grids) > 1), (None, []))
        strip = _strip(content.directory(trial), pictures, grids, share) if trial else {}
        if trial and strip:
            strips.append({"config": config, "seed": trial.seed, "status": trial.status, **strip})
    if not strips:
        return None
    more = max(0, len(configs) - MAX_CONFIGS)
    return {"strips": strips, "more": more, "left_out": pictures.left_out}


def choose(grids: Grids, at_epochs: list[int], epochs: dict[int, float]) -> Grids:
    """The grids to show: of ``at_epochs`` where there are any, else spaced evenly from the first to the last.

    Args:
        grids: ``(step, path)`` in the order of steps, not empty.
        at_epochs: that the job names.
        epochs: of the steps of ``grids``, where they are known.
    """
    chosen: dict[int, str] = {}
    for epoch in at_epochs:
        # A grid is drawn after the first step that completes its epoch.
        chosen |= dict([grid for grid in grids if epoch <= epochs.get(grid[0], -1) < epoch + 1][:1])
    if not chosen:
        steps = np.asarray([step for step, _ in grids], np.float64)
        targets = np.linspace(steps[0], steps[-1], STAGES)
        chosen = dict(grids[int(np.abs(steps - target).argmin())] for target in targets)
    return list(chosen.items())


def _strip(directory: TrialDir, pictures: Pictures, grids: Grids, share: int) -> dict[str, Any]:
    """The stages of one trial, in about ``share`` bytes; empty where none can be shown."""
    at_epochs, rows = _settings(directory)
    at = budget_at(directory, [step for step, _ in grids])
    chosen = choose(grids, at_epochs, {step: epoch for step, (epoch, _) in at.items()})
    read = {step: found for step, path in chosen if (found := pictures.read(directory, path)) is not None}
    kept = min(rows, max(1, rows * share // max(1, sum(map(len, read.values())))))
    stages = []
    for step, whole in read.items():
        picture = pictures.embed(whole if kept == rows else cropped(whole, rows, kept))
        if picture is not None:
            when = ""
            if step in at:
                when = f"epoch {text.number(at[step][0], 3)}, {text.number(at[step][1])} kimg"
            stages.append({"step": step, "when": when, "picture": picture})
    if not stages:
        return {}
    rows_shown = [kept, rows] if kept < rows else []
    return {"stages": stages, "grids": len(grids), "rows": rows_shown, "archive": archive(directory)}


def _settings(directory: TrialDir) -> tuple[list[int], int]:
    """The epochs that the trial's job names, unless they are too many for a page; a grid's rows, or 1."""
    try:
        samples = directory.read_trial().get("samples")
    except StorageError:
        samples = None
    samples = samples if isinstance(samples, dict) else {}
    named, rows = samples.get("at_epochs"), samples.get("rows")
    named = named if isinstance(named, list) and len(named) <= MAX_CHOSEN else []
    rows = rows if type(rows) is int and 1 <= rows <= MAX_ROWS else 1
    return [epoch for epoch in named if type(epoch) is int], rows
