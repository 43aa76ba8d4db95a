"""Constraints on the discriminator's weights, one file each: what each weight becomes after an update."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gandist.constraints._base import Constraint
from gandist.spec.base import Section
from gandist.spec.variants import Kind, by_name

if TYPE_CHECKING:

    class Constraints(Section):
        """A key for each constraint."""

        def __getattr__(self, name: str) -> Any: ...

    NONE = Constraints()
else:
    Constraints, NONE = by_name(
        Kind(__name__, Constraint), "What the discriminator's weights must be after each update."
    )

__all__ = ["NONE", "Constraint", "Constraints"]
