"""Metrics of generated images, one file each; a file's name is what a job file calls it.

Each file has ``measure(sets)``, which returns one ``Value`` or several (precision and recall are one
metric), ``HEADLINE``, the name of the value by which configurations and checkpoints are chosen,
``HAS_FLOOR``: whether its values of real training images in place of generated ones stand beside it, and
``NEEDS``, what it gives no values without. No metric downloads anything, trains anything, or draws a random
number that is not the same each time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gandist.errors import UsageError
from gandist.metrics._base import Images, Judge, Metric, Need, Sets, Value
from gandist.spec.variants import Kind, names

METRICS: Kind[Any] = Kind(__name__, Metric, of_module=lambda module: module, of_class=lambda found: found())


def measure(name: str, sets: Sets) -> list[Value]:
    """The values of the metric ``name``; none where the sets allow none, as without labels or a judge.

    Raises:
        UsageError: that of a plug-in gives no value of its own name.
    """
    values: list[Value] = METRICS[name].measure(sets)
    given = [value.name for value in values]
    if given and headline(name) not in given:
        raise UsageError(f"metric {name}: gives {', '.join(given)}, and no value that is called {name}")
    return values


def headline(name: str) -> str:
    """The name of the value that decides where something is chosen by the metric ``name``.

    That of a plug-in's metric is the metric's own, and so is known where no plug-in is in use.
    """
    return str(METRICS[name].HEADLINE) if name in METRICS.own else name


def needs(name: str) -> frozenset[Need]:
    """What the metric ``name`` gives no values without."""
    found: frozenset[Need] = METRICS[name].NEEDS
    return found


def has_floor(name: str) -> bool:
    """Whether real training images in place of generated ones say what a perfect generator would have."""
    return bool(METRICS[name].HAS_FLOOR)


if TYPE_CHECKING:
    MetricName = str
else:
    MetricName = names(METRICS)

__all__ = [
    "Images",
    "Judge",
    "Metric",
    "MetricName",
    "Need",
    "Sets",
    "Value",
    "has_floor",
    "headline",
    "measure",
    "needs",
]
