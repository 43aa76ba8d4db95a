"""What the discriminator says of real and of generated images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gandist.report.drawing import figures
from gandist.report.plots import prepare

if TYPE_CHECKING:
    from gandist.report.render import Content

TITLE = "Discriminator outputs"
ORDER = 40


def build(content: Content) -> dict[str, Any] | None:
    """Mean probabilities against kimg, with the 0.5 of a discriminator that cannot tell."""
    columns = {"d_real": "Mean D(x) on real images", "d_fake": "Mean D(G(z)) on generated images"}
    rows = prepare(content.merged, columns, reference=0.5, limits=(-0.02, 1.02))
    return figures(content.merged, rows, "discriminator")
