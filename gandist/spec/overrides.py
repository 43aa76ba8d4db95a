"""Merging plain values: ``--set``, and the named overrides and grids that make a job's configurations."""

from __future__ import annotations

import copy
import difflib
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gandist.spec.renamed import refuse_metric, refuse_penalty

BASE = "base"
MAX_NAME = 100
_UNSAFE = re.compile(r"[^A-Za-z0-9._=,+-]+")
BUDGETS = ("epochs", "steps", "kimg")
CADENCES = ("every_epochs", "every_steps", "every_kimg", "every_minutes", "at_epochs")
SHAPES = ("linear", "cosine")
_SCHEDULE = {*SHAPES, "kimg", "steps"}


@dataclass(frozen=True)
class Change:
    """A leaf that an override sets."""

    origin: str
    """Where the override stands: ``configs.<name>``, ``sweep``, or ``--set ...``."""
    path: str
    value: Any


@dataclass(frozen=True)
class Configuration:
    """The sections of one configuration, and what made them differ from the job's own."""

    name: str
    sections: dict[str, Any]
    changes: tuple[Change, ...]
    point: dict[str, Any]
    """Its value of each path of the sweep; under ``configs`` the name of its overrides."""

    def where(self, path: str) -> str:
        """``path`` under the override that set it, or after the configuration where no single one did."""
        for change in reversed(self.changes):
            if f"{path}.".startswith(f"{change.path}."):
                return f"{change.origin}.{path}"
        origins = {change.origin for change in self.changes}
        place = f"sweep: {self.name}" if "sweep" in origins else "".join(origins)
        return f"{place}: {path}" if place else path


def leaves(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The dotted path and value of everything in ``values`` that is not itself a filled mapping."""
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def apply(values: dict[str, Any], changes: Iterable[tuple[str, Any]]) -> None:
    """Merge ``changes``, dotted paths to values, into ``values``, as if all were made at once.

    Naming another variant of a section (``loss.name``) starts that section afresh: the old one's options are
    not its. A budget, a cadence or a schedule replaces the one in another unit or of another shape; two in
    the same changes stay, for refusal. A schedule also replaces a number.

    Raises:
        ValueError: a path goes through something that is not a section.
    """
    flat = [leaf for path, value in changes for leaf in leaves({path: value})]
    for path, _ in flat:  # takes the keys' places in the order given: that of configurations and of a grid
        section, field = _place(values, path)
        if field != "name":
            section.setdefault(field, None)
    # Names first: renaming a section clears it, and must not clear what the same changes set in it.
    flat.sort(key=lambda change: not change[0].endswith(".name"))
    places = []
    for path, value in flat:
        section, field = _place(values, path)
        if field == "name" and section is not values and section.get("name", value) != value:
            section.clear()
        places.append((section, field, value))
    for section, field, value in places:
        if value is not None:
            for group in (BUDGETS, CADENCES, SHAPES):
                for other in group if field in group else ():
                    section.pop(other, None)
    for section, field, value in places:
        if value != {} or not isinstance(section.get(field), dict):
            section[field] = copy.deepcopy(value)


def configurations(
    base: dict[str, Any], configs: Mapping[str, Mapping[str, Any]], sweep: Mapping[str, list[Any]]
) -> list[Configuration]:
    """Every configuration: named ``configs`` x the grid of ``sweep``.

    Raises:
        ValueError: an override's path is wrong, or two configurations would have the same name.
    """
    refuse_penalty({name: dict(leaves(overrides)) for name, overrides in configs.items()}, sweep)
    made: dict[str, Configuration] = {}
    labels = _labels(list(sweep))
    for (config, overrides), *point in itertools.product(
        configs.items() or [("", {})], *([(path, value) for value in sweep[path]] for path in sweep)
    ):
        changes = (
            *(Change(f"configs.{config}", *leaf) for leaf in leaves(overrides)),
            *(Change("sweep", *leaf) for path, value in point for leaf in leaves({path: value})),
        )
        sections = copy.deepcopy(base)
        for change in changes:
            _refuse_foreign(change, base)
            _refuse_former_names(change)
        parts = [config] if config else []
        parts += [_UNSAFE.sub("_", f"{labels[path]}={_text(value)}") for path, value in point]
        name = ",".join(parts) or BASE
        if len(name) > MAX_NAME:
            raise ValueError(
                f"sweep: the name {name} is longer than {MAX_NAME} characters; name it under configs"
            )
        if name in made:
            raise ValueError(
                f"sweep: two configurations are named {name}; tell them apart by names under configs"
            )
        made[name] = Configuration(name, sections, changes, {"configs": config or BASE} | dict(point))
        try:
            apply(sections, ((change.path, change.value) for change in changes))
        except ValueError as error:
            path, _, text = str(error).partition(": ")
            raise ValueError(f"{made[name].where(path)}: {text}") from None
    return list(made.values())


def nearest(given: str, allowed: Iterable[str]) -> str:
    """`` (did you mean X?)``, or nothing where no allowed name is near."""
    near = difflib.get_close_matches(given, list(allowed), n=1)
    return f" (did you mean {near[0]}?)" if near else ""


def _refuse_foreign(change: Change, base: Mapping[str, Any]) -> None:
    section = change.path.split(".")[0]
    may = [name for name in base if name != "resources"]
    if section == "resources":
        raise ValueError(
            f"{change.origin}.{change.path}: resources are the job's, the same for all configurations"
        )
    if section not in may:
        raise ValueError(
            f"{change.origin}.{change.path}: unknown section; a configuration may change {', '.join(may)}"
            + nearest(section, may)
        )


def _refuse_former_names(change: Change) -> None:
    if change.path != "evaluation.metrics" or not isinstance(change.value, list | tuple):
        return
    try:
        for name in change.value:
            refuse_metric(name)
    except ValueError as error:
        raise ValueError(f"{change.origin}.{change.path}: {error}") from None


def _place(values: dict[str, Any], path: str) -> tuple[dict[str, Any], str]:
    """The section that holds ``path``'s last part, made where missing, and that part."""
    *sections, field = path.split(".")
    if not all((*sections, field)):
        raise ValueError(f"{path}: not a dotted path such as optimizer.learning_rate")
    target = values
    for section, key in itertools.pairwise((*sections, field)):
        inner = target.get(section)
        if inner is None or (key in _SCHEDULE and _is_number(inner)):
            inner = target[section] = {}
        if not isinstance(inner, dict):
            raise ValueError(f"{path}: {section} is a value, not a section")  # noqa: TRY004
        target = inner
    return target, field


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _labels(paths: list[str]) -> dict[str, str]:
    """The last part of each path, or the whole path where two end alike."""
    last = [path.rsplit(".", 1)[-1] for path in paths]
    return {path: path if last.count(name) > 1 else name for path, name in zip(paths, last, strict=True)}


def _text(value: Any) -> str:
    """A value as part of a directory's name."""
    if isinstance(value, Mapping):
        return str(value.get("name") or "+".join(f"{key}{_text(inner)}" for key, inner in value.items()))
    if isinstance(value, list):
        return "+".join(map(_text, value))
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)
