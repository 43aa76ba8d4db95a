"""Regularizers, one file each: terms that are added to a network's loss, by their names in a job file.

``regularizers: {r1: {gamma: 0.1}, r2: {gamma: 0.1, every: 16}}``. Each is a value per sample; the train step
reduces it as it does the losses, and adds it on each ``every``-th update of its network.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gandist.regularizers._base import DiscriminatorPass, Figures, GeneratorPass, Regularizer
from gandist.spec.base import Section
from gandist.spec.variants import Kind, by_name

if TYPE_CHECKING:

    class Regularizers(Section):
        """A key for each regularizer."""

        def __getattr__(self, name: str) -> Any: ...

    NONE = Regularizers()
else:
    Regularizers, NONE = by_name(Kind(__name__, Regularizer), "Terms that are added to the networks' losses.")

__all__ = ["NONE", "GeneratorPass", "Figures", "DiscriminatorPass", "Regularizer", "Regularizers"]
