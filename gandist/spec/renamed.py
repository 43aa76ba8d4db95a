"""What has another name in a job file by now.

What a trial was trained with is read under its old name as well; a job file is told the new one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

PENALTY = "penalty"
REGULARIZERS = ("r1", "gradient_penalty")
CONSTRAINTS = ("weight_clipping",)
"""The former penalties are one or the other."""
OWN_OPTION = {"weight": "gradient_penalty", "limit": "weight_clipping"}
"""An option that only one of them had."""
GONE = "is no section any more"

PIXELS = "fd_pixels"
"""The former name of the metric ``frechet`` with ``features: pixels``."""


def migrated(sections: Mapping[str, Any]) -> dict[str, Any]:
    """``sections`` of a trial, with today's names."""
    if isinstance(evaluation := sections.get("evaluation"), Mapping):
        sections = {**sections, "evaluation": _of_today(evaluation)}
    if PENALTY not in sections:
        return dict(sections)
    kept = {name: section for name, section in sections.items() if name != PENALTY}
    return {"regularizers": {}, "constraints": {}, **_of_penalty(sections[PENALTY]), **kept}


def todays_metric(name: str) -> tuple[str, str]:
    """What a metric of an earlier version is called today, and the features that it saw."""
    return ("frechet", "pixels") if name in (PIXELS, "frechet") else (name, "")


def refuse_metric(name: Any) -> Any:
    """Refuse the former name of a metric.

    Raises:
        ValueError: says today's.
    """
    if name == PIXELS:
        raise ValueError(f"{PIXELS} is the metric frechet with evaluation.features: pixels now; write these")
    return name


def advice(penalty: Any) -> str:
    """How ``penalty`` is written today."""
    if penalty is None:
        return f"{GONE}; leave it out"
    given = dict(penalty) if isinstance(penalty, Mapping) else {"name": penalty}
    if given.get("name") not in (*REGULARIZERS, *CONSTRAINTS):
        own = [OWN_OPTION[key] for key in given if key in OWN_OPTION]
        given["name"] = own[0] if own else "r1"
    ((section, variants),) = _of_penalty(given).items()
    ((name, options),) = variants.items()
    shown = ", ".join(f"{key}: {json.dumps(value, default=str)}" for key, value in options.items())
    return f"{GONE}; write {section}: {{{name}: {{{shown}}}}}"


def refuse_penalty(configs: Mapping[str, Mapping[str, Any]], sweep: Mapping[str, list[Any]]) -> None:
    """Refuse overrides of a penalty.

    Args:
        configs: dotted path to value, for each named configuration.
        sweep: dotted path to its values.

    Raises:
        ValueError: says where it stands and how it is written today.
    """
    for config, overrides in configs.items():
        found = {path: value for path, value in overrides.items() if _is_penalty(path)}
        if found:
            raise ValueError(f"configs.{config}.{PENALTY}: {advice(_nested(found))}")
    for path, values in sweep.items():
        if _is_penalty(path):
            value = next((value for value in values if value is not None), None)
            raise ValueError(f"sweep.{path}: {advice(_nested({path: value}))}")


def _of_today(evaluation: Mapping[str, Any]) -> dict[str, Any]:
    names = evaluation.get("metrics")
    if not isinstance(names, list | tuple) or PIXELS not in names:
        return dict(evaluation)
    metrics = ["frechet" if name == PIXELS else name for name in names]
    return {**evaluation, "metrics": metrics, "features": {"name": "pixels"}}


def _is_penalty(path: str) -> bool:
    return path.partition(".")[0] == PENALTY


def _nested(found: Mapping[str, Any]) -> Any:
    """The section that these paths make."""
    options = {path.removeprefix(f"{PENALTY}."): value for path, value in found.items() if path != PENALTY}
    return options or found[PENALTY]


def _of_penalty(penalty: Any) -> dict[str, dict[str, Any]]:
    if not isinstance(penalty, Mapping) or not isinstance(penalty.get("name"), str):
        return {}
    options = {key: value for key, value in penalty.items() if key != "name"}
    name = penalty["name"]
    return {"constraints" if name in CONSTRAINTS else "regularizers": {name: options}}
