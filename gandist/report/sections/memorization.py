"""The generated images that are closest to training images, beside these."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gandist.artifacts.job_dir import TrialDir
from gandist.report.pictures import Pictures

if TYPE_CHECKING:
    from gandist.report.render import Content

TITLE = "Closest training images"
ORDER = 18

MAX_CONFIGS = 24
MAX_BYTES = 2**20
"""Of one image."""
MAX_TOTAL = 6 * 2**20


def build(content: Content) -> dict[str, Any] | None:
    """A picture for each configuration, of the first of its seeds that has one."""
    pictures = Pictures(MAX_BYTES, MAX_TOTAL)
    configs = content.merged.configs
    shown = []
    for config, trials in list(configs.items())[:MAX_CONFIGS]:
        for trial in trials:
            directory = content.directory(trial)
            if picture := pictures.embed(pictures.read(directory, TrialDir.PAIRS)):
                shown.append({"config": config, "seed": trial.seed, "picture": picture})
                break
    if not shown:
        return None
    return {"shown": shown, "more": max(0, len(configs) - MAX_CONFIGS), "left_out": pictures.left_out}
