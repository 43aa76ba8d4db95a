"""What Ray says of an actor that is gone, as events and in a line."""

from __future__ import annotations

import re

from gandist.printable import one_line
from gandist.runner.events import Lost


def lost(trial: str, error: BaseException) -> Lost:
    """What the end of an actor means for its trial."""
    gone = getattr(error, "preempted", False) or "node was terminated expectedly" in str(error)
    return Lost(trial, reason(error), detail=str(error), preempted=gone)


def reason(error: BaseException) -> str:
    """Why an actor is gone, as far as Ray knows: it takes the cause apart into the many lines of its errors.

    What Ray 2.60 keeps apart from the text is that a node was preempted, or that an actor could not be made.
    """
    if isinstance(error, StopIteration):
        return "the trial ended without a result"
    from ray.exceptions import OutOfMemoryError

    text = str(error)
    if isinstance(error, OutOfMemoryError):
        used = re.search(r" was (.+? limit)", text)
        return "killed: out of memory on its node" + (f" ({used[1]})" if used else "")
    if getattr(error, "actor_init_failed", False):
        return one_line(f"its process could not start: {text.rstrip().splitlines()[-1]}")
    if node := re.search(r"node was (?:terminated \w+|preempted): (.+)", text):
        return one_line(f"its node has died: {node[1]}")
    because = re.search(r"The actor is dead because (.+?)(?:\. |\.?$)", text, re.MULTILINE)
    if because and "Worker exit type: SYSTEM_ERROR" in text:
        return f"{because[1]}: killed from outside, out of memory, or crashed"
    return one_line(because[1] if because else f"{type(error).__name__}: {text}")
