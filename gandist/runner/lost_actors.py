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
    """Why an actor is gone, as far as Ray knows: the cause is somewhere in the many lines of its errors."""
    if isinstance(error, StopIteration):
        return "the trial ended without a result"
    from ray.exceptions import OutOfMemoryError

    text = str(error)
    if isinstance(error, OutOfMemoryError):
        used = re.search(r" was (.+? limit)", text)
        return "killed: out of memory on its node" + (f" ({used[1]})" if used else "")
    if node := re.search(r"node was terminated \w+: (.+)", text):
        return one_line(f"its node has died: {node[1]}")
    because = re.search(r"The actor is dead because (.+?)(?:\. |\.?$)", text, re.MULTILINE)
    if because and "Worker exit type: SYSTEM_ERROR" in text:
        return f"{because[1]}: killed from outside, out of memory, or crashed"
    return one_line(because[1] if because else f"{type(error).__name__}: {text}")
