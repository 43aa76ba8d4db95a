"""Metrics of generated images, one file each; a file's name is what a job file calls it.

Each file has ``measure(sets)``, which returns one ``Value`` or several (precision and recall are one
metric), ``HEADLINE``, the name of the value by which configurations and checkpoints are chosen,
``HAS_FLOOR``: whether its values of real training images in place of generated ones stand beside it, and
``NEEDS``, what it gives no values without. No metric downloads anything, trains anything, or draws a random
number that is not the same each time.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Literal

from gandist.metrics._base import Images, Judge, Need, Sets, Value
from gandist.spec.base import modules


def measure(name: str, sets: Sets) -> list[Value]:
    """The values of the metric ``name``; none where the sets allow none, as without labels or a judge."""
    values: list[Value] = _module(name).measure(sets)
    return values


def headline(name: str) -> str:
    """The name of the value that decides where something is chosen by the metric ``name``."""
    return str(_module(name).HEADLINE)


def needs(name: str) -> frozenset[Need]:
    """What the metric ``name`` gives no values without."""
    found: frozenset[Need] = _module(name).NEEDS
    return found


def has_floor(name: str) -> bool:
    """Whether real training images in place of generated ones say what a perfect generator would have."""
    return bool(_module(name).HAS_FLOOR)


def _module(name: str) -> Any:
    return importlib.import_module(f"{__name__}.{name}")


if TYPE_CHECKING:
    Metric = str
else:
    Metric = Literal[tuple(module.__name__.rpartition(".")[2] for module in modules(__name__))]

__all__ = ["Images", "Judge", "Metric", "Need", "Sets", "Value", "has_floor", "headline", "measure", "needs"]
