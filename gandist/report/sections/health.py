"""What steps log besides losses and outputs: gradient norms, parts of losses, regularizers, ..."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gandist.report.drawing import figures
from gandist.report.plots import MAX_PLOTS, Plot, loss, prepare
from gandist.report.thinning import MAX_FIGURES, NORMS

if TYPE_CHECKING:
    from gandist.report.render import Content

TITLE = "Training health"
ORDER = 45

PAIRS = (
    dict(zip(NORMS, ("Gradient norm, discriminator", "Gradient norm, generator"), strict=True)),
    {
        "d_loss_real": "Discriminator loss on real images",
        "d_loss_fake": "Discriminator loss on generated images",
    },
    {
        "d_loss_class_real": "Auxiliary classifier, cross-entropy of real images",
        "d_loss_class_fake": "Auxiliary classifier, cross-entropy of generated images",
    },
)
"""What is compared with each other: on one axis."""

OPEN = 12
"""Figures that are seen at once; the others unfold."""
MAX_DRAWN = 60
"""Plots in all."""


def build(content: Content) -> dict[str, Any] | None:
    """A plot of each figure against kimg; those of later configurations are left out where there are many."""
    found = figures(content.merged, plots(content), "health", _most(_titles(content)))
    if found is None:
        return None
    drawn = found["rows"]
    return {
        **found,
        "rows": [{**row, "plots": row["plots"][:OPEN]} for row in drawn],
        "folded": [{**row, "plots": row["plots"][OPEN:]} for row in drawn if row["plots"][OPEN:]],
        "more": max(len(row["plots"]) for row in drawn) - OPEN,
        "not_kept": max(0, len(content.merged.logged) - MAX_FIGURES),
    }


def plots(content: Content) -> list[list[Plot]]:
    """One of each figure that any configuration of the row has."""
    titles = _titles(content)
    if not titles:
        return []
    rows = prepare(
        content.merged,
        {title: loss(name) for name, title in titles.items()},
        one_axis=[shared for pair in PAIRS if (shared := [pair[name] for name in pair if name in titles])],
        may_be_logarithmic=True,
        most=_most(titles),
        sizes=content.sizes,
    )
    return [[plot for plot in row if not plot.is_empty] for row in rows]


def _titles(content: Content) -> dict[str, str]:
    """By column, of all figures that there are curves of."""
    merged = content.merged
    there = {name for trial in merged.members for name in trial.losses.curves}
    titles = {name: title for pair in PAIRS for name, title in pair.items() if name in there}
    logged = merged.logged[:MAX_FIGURES]
    return titles | {name: name for name in sorted(logged) if name in there and name not in titles}


def _most(titles: Mapping[str, str]) -> int:
    """Rows of plots."""
    return max(1, min(MAX_PLOTS, MAX_DRAWN // max(1, len(titles))))
