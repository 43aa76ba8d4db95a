"""Optimizers as a job file names them, one file each: one fused TensorFlow kernel per variable.

The number of updates is a pure function of the step, so the slots are an optimizer's whole state: nothing to
lose on resume but what a checkpoint holds by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gandist.optimizers._base import OptimizerOptions, Update
from gandist.optimizers.adam import Options as Adam
from gandist.spec.variants import Kind, choice

if TYPE_CHECKING:
    Optimizer = OptimizerOptions
else:
    Optimizer = choice(Kind(__name__, OptimizerOptions))

DEFAULT = Adam()

__all__ = ["DEFAULT", "Optimizer", "OptimizerOptions", "Update"]
