"""Maps over what was swept."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gandist.report import budgets, text
from gandist.report.evaluations import counted_losses, final_losses
from gandist.report.statistics import summary
from gandist.report.tuning import Layout, layout, shades
from gandist.report.verdict import broken, verdict

if TYPE_CHECKING:
    from gandist.report.render import Content
    from gandist.report.scores import Scores
    from gandist.report.trial import Trial

TITLE = "Sweep"
ORDER = 20

LOSSES = {"d_loss": "Final discriminator loss", "g_loss": "Final generator loss"}
PALEST, STRONGEST = 8, 60
"""Percent of a cell's colour: at the most, ink on it is still read with ease, in the dark too."""

Configs = Mapping[str, Sequence["Trial"]]


def build(content: Content) -> dict[str, Any] | None:
    """By the job's first metric, a map of the medians; without one, maps of the losses."""
    configs = content.merged.configs
    places = layout(content.manifest.configs, list(configs))
    if len(configs) < 2 or places is None:
        return None
    metric = content.objective
    best = None
    maps = []
    if metric is not None:
        counted = {config: metric.counted(trials) for config, trials in configs.items()}
        found = verdict(configs, metric)
        if found:
            best = found.ranked.best.config
            scores = {it.config: it.scores for it in found.ranked.standings}
            cells = _medians(configs, counted, scores)
            maps = [(f"{metric.title}, median over seeds", cells, metric.lower_is_better)]
    else:
        counted = {config: counted_losses(trials) for config, trials in configs.items()}
        for column, title in LOSSES.items():
            of_loss = {config: final_losses(trials, column) for config, trials in configs.items()}
            maps.append((title, _means(configs, counted, of_loss), False))
        if any(not trial.meaning.is_success for trial in content.merged.members):
            maps.append(("Trials that completed", _completed(configs), False))
    return {
        "metric": metric and {"title": metric.title, "lower": metric.lower_is_better},
        "budgets": budgets.compared(counted),
        "unfinished": sum(not trial.meaning.final for trial in content.merged.members),
        "maps": [_map(places, *values, best) for values in maps],
        "left_out": places.left_out,
    }


def _medians(
    configs: Configs, counted: budgets.Counted, scores: Mapping[str, Scores]
) -> dict[str, dict[str, Any]]:
    """Of each configuration the median, which gives the colour, and what its cell says."""
    cells = {}
    for config in configs:
        found = scores.get(config)
        median = found.median if found else math.nan
        shown = text.number(median) if math.isfinite(median) else "failed" if found else text.NOTHING
        cells[config] = _cell(configs, counted, config, median, shown, found.n if found else 0)
    return cells


def _means(
    configs: Configs, counted: budgets.Counted, finals: Mapping[str, Mapping[int, float]]
) -> dict[str, dict[str, Any]]:
    """The same for means of losses."""
    cells = {}
    for config in configs:
        value = summary(list(finals[config].values()))
        cells[config] = _cell(configs, counted, config, value.mean, text.spread(value), value.n)
    return cells


def _cell(
    configs: Configs, counted: budgets.Counted, config: str, value: float, shown: str, n: int
) -> dict[str, Any]:
    note = f"n = {n} of {len(configs[config])}"
    if budgets.differ(counted) and counted[config]:
        note += f" \N{MIDDLE DOT} {budgets.budget(counted[config]).cells['kimg']} kimg"
    value_or_none = value if math.isfinite(value) else None
    return {"value": value_or_none, "text": shown, "note": note, "broken": broken(configs[config])}


def _completed(configs: Configs) -> dict[str, dict[str, Any]]:
    """The same for the share of trials that completed."""
    cells = {}
    for config, trials in configs.items():
        count = sum(trial.meaning.is_success for trial in trials)
        shown = f"{count} of {len(trials)}"
        cells[config] = {"value": count / len(trials), "text": shown, "note": "", "broken": broken(trials)}
    return cells


def _map(
    places: Layout, title: str, cells: dict[str, dict[str, Any]], strongest_low: bool, best: str | None
) -> dict[str, Any]:
    """The context of ``_map.html``."""
    values = [cells[config]["value"] for config in places.points]
    shade, logarithmic = shades(values, strongest_low)
    for config, strength in zip(places.points, shade, strict=True):
        percent = None if strength is None else round(PALEST + (STRONGEST - PALEST) * strength)
        cells[config] |= {"heat": percent, "best": config == best}
    known = sorted((value for value in values if value is not None), reverse=strongest_low)
    rows = places.rows.levels if places.rows else ("",)
    return {
        "title": title,
        "columns": places.columns,
        "row_path": places.rows.path if places.rows else "",
        "panels": [
            {
                "rest": panel.rest,
                "rows": [
                    {"level": level, "cells": [cells[config] if config else None for config in row]}
                    for level, row in zip(rows, panel.cells, strict=True)
                ],
            }
            for panel in places.panels
        ],
        "scale": [text.number(known[0]), text.number(known[-1])] if len(known) > 1 else [],
        "palest": PALEST,
        "strongest": STRONGEST,
        "logarithmic": logarithmic,
    }
