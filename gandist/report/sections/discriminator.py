"""What the discriminator says of real and of generated images, in the course of training and at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from gandist.report.drawing import draw_histogram, figures
from gandist.report.histograms import Histogram, histogram, is_probability
from gandist.report.plots import Plot, loss, prepare

if TYPE_CHECKING:
    from gandist.report.render import Content

TITLE = "Discriminator outputs"
ORDER = 40

MAX_HISTOGRAMS = 24


def build(content: Content) -> dict[str, Any] | None:
    """The curves of the means, and the histograms."""
    rows, histograms = plots(content), outputs(content)
    if not rows and not histograms:
        return None
    return {
        **(figures(content.merged, rows, "discriminator") or {"rows": []}),
        "probability": _probability(content),
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


def plots(content: Content) -> list[list[Plot]]:
    """Mean outputs against kimg; of probabilities, with the 0.5 of a discriminator that cannot tell."""
    probability = _probability(content)
    what = "Mean D(x) on real images", "Mean D(G(z)) on generated images"
    if not probability:
        what = "Mean score of real images", "Mean score of generated images"
    return prepare(
        content.merged,
        dict(zip(what, (loss("d_real"), loss("d_fake")), strict=True)),
        reference=0.5 if probability else None,
        limits=(-0.02, 1.02) if probability else None,
        one_axis=[what],  # what says something is how far apart they are
    )


def outputs(content: Content) -> list[tuple[str, Histogram]]:
    """The histogram of each configuration that has left outputs."""
    found = {config: histogram(trials) for config, trials in content.merged.configs.items()}
    return [(config, it) for config, it in found.items() if it is not None]


def _probability(content: Content) -> bool:
    members = content.merged.members
    ranges = [trial.losses.ranges.get(name, ()) for trial in members for name in ("d_real", "d_fake")]
    return all(is_probability(np.asarray(ends, np.float64)) for ends in ranges)
