"""What the discriminator says of real and of generated images, in the course of training and at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from gandist.report import downloads
from gandist.report.drawing import SERIES_COLOURS, draw_histogram, figures
from gandist.report.histograms import Histogram, histogram, is_probability
from gandist.report.plots import MAX_PLOTS, Plot, loss, prepare
from gandist.report.scales import by_scale

if TYPE_CHECKING:
    from gandist.report.merge import Merged
    from gandist.report.render import Content

TITLE = "Discriminator outputs"
ORDER = 40

MAX_HISTOGRAMS = 24
COLUMNS = ("d_real", "d_fake")
PROBABILITIES = ("Mean D(x) on real images", "Mean D(G(z)) on generated images")
SCORES = ("Mean score of real images", "Mean score of generated images")


def build(content: Content) -> dict[str, Any] | None:
    """The curves of the means, and the histograms."""
    rows, histograms = plots(content), outputs(content)
    if not rows and not histograms:
        return None
    shown = {plot.title for row in rows for plot in row}
    return {
        **(figures(content.merged, rows, "discriminator") or {"rows": []}),
        "probability": PROBABILITIES[0] in shown,
        "score": SCORES[0] in shown,
        "histograms": [
            _drawn(content.merged.manifest.job, config, it, f"outputs-{place}")
            for place, (config, it) in enumerate(histograms[:MAX_HISTOGRAMS])
        ],
        "more_histograms": max(0, len(histograms) - MAX_HISTOGRAMS),
        "held_out": any("held_out" in it.means for _, it in histograms),
        "scores": any(not it.probability for _, it in histograms),
        "outside": sum(it.outside for _, it in histograms),
    }


def _drawn(job: str, config: str, found: Histogram, salt: str) -> dict[str, Any]:
    svg = draw_histogram(found, salt)
    real, generated = SERIES_COLOURS[:2]
    names = {
        "real": (real, "real images", False),
        "held_out": (real, "real images that it has never seen", True),
        "generated": (generated, "generated images", False),
    }
    legend = [entry for kind, entry in names.items() if kind in found.shares]
    title = f"discriminator outputs, {config}"
    return {
        "config": config,
        "svg": Markup(svg),  # noqa: S704
        "file": downloads.link(svg, job, title, "share of images", legend),
        "images": found.images,
        "means": found.means,
        "seeds": found.seeds,
    }


def plots(content: Content) -> list[list[Plot]]:
    """Mean outputs against kimg: probabilities, beside the 0.5 of who cannot tell, and scores."""
    merged = content.merged
    probable = _probable(merged)
    groups = [probable] if probable else []
    groups += by_scale(merged, COLUMNS, [config for config in merged.configs if config not in probable])
    rows = []
    for group in groups:
        titles = PROBABILITIES if group is probable else SCORES
        rows += prepare(
            merged,
            dict(zip(titles, map(loss, COLUMNS), strict=True)),
            reference=0.5 if group is probable else None,
            limits=(-0.02, 1.02) if group is probable else None,
            one_axis=[titles],  # what says something is how far apart they are
            only=group,
            sizes=content.sizes,
        )
    return rows[:MAX_PLOTS]


def outputs(content: Content) -> list[tuple[str, Histogram]]:
    """The histogram of each configuration that has left outputs."""
    found = {config: histogram(trials) for config, trials in content.merged.configs.items()}
    return [(config, it) for config, it in found.items() if it is not None]


def _probable(merged: Merged) -> list[str]:
    """The configurations whose discriminator gives probabilities, as far as can be seen."""
    ranges = {
        config: [trial.losses.ranges.get(name, ()) for trial in trials for name in COLUMNS]
        for config, trials in merged.configs.items()
    }
    return [
        config
        for config, found in ranges.items()
        if all(is_probability(np.asarray(ends, np.float64)) for ends in found)
    ]
