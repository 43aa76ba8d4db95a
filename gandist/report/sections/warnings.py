"""What a reader must know before believing the rest."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from gandist.report import text

if TYPE_CHECKING:
    from gandist.report.render import Content

TITLE = "Read with care"
ORDER = 7

MAX_WARNINGS = 40


def build(content: Content) -> dict[str, Any] | None:
    """What trials noted of themselves, what is not in the data, and what could not be read."""
    states = [member.state for member in content.merged.members]
    notes = Counter(text.plain(note) for state in states for note in set(state.notes))
    warnings = [f"{note} ({text.plural(count, 'trial')})" for note, count in notes.most_common()]
    lines = (line for found in content.datasets.values() for line in found.left_out)
    warnings += dict.fromkeys(text.plain(line, 1000) for line in lines)
    warnings += content.merged.warnings
    if not warnings:
        return None
    return {"warnings": warnings[:MAX_WARNINGS], "more_warnings": max(0, len(warnings) - MAX_WARNINGS)}
