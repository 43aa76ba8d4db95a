"""What the pages show, as HTML and JSON: all that comes from a job directory is escaped by the templates."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from gandist.artifacts.job_dir import JobDir
from gandist.artifacts.statuses import MEANINGS
from gandist.console.progress import Summary, recorded
from gandist.printable import printable
from gandist.report import text
from gandist.report.render import environment, render_sections
from gandist.report.trial import UNREADABLE
from gandist.serve import curves, log
from gandist.serve.index import Row
from gandist.serve.live import Followed, Live

HERE = Path(__file__).parent
SECTIONS = ("answer", "warnings", "outcomes", "trials", "settings", "overview")
"""Of the report: those without curves, which are drawn anew here."""
MAX_LINES = 200
"""Trials that have curves of their own in a page."""
MAX_CONFIGS = 60
MAX_GRIDS = 64


def age(seconds: float) -> str:
    """How long ago something was written, by clocks that may differ a little: ``just now``, ``5 min ago``."""
    for unit, length, least in (("d", 86400, 2), ("h", 3600, 2), ("min", 60, 1)):
        if seconds >= least * length:
            return f"{seconds // length:,.0f} {unit} ago"
    return "just now"


_TEMPLATES = environment(HERE / "templates")
_TEMPLATES.filters.update(
    url=lambda name: quote(name, safe=""),
    printable=printable,
    status=text.status,
    age=age,
    left=lambda seconds: text.duration(float(round(seconds))),
)


def page(template: str, **context: Any) -> str:
    """A whole page."""
    return _TEMPLATES.get_template(template).render(context)


def rows(jobs: Sequence[Row], problem: str) -> str:
    """The rows of the index."""
    shown = [
        {
            "job": row,
            "statuses": _statuses(row.summary, row.unreadable) if row.summary else [],
            "age_s": time.time() - row.written if row.written else None,
        }
        for row in jobs
    ]
    return page("rows.html", rows=shown, problem=problem)


def _statuses(summary: Summary, unreadable: int) -> list[tuple[str, int]]:
    """``(status, trials)``, in the order of ``MEANINGS``."""
    counts = {**summary.counts, UNREADABLE: unreadable}
    return [(name, counts[name]) for name in MEANINGS if counts.get(name)]


class JobView:
    """One job as JSON for its page; what has not changed is not made again."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._revision = 0
        self._fixed: dict[str, Any] = {}
        self._series: dict[tuple[str, str], tuple[int, dict[str, Any]]] = {}
        """By kind and name, with the revision of the last change."""

    def payload(self, live: Live, since: int) -> bytes:
        """All that has changed after the revision ``since``, of an earlier answer; 0 = everything."""
        since = since if since <= live.revision else 0
        if self._revision != live.revision:
            self._update(live)
        answer = {"revision": live.revision, "runs": live.holder is not None, "head": self._head(live)}
        if since < live.revision:
            series: dict[str, dict[str, Any]] = {"configs": {}, "trials": {}}
            for (kind, name), (revision, made) in self._series.items():
                if revision > since:
                    series[kind][name] = made
            answer |= {**self._fixed, "series": series}
        return json.dumps(answer, allow_nan=False, separators=(",", ":")).encode("utf-8", "replace")

    def _head(self, live: Live) -> str:
        states = {it.trial.id: it.trial.state for it in live.trials.values() if it.trial.status != UNREADABLE}
        summary = recorded(states, time.time(), driven=live.holder is not None)[1]
        return page(
            "head.html",
            name=self._name,
            holder=live.holder,
            statuses=_statuses(summary, len(live.trials) - len(states)),
            summary=summary,
            more=live.more,
            has_report=JobDir.REPORT in live.files,
        )

    def _update(self, live: Live) -> None:
        merged = live.merged
        shown = curves.panels(merged)
        configs = dict(list(merged.configs.items())[:MAX_CONFIGS])
        trials = list(live.trials.values())[:MAX_LINES]
        series = {}
        for config, members in configs.items():
            followed = [live.trials[member.id] for member in members]
            series["configs", config] = self._drawn("configs", config, followed, shown)
        for it in trials:
            series["trials", it.trial.id] = self._drawn("trials", it.trial.id, [it], shown)
        self._series = series
        self._fixed = {
            "description": text.lines(live.content.job.get("description") or "", 2000),
            "panels": [panel.described for panel in shown],
            "configs": list(configs),
            "trials": [
                {"id": it.trial.id, "config": it.trial.config, "seed": it.trial.seed} for it in trials
            ],
            "sections": {it["name"]: it for it in render_sections(live.content, SECTIONS)},
            "grids": page("grids.html", name=self._name, **_grids(live)),
            "log": page("log.html", entries=log.entries(merged, live.holder)),
        }
        self._revision = live.revision

    def _drawn(
        self, kind: str, name: str, followed: Sequence[Followed], shown: Sequence[curves.Panel]
    ) -> tuple[int, dict[str, Any]]:
        revision = max(it.revision for it in followed)
        known = self._series.get((kind, name))
        if known is not None and known[0] == revision:
            return known
        images = next((it.images for it in followed if it.images), 0)
        return revision, curves.series(name, [it.trial for it in followed], shown, images)


def _grids(live: Live) -> dict[str, Any]:
    """The newest grid of each trial that has one."""
    drawn = [it for it in live.trials.values() if it.grids]
    cells = [
        {"trial": it.trial.id, "status": it.trial.status, "step": it.grids[-1][0]} for it in drawn[:MAX_GRIDS]
    ]
    return {"cells": cells, "more": len(drawn) - len(cells)}
