"""The loss curves over seeds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gandist.report.drawing import figures
from gandist.report.plots import Plot, loss, prepare

if TYPE_CHECKING:
    from gandist.report.render import Content

TITLE = "Losses"
ORDER = 30


def build(content: Content) -> dict[str, Any] | None:
    """The curves and their legend."""
    return figures(content.merged, plots(content), "losses")


def plots(content: Content) -> list[list[Plot]]:
    """Discriminator and generator loss against kimg."""
    measures = {"Discriminator loss": loss("d_loss"), "Generator loss": loss("g_loss")}
    return prepare(content.merged, measures)
