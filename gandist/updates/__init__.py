"""Update rules, one file each: in which order, and on what, the two networks are updated in a step."""

from __future__ import annotations

from gandist.spec.base import modules
from gandist.updates._base import Batch, Judged, Metrics, Terms, Update

RULES: dict[str, Update] = {module.__name__.rpartition(".")[2]: module.Rule() for module in modules(__name__)}
"""By the names that a job file gives them."""

__all__ = ["RULES", "Batch", "Judged", "Metrics", "Terms", "Update"]
