"""The last sample grid of each trial beside real images, with the GIF of how it came to be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gandist.artifacts.job_dir import TrialDir
from gandist.report.pictures import Picture, Pictures, archive

if TYPE_CHECKING:
    from gandist.report.render import Content
    from gandist.report.trial import Trial

TITLE = "Samples"
ORDER = 15

MAX_TRIALS = 64
MAX_BYTES = 2 * 2**20
"""Of one image."""
MAX_TOTAL = 24 * 2**20
"""Of all images here."""
SIDE = 230
"""About the width, in CSS pixels, that a grid is scaled to, by a whole factor."""


def build(content: Content) -> dict[str, Any] | None:
    """A row a configuration: real images, and a cell for each seed; cut to ``MAX_TRIALS`` cells."""
    configs = content.merged.configs
    shown_configs = list(configs)[:MAX_TRIALS]
    seeds = max(1, MAX_TRIALS // max(1, len(shown_configs)))
    pictures = Pictures(MAX_BYTES, MAX_TOTAL)
    rows: list[dict[str, Any]] = []
    cells: list[dict[str, Any]] = []
    for config in shown_configs:
        row = [_cell(content, pictures, trial) for trial in configs[config][:seeds]]
        rows.append({"config": config, "real": _real(content, pictures, configs[config]), "cells": row})
        cells += row
    if not any(cell["still"] or cell["motion"] for cell in cells):
        return None
    return {
        "rows": rows,
        "real": any(row["real"] for row in rows),
        "shown": len(cells),
        "trials": len(content.merged.members),
        "motion": any(cell["motion"] for cell in cells),
        "left_out": pictures.left_out,
    }


def _real(content: Content, pictures: Pictures, trials: Sequence[Trial]) -> dict[str, Any] | None:
    """The grid of real images that the first of ``trials`` with one has left."""
    for trial in trials:
        directory = content.directory(trial)
        if picture := pictures.embed(pictures.read(directory, TrialDir.REAL)):
            return {"uri": picture.uri, **_size(picture)}
    return None


def _size(picture: Picture | None) -> dict[str, int]:
    factor = max(1, round(SIDE / picture.width)) if picture else 0
    return {
        "width": picture.width * factor if picture else 0,
        "height": picture.height * factor if picture else 0,
        "factor": factor,
    }


def _cell(content: Content, pictures: Pictures, trial: Trial) -> dict[str, Any]:
    """What stands for one trial: its last grid and its GIF, either of which may be missing."""
    directory = content.directory(trial)
    grids = pictures.grids(directory)
    step, path = grids[-1] if grids else (0, "")
    still = pictures.embed(pictures.read(directory, path)) if path else None
    motion = pictures.embed(pictures.read(directory, TrialDir.GIF))
    return {
        "trial": trial.id,
        "seed": trial.seed,
        "status": trial.status,
        "step": step,
        **_size(still or motion),
        "still": still.uri if still else "",
        "motion": motion.uri if motion else "",
        "archive": archive(directory) if content.beside else "",
    }
