"""With how many threads this process' TensorFlow computes: set once for its life. Loads no TensorFlow."""

from __future__ import annotations

import sys
from typing import NamedTuple

from gandist.spec.sections import Resources


class Threads(NamedTuple):
    """What a process computes with; set once for its life.

    Runs are bit-identical where an operation has several threads, or several operations run at once, but not
    where both do: then sums are accumulated in the order in which threads happen to finish.

    Attributes:
        within: threads of an operation.
        at_once: operations that run at the same time.
        deterministic: whether a run has the same bits each time; without, TensorFlow chooses ``at_once``.
    """

    within: int
    at_once: int = 1
    deterministic: bool = True

    def __str__(self) -> str:
        return (
            f"threads in an operation: {self.within}, operations at once: {self.at_once}, "
            f"deterministic: {self.deterministic}"
        )


set_to: list[Threads] = []
"""What gandist has set in this process: one, or none yet."""


def of(resources: Resources) -> Threads:
    """What a trial with ``resources`` is to compute with."""
    within, at_once = (resources.cpus, 1) if resources.parallelism == "intra_op" else (1, resources.cpus)
    return Threads(within, at_once, resources.deterministic)


def in_use() -> bool:
    """Whether TensorFlow has computed something in this process, so that nothing can be set any more."""
    if "tensorflow" not in sys.modules:
        return False
    from tensorflow.python.eager import context  # there is no public way to ask

    return bool(context.context()._initialized)


def why_inexact(wanted: Threads) -> str:
    """Why a training here may end with other bits than in a process of its own, in one line; or nothing."""
    if set_to == [wanted] or not (set_to or in_use()):
        return ""
    found = f"computes with {set_to[0]}, not with {wanted}" if set_to else "has used TensorFlow before"
    return (
        f"this process {found}, which is set once for its life: the same trial may end with other bits "
        "another time; in a new process it does not"
    )
