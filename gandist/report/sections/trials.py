"""How each trial ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gandist.report import text

if TYPE_CHECKING:
    from gandist.report.render import Content
    from gandist.report.trial import Trial

TITLE = "Trials"
ORDER = 60

MAX_ROWS = 1000
MAX_NOTES = 20
"""Of one trial: all of them are in ``trials.parquet``."""


def build(content: Content) -> dict[str, Any] | None:
    """One row a trial, those that need a look first: in a big job the rest may be cut."""
    members = content.merged.members
    if not members:
        return None
    ordered = members
    if len(members) > MAX_ROWS:
        ordered = tuple(sorted(members, key=lambda trial: trial.meaning.usual))
    return {"rows": [_row(trial) for trial in ordered[:MAX_ROWS]], "more": max(0, len(members) - MAX_ROWS)}


def _row(trial: Trial) -> dict[str, Any]:
    state = trial.state
    done = state.step / state.total_steps if state.total_steps > 0 else 0.0
    return {
        "trial": trial.id,
        "status": trial.status,
        "reason": text.plain(state.reason, 400),
        "notes": [text.plain(note, 400) for note in state.notes[:MAX_NOTES]],
        "step": state.step,
        "total": state.total_steps,
        "percent": round(100 * min(max(done, 0.0), 1.0)),
        "kimg": state.kimg,
        "images_per_s": state.images_per_s,
        "train_s": state.train_s,
        "compile_s": state.compile_s,
        "attempts": state.attempts,
        "device": text.device(state.device, state.replicas),
        "host": text.plain(state.host, 60),
    }
