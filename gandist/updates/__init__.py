"""Update rules, one file each: in which order, and on what, the two networks are updated in a step."""

from __future__ import annotations

from gandist.spec.variants import Kind
from gandist.updates._base import Batch, Judged, Metrics, Terms, Update

RULES: Kind[Update] = Kind(
    __name__, Update, of_module=lambda module: module.Rule(), of_class=lambda found: found()
)
"""By the names that a job file gives them."""

__all__ = ["RULES", "Batch", "Judged", "Metrics", "Terms", "Update"]
