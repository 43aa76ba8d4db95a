"""The last sample grid of each trial, configurations x seeds, with the GIF of how it came to be."""

from __future__ import annotations

import base64
import struct
from typing import TYPE_CHECKING, Any

from gandist.artifacts.job_dir import TrialDir
from gandist.errors import StorageError

if TYPE_CHECKING:
    from gandist.report.merge import Trial
    from gandist.report.render import Content

TITLE = "Samples"
ORDER = 50

MAX_TRIALS = 64
MAX_BYTES = 2 * 2**20
"""Of one image: larger ones stay in the trial's directory."""
MAX_TOTAL = 32 * 2**20
"""Of all images: a page that no browser opens shows nothing."""
SIDE = 230
"""About the width, in CSS pixels, that a grid is scaled to, by a whole factor."""

_PNG, _GIF = b"\x89PNG\r\n\x1a\n", (b"GIF87a", b"GIF89a")


def build(content: Content) -> dict[str, Any] | None:
    """A matrix of cells, one row a configuration and one column a seed; cut to ``MAX_TRIALS`` cells."""
    configs = content.merged.configs
    seeds = list(dict.fromkeys(trial.seed for trial in content.merged.members))
    shown_configs = list(configs)[:MAX_TRIALS]
    shown_seeds = seeds[: max(1, MAX_TRIALS // max(1, len(shown_configs)))]
    images = _Images(content)
    rows: list[dict[str, Any]] = []
    cells: list[dict[str, Any]] = []
    for config in shown_configs:
        by_seed = {trial.seed: trial for trial in configs[config]}
        row = [images.cell(by_seed[seed]) if seed in by_seed else None for seed in shown_seeds]
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
        "too_large": images.too_large,
    }


class _Images:
    """Reads images as ``data:`` URIs until the page has enough of them."""

    def __init__(self, content: Content) -> None:
        self._content = content
        self._left = MAX_TOTAL
        self.too_large = 0

    def cell(self, trial: Trial) -> dict[str, Any]:
        """What stands for one trial: its last grid and its GIF, either of which may be missing."""
        directory = self._content.job_dir.trial(trial.id)
        grids = directory.samples()
        step, path = grids[-1] if grids else (0, "")
        still = self._read(directory, path) if path else b""
        motion = self._read(directory, TrialDir.GIF)
        size = _png_size(still)
        moves = motion[:6] in _GIF
        if size is None and moves:
            size = struct.unpack("<HH", motion[6:10]) if len(motion) >= 10 else None
        width, height = size or (1, 1)
        factor = max(1, round(SIDE / max(width, 1)))
        return {
            "trial": trial.id,
            "status": trial.status,
            "step": step,
            "width": width * factor,
            "height": height * factor,
            "still": _data_uri("png", still) if _png_size(still) else "",
            "motion": _data_uri("gif", motion) if moves else "",
        }

    def _read(self, directory: TrialDir, path: str) -> bytes:
        try:
            content = directory.storage.read(path)
        except (FileNotFoundError, StorageError):
            return b""
        if len(content) > min(MAX_BYTES, self._left):
            self.too_large += 1
            return b""
        self._left -= len(content)
        return content


def _png_size(content: bytes) -> tuple[int, int] | None:
    if not content.startswith(_PNG) or len(content) < 24:
        return None
    width, height = struct.unpack(">II", content[16:24])
    return (width, height) if 0 < width < 10_000 and 0 < height < 10_000 else None


def _data_uri(kind: str, content: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
