"""Keys of a job file that have other names by now.

What a trial was trained with is read under its old name as well; a job file is told the new one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PENALTY = "penalty"
CONSTRAINTS = ("weight_clipping",)
"""Of the former penalties."""


def migrated(sections: Mapping[str, Any]) -> dict[str, Any]:
    """``sections`` of a trial, with today's names."""
    if PENALTY not in sections:
        return dict(sections)
    kept = {name: section for name, section in sections.items() if name != PENALTY}
    return {"regularizers": {}, "constraints": {}, **_of_penalty(sections[PENALTY]), **kept}


def advice(penalty: Any) -> str:
    """How ``penalty`` is written today."""
    sections = _of_penalty(penalty)
    section, options = next(iter(sections.items()), ("regularizers", {"r1": {"gamma": 10.0}}))
    (name, values), *_ = options.items()
    shown = ", ".join(f"{key}: {value}" for key, value in values.items())
    return f"penalty is no section any more; write {section}: {{{name}: {{{shown}}}}}"


def _of_penalty(penalty: Any) -> dict[str, dict[str, Any]]:
    if not isinstance(penalty, Mapping) or not isinstance(penalty.get("name"), str):
        return {}
    options = {key: value for key, value in penalty.items() if key != "name"}
    name = penalty["name"]
    return {"constraints" if name in CONSTRAINTS else "regularizers": {name: options}}
