"""A sweep's configurations, placed by what was swept: tables over two factors, one for the rest. Pure."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gandist.report import text

NAMED = "configs"
"""The path under which the manifest has the name of a configuration's overrides."""
MAX_FACTORS = 8
MAX_PATH = 200
MAX_LEVELS = 40
"""Of one factor: no page is wider."""
MAX_PANELS = 16

Point = Mapping[str, str]
"""The value of each factor, as text."""


@dataclass(frozen=True)
class Factor:
    """A setting that was swept, and the values that it takes: ascending where they are numbers."""

    path: str
    levels: tuple[str, ...]


@dataclass(frozen=True)
class Panel:
    """A table over two factors, at one value of all others.

    Attributes:
        rest: those values.
        cells: the configuration of each row and column; None where the job has none.
    """

    rest: Point
    cells: tuple[tuple[str | None, ...], ...]


@dataclass(frozen=True)
class Layout:
    """The place of every configuration.

    Attributes:
        columns: the factor with the most values.
        rows: the one with the next most; None where a single factor was swept.
        panels: one for each combination of the others that occurs.
        points: of the configurations that have a place.
        left_out: how many have none: they come from another sweep, or there is no room.
    """

    columns: Factor
    rows: Factor | None
    panels: tuple[Panel, ...]
    points: Mapping[str, Point]
    left_out: int


def layout(known: Mapping[str, Mapping[str, Any]], configs: Sequence[str]) -> Layout | None:
    """Where each of ``configs`` stands by its point; None where nothing was swept.

    Args:
        known: each configuration's value for each path of the sweep: ``Manifest.configs``.
        configs: in the job's order.
    """
    swept = {config: known[config] for config in configs if config in known}
    factors = _factors(list(swept.values()))
    if not any(factor.path != NAMED for factor in factors):  # names alone are a list, not a map
        return None
    by_size = sorted(factors, key=lambda factor: len(factor.levels))  # stable: the last varies fastest
    columns, rows = by_size[-1], by_size[-2] if len(by_size) > 1 else None
    others = [factor for factor in factors if factor not in (columns, rows)]
    places: dict[tuple[int, ...], dict[tuple[str, str], str]] = {}
    points: dict[str, Point] = {}
    for config, values in swept.items():
        point = {factor.path: label(values[factor.path]) for factor in factors if factor.path in values}
        if any(point.get(factor.path) not in factor.levels for factor in factors):
            continue
        rest = tuple(factor.levels.index(point[factor.path]) for factor in others)
        at = (point[rows.path] if rows else "", point[columns.path])
        if (rest in places or len(places) < MAX_PANELS) and at not in places.setdefault(rest, {}):
            places[rest][at] = config
            points[config] = point
    panels = tuple(
        Panel(
            {factor.path: factor.levels[level] for factor, level in zip(others, rest, strict=True)},
            tuple(
                tuple(cells.get((row, column)) for column in columns.levels)
                for row in (rows.levels if rows else ("",))
            ),
        )
        for rest, cells in sorted(places.items())
    )
    return Layout(columns, rows, panels, points, len(configs) - len(points)) if points else None


def _factors(points: Sequence[Mapping[str, Any]]) -> list[Factor]:
    """The settings with several values, in the order in which they are named."""
    levels: dict[str, dict[str, Any]] = {}
    for point in points:
        for path, value in itertools.islice(point.items(), MAX_FACTORS):
            if len(path) <= MAX_PATH:
                levels.setdefault(path, {}).setdefault(label(value), value)
    factors = []
    for path, known in itertools.islice(levels.items(), MAX_FACTORS):
        numbers = all(
            isinstance(value, int | float) and not isinstance(value, bool) for value in known.values()
        )
        ordered = sorted(known, key=known.__getitem__) if numbers else list(known)
        factors.append(Factor(path, tuple(ordered[:MAX_LEVELS])))
    return [factor for factor in factors if len(factor.levels) > 1]


def label(value: Any) -> str:
    """A swept value as short text; of a section its name, or its settings."""
    if isinstance(value, Mapping) and value:
        name = value.get("name")
        settings = (f"{path} {inner}" for path, inner in text.flatten(value, 4).items())
        return text.plain(name if isinstance(name, str) and name else ", ".join(settings), 40)
    return text.plain(value, 40)


def shades(values: Sequence[float | None], strongest_low: bool) -> tuple[list[float | None], bool]:
    """A shade from 0 to 1 for each value, 1 the strongest, and whether they go by the logarithm.

    Args:
        values: finite ones, and None for cells that have none.
        strongest_low: whether the lowest value gets the strongest shade.
    """
    there = [value for value in values if value is not None]
    # Where one configuration does badly, the differences of all others would be lost on a linear scale.
    logarithmic = bool(there) and min(there) > 0 and max(there) > 10 * min(there)
    scaled = [None if v is None else math.log(v) if logarithmic else v for v in values]
    ends = [value for value in scaled if value is not None]
    low, high = min(ends, default=0.0), max(ends, default=0.0)
    shade = [None if v is None else (v - low) / (high - low) if high > low else 0.5 for v in scaled]
    return [None if v is None else 1 - v if strongest_low else v for v in shade], logarithmic
