"""The last sample grid of each trial, configurations x seeds, with the GIF of how it came to be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gandist.artifacts.job_dir import TrialDir
from gandist.report.pictures import Pictures, archive

if TYPE_CHECKING:
    from gandist.report.render import Content
    from gandist.report.trial import Trial

TITLE = "Samples"
ORDER = 50

MAX_TRIALS = 64
MAX_BYTES = 2 * 2**20
"""Of one image."""
MAX_TOTAL = 24 * 2**20
"""Of all images here."""
SIDE = 230
"""About the width, in CSS pixels, that a grid is scaled to, by a whole factor."""


def build(content: Content) -> dict[str, Any] | None:
    """A matrix of cells, one row a configuration and one column a seed; cut to ``MAX_TRIALS`` cells."""
    configs = content.merged.configs
    seeds = list(dict.fromkeys(trial.seed for trial in content.merged.members))
    shown_configs = list(configs)[:MAX_TRIALS]
    shown_seeds = seeds[: max(1, MAX_TRIALS // max(1, len(shown_configs)))]
    pictures = Pictures(MAX_BYTES, MAX_TOTAL)
    rows: list[dict[str, Any]] = []
    cells: list[dict[str, Any]] = []
    for config in shown_configs:
        by_seed = {trial.seed: trial for trial in configs[config]}
        row = [_cell(content, pictures, by_seed[seed]) if seed in by_seed else None for seed in shown_seeds]
        rows.append({"config": config, "cells": row})
        cells += [cell for cell in row if cell]
    if not any(cell["still"] or cell["motion"] for cell in cells):
        return None
    return {
        "rows": rows,
        "seeds": shown_seeds,
        "shown": len(cells),
        "trials": len(content.merged.members),
        "motion": any(cell["motion"] for cell in cells),
        "left_out": pictures.left_out,
    }


def _cell(content: Content, pictures: Pictures, trial: Trial) -> dict[str, Any]:
    """What stands for one trial: its last grid and its GIF, either of which may be missing."""
    directory = content.job_dir.trial(trial.id)
    grids = pictures.grids(directory)
    step, path = grids[-1] if grids else (0, "")
    still = pictures.embed(pictures.read(directory, path)) if path else None
    motion = pictures.embed(pictures.read(directory, TrialDir.GIF))
    size = still or motion
    factor = max(1, round(SIDE / size.width)) if size else 1
    return {
        "trial": trial.id,
        "status": trial.status,
        "step": step,
        "width": size.width * factor if size else 0,
        "height": size.height * factor if size else 0,
        "still": still.uri if still else "",
        "motion": motion.uri if motion else "",
        "archive": archive(directory),
    }
