"""The loss curves over seeds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gandist.report.drawing import figures
from gandist.report.plots import MAX_PLOTS, Plot, loss, prepare
from gandist.report.scales import by_scale

if TYPE_CHECKING:
    from gandist.report.render import Content

TITLE = "Losses"
ORDER = 30


def build(content: Content) -> dict[str, Any] | None:
    """The curves and their legends."""
    rows = plots(content)
    found = figures(content.merged, rows, "losses")
    return found and {**found, "apart": len({plot.limits for row in rows for plot in row[:1]}) > 1}


def plots(content: Content) -> list[list[Plot]]:
    """Discriminator and generator loss against kimg."""
    measures = {"Discriminator loss": loss("d_loss"), "Generator loss": loss("g_loss")}
    merged = content.merged
    groups = by_scale(merged, ("d_loss", "g_loss"), merged.configs)
    of_groups = (prepare(merged, measures, only=group, sizes=content.sizes) for group in groups)
    return [row for rows in of_groups for row in rows][:MAX_PLOTS]
