"""Which configuration did best, whether that is significant, and maps over what was swept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gandist.report import budgets, text
from gandist.report.evaluations import counted_losses, final_losses, measured, objective
from gandist.report.statistics import summary
from gandist.report.tuning import Layout, layout, shades
from gandist.report.verdict import broken, verdict

if TYPE_CHECKING:
    from gandist.report.render import Content
    from gandist.report.trial import Trial

TITLE = "Tuning"
ORDER = 15

LOSSES = {"d_loss": "Final discriminator loss", "g_loss": "Final generator loss"}
PALEST, STRONGEST = 8, 60
"""Percent of a cell's colour: at the most, ink on it is still read with ease, in the dark too."""

Configs = Mapping[str, Sequence["Trial"]]


def build(content: Content) -> dict[str, Any] | None:
    """By the job's first metric, the best configuration and a map; without one, maps of the losses."""
    configs = content.merged.configs
    places = layout(content.manifest.configs, list(configs))
    metric = objective(content.job, measured(content.merged))
    if len(configs) < 2 or (places is None and metric is None):
        return None
    found = None
    maps = []
    if metric is not None:
        counted = {config: metric.counted(trials) for config, trials in configs.items()}
        finals = {config: metric.finals(trials) for config, trials in configs.items()}
        found = verdict(configs, metric)
        title = f"{metric.title} after the last step"
        maps = [(title, _cells(configs, counted, finals), metric.lower_is_better)] if found else []
    else:
        counted = {config: counted_losses(trials) for config, trials in configs.items()}
        for column, title in LOSSES.items():
            of_loss = {config: final_losses(trials, column) for config, trials in configs.items()}
            maps.append((title, _cells(configs, counted, of_loss), False))
        if any(not trial.meaning.is_success for trial in content.merged.members):
            maps.append(("Trials that completed", _completed(configs), False))
    best = found["best"]["config"] if found else None
    return {
        "metric": metric and {"title": metric.title, "lower": metric.lower_is_better},
        "verdict": found,
        "settings": places.points.get(best, {}) if places and best else {},
        "configs": len(configs),
        "budgets": budgets.compared(counted),
        "several": any(len(trials) > 1 for trials in configs.values()),
        "unfinished": sum(not trial.meaning.final for trial in content.merged.members),
        "maps": [_map(places, *values, best) for values in maps] if places else [],
        "left_out": places.left_out if places else 0,
    }


def _cells(
    configs: Configs, counted: budgets.Counted, finals: Mapping[str, Mapping[int, float]]
) -> dict[str, dict[str, Any]]:
    """Of each configuration the mean, which gives the colour, and what its cell says."""
    cells = {}
    unequal = budgets.differ(counted)
    for config, trials in configs.items():
        value = summary(list(finals[config].values()))
        note = f"n = {value.n} of {len(trials)}"
        if unequal and value.n:
            note += f" \N{MIDDLE DOT} {budgets.budget(counted[config]).cells['kimg']} kimg"
        cells[config] = {
            "mean": value.mean if value.n else None,
            "text": text.spread(value),
            "note": note,
            "broken": broken(trials),
        }
    return cells


def _completed(configs: Configs) -> dict[str, dict[str, Any]]:
    """The same for the share of trials that completed."""
    cells = {}
    for config, trials in configs.items():
        count = sum(trial.meaning.is_success for trial in trials)
        shown = f"{count} of {len(trials)}"
        cells[config] = {"mean": count / len(trials), "text": shown, "note": "", "broken": broken(trials)}
    return cells


def _map(
    places: Layout, title: str, cells: dict[str, dict[str, Any]], strongest_low: bool, best: str | None
) -> dict[str, Any]:
    """The context of ``_map.html``."""
    means = [cells[config]["mean"] for config in places.points]
    shade, logarithmic = shades(means, strongest_low)
    for config, strength in zip(places.points, shade, strict=True):
        percent = None if strength is None else round(PALEST + (STRONGEST - PALEST) * strength)
        cells[config] |= {"heat": percent, "best": config == best}
    known = sorted((mean for mean in means if mean is not None), reverse=strongest_low)
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
