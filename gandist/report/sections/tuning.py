"""Which configuration did best, whether the seeds can tell, and maps over what was swept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gandist.report import text
from gandist.report.evaluations import final_losses, measured, objective
from gandist.report.ranking import Standing, rank
from gandist.report.statistics import summary
from gandist.report.tuning import Layout, layout, shades

if TYPE_CHECKING:
    from gandist.report.merge import Trial
    from gandist.report.render import Content

TITLE = "Tuning"
ORDER = 15

LOSSES = {"d_loss": "Final discriminator loss", "g_loss": "Final generator loss"}
BROKEN = ("diverged", "collapsed", "failed", "unreadable")
UNFINISHED = ("queued", "running", "stopped")
PALEST, STRONGEST = 8, 60
"""Percent of a cell's colour: at the most, ink on it is still read with ease, in the dark too."""

Configs = Mapping[str, Sequence["Trial"]]


def build(content: Content) -> dict[str, Any] | None:
    """By the job's first metric, the best configuration and a map; without one, maps of the losses."""
    configs = content.merged.configs
    places = layout(content.manifest, list(configs))
    metric = objective(content.job, measured(content.merged))
    if len(configs) < 2 or (places is None and metric is None):
        return None
    ranked: list[Standing] = []
    maps = []
    if metric is not None:
        finals = {config: metric.finals(trials) for config, trials in configs.items()}
        ranked = rank(finals, metric.lower_is_better)
        title = f"{metric.title} after the last step"
        maps = [(title, _cells(configs, finals), metric.lower_is_better)] if ranked else []
    else:
        for column, title in LOSSES.items():
            of_loss = {config: final_losses(trials, column) for config, trials in configs.items()}
            maps.append((title, _cells(configs, of_loss), False))
        if any(trial.status != "completed" for trial in content.merged.members):
            maps.append(("Trials that completed", _completed(configs), False))
    best = ranked[0].config if ranked else None
    return {
        "metric": metric and {"title": metric.title, "lower": metric.lower_is_better},
        "verdict": _verdict(configs, ranked, places) if ranked else None,
        "configs": len(configs),
        "unfinished": sum(trial.status in UNFINISHED for trial in content.merged.members),
        "maps": [_map(places, *values, best) for values in maps] if places else [],
        "left_out": places.left_out if places else 0,
    }


def _verdict(configs: Configs, ranked: list[Standing], places: Layout | None) -> dict[str, Any]:
    best, *others = ranked
    gap = others[0].gap if others else None
    return {
        "best": _stands(configs, best),
        "settings": places.points.get(best.config, {}) if places else {},
        "second": _stands(configs, others[0]) if others else None,
        "gap": gap
        and {
            "n": gap.n,
            "told": gap.is_told,
            "mean": text.number(abs(gap.mean), 3),
            "higher": gap.mean > 0,
            "low": text.number(gap.low, 3),
            "high": text.number(gap.high, 3),
        },
        "others": len(others),
        "alike": sum(not other.is_told for other in others),
    }


def _stands(configs: Configs, standing: Standing) -> dict[str, Any]:
    """A configuration, its value, and what became of the trials that do not count."""
    trials = configs[standing.config]
    return {
        "config": standing.config,
        "value": standing.value,
        "seeds": len(trials),
        "broken": _broken(trials),
    }


def _broken(trials: Sequence[Trial]) -> list[tuple[str, int]]:
    """How many trials ended badly, by how."""
    ended = [trial.unstable or trial.status for trial in trials]
    return text.status_counts(status for status in ended if status in BROKEN)


def _cells(configs: Configs, finals: Mapping[str, Mapping[int, float]]) -> dict[str, dict[str, Any]]:
    """Of each configuration the mean, which gives the colour, and what its cell says."""
    cells = {}
    for config, trials in configs.items():
        value = summary(list(finals[config].values()))
        cells[config] = {
            "mean": value.mean if value.n else None,
            "text": text.spread(value),
            "note": f"n = {value.n} of {len(trials)}",
            "broken": _broken(trials),
        }
    return cells


def _completed(configs: Configs) -> dict[str, dict[str, Any]]:
    """The same for the share of trials that completed."""
    cells = {}
    for config, trials in configs.items():
        count = sum(trial.status == "completed" for trial in trials)
        shown = f"{count} of {len(trials)}"
        cells[config] = {"mean": count / len(trials), "text": shown, "note": "", "broken": _broken(trials)}
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
