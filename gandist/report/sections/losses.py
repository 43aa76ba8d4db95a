"""The loss curves over seeds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gandist.report.drawing import figures
from gandist.report.plots import prepare

if TYPE_CHECKING:
    from gandist.report.render import Content

TITLE = "Losses"
ORDER = 30


def build(content: Content) -> dict[str, Any] | None:
    """Discriminator and generator loss against kimg."""
    rows = prepare(content.merged, {"d_loss": "Discriminator loss", "g_loss": "Generator loss"})
    return figures(content.merged, rows, "losses")
