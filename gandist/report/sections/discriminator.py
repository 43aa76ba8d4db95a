"""What the discriminator says of real and of generated images, in the course of training and at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from gandist.report.drawing import draw_histogram, figures
from gandist.report.histograms import histogram, is_probability
from gandist.report.plots import loss, prepare

if TYPE_CHECKING:
    from gandist.report.render import Content

TITLE = "Discriminator outputs"
ORDER = 40

MAX_HISTOGRAMS = 24


def build(content: Content) -> dict[str, Any] | None:
    """Mean outputs against kimg; of probabilities, with the 0.5 of a discriminator that cannot tell."""
    merged = content.merged
    ranges = [trial.losses.ranges.get(name, ()) for trial in merged.members for name in ("d_real", "d_fake")]
    probability = all(is_probability(np.asarray(ends, np.float64)) for ends in ranges)
    what = "Mean D(x) on real images", "Mean D(G(z)) on generated images"
    if not probability:
        what = "Mean score of real images", "Mean score of generated images"
    rows = prepare(
        merged,
        dict(zip(what, (loss("d_real"), loss("d_fake")), strict=True)),
        reference=0.5 if probability else None,
        limits=(-0.02, 1.02) if probability else None,
        one_axis=[what],  # what says something is how far apart they are
    )
    found = {config: histogram(trials) for config, trials in merged.configs.items()}
    histograms = [(config, it) for config, it in found.items() if it is not None]
    if not rows and not histograms:
        return None
    return {
        **(figures(merged, rows, "discriminator") or {"rows": []}),
        "probability": probability,
        "histograms": [
            {
                "config": config,
                "svg": Markup(draw_histogram(it, f"outputs-{place}")),  # noqa: S704
                "images": it.images,
                "means": it.means,
                "seeds": it.seeds,
            }
            for place, (config, it) in enumerate(histograms[:MAX_HISTOGRAMS])
        ],
        "more_histograms": max(0, len(histograms) - MAX_HISTOGRAMS),
        "held_out": any("held_out" in it.means for _, it in histograms),
        "scores": any(not it.probability for _, it in histograms),
        "outside": sum(it.outside for _, it in histograms),
    }
