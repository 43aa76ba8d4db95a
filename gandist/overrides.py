"""Merging plain values: ``--set`` and the named overrides and grids from which a job's configurations are made."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Mapping
from typing import Any

BASE = "base"


def set_path(values: dict[str, Any], path: str, value: Any) -> None:
    """Set ``values`` at a dotted ``path``, merging mappings into mappings.

    Naming another variant of a section (``loss.name``) starts that section afresh: the old one's options are not its.

    Raises:
        ValueError: the path goes through something that is not a section.
    """
    *sections, field = path.split(".")
    if not all((*sections, field)):
        raise ValueError(f"{path!r} is not a dotted path such as optimizer.learning_rate")
    target = values
    for section in sections:
        inner = target.get(section)
        if inner is None:
            inner = target[section] = {}
        if not isinstance(inner, dict):
            raise ValueError(f"{path}: {section} is a value, not a section")
        target = inner
    if isinstance(value, Mapping):
        inner = target.get(field)
        if not isinstance(inner, dict) or _renames(inner, value):
            target[field] = inner = {}
        for key in sorted(value, key=lambda key: key != "name"):
            set_path(inner, str(key), value[key])
    else:
        if field == "name" and sections and _renames(target, {"name": value}):
            target.clear()
        target[field] = copy.deepcopy(value)


def configurations(
    base: dict[str, Any], configs: Mapping[str, Mapping[str, Any]], sweep: Mapping[str, list[Any]]
) -> dict[str, dict[str, Any]]:
    """Every configuration's name and sections: named ``configs`` x the grid of ``sweep``.

    Raises:
        ValueError: an override's path is wrong, or two configurations would have the same name.
    """
    made: dict[str, dict[str, Any]] = {}
    labels = _labels(list(sweep))
    for (config, overrides), *point in itertools.product(
        configs.items() or [("", {})], *([(path, value) for value in sweep[path]] for path in sweep)
    ):
        sections = copy.deepcopy(base)
        # Names first: renaming a section clears it, and must not clear what the same configuration sets in it.
        changes = sorted([*overrides.items(), *point], key=lambda change: not change[0].endswith("name"))
        for path, value in changes:
            if path.split(".")[0] not in base:
                raise ValueError(f"{path} is not a section that a configuration may change ({', '.join(base)})")
            if path.split(".")[0] == "resources":
                raise ValueError("resources are the job's, the same for all its configurations")
            set_path(sections, path, value)
        parts = [config] if config else []
        parts += [f"{labels[path]}={_text(value)}" for path, value in point]
        name = ",".join(parts) or BASE
        if name in made:
            raise ValueError(f"two configurations are named {name}")
        made[name] = sections
    return made


def _renames(section: Mapping[str, Any], change: Mapping[str, Any]) -> bool:
    return "name" in change and section.get("name") != change["name"]


def _labels(paths: list[str]) -> dict[str, str]:
    """The last part of each path, or the whole path where two end alike."""
    last = [path.rsplit(".", 1)[-1] for path in paths]
    return {path: path if last.count(name) > 1 else name for path, name in zip(paths, last, strict=True)}


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return str(value.get("name", "+".join(f"{key}{_text(inner)}" for key, inner in value.items())))
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)
