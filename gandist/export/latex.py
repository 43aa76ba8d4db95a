"""The results as a LaTeX table, with intervals: for ``booktabs``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from gandist.artifacts.job_dir import JobDir
from gandist.report import Content, read_content, text
from gandist.report.evaluations import Metric, final_losses, measured, objective
from gandist.report.intervals import CONFIDENCE
from gandist.report.ranking import Standing
from gandist.report.statistics import summary
from gandist.report.trial import Trial
from gandist.report.verdict import verdict

MAX_METRICS = 6
"""Columns that a page has room for."""
LOSSES = {"d_loss": "Discriminator loss", "g_loss": "Generator loss"}

_ESCAPED = {
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "\N{PLUS-MINUS SIGN}": r"$\pm$",
    text.NOTHING: "--",
}

Cells = Mapping[str, Sequence[str]]
"""By configuration, in the order of the rows."""


def prepare(job_dir: JobDir) -> Callable[[], str]:
    """What gives the table of a job's results so far.

    A row for each configuration, the best one first; the median of each metric with its interval, and how the
    first metric compares with the best one. Without metrics the final losses.

    Raises:
        NotAJobError: ``job_dir`` holds no job.
        StorageError: the storage refused.
    """
    content = read_content(job_dir)
    return lambda: table(content)


def table(content: Content) -> str:
    """The same of what was read: no line of it is a job's, but for text with all of LaTeX's signs escaped."""
    found = measured(content.merged)
    first = objective(content.job, found)
    chosen = sorted(found, key=lambda metric: metric != first)[:MAX_METRICS]
    heads, rows, notes = _compared(content, chosen) if chosen else _losses(content)
    body = [" & ".join(map(_escaped, (config, *cells))) + r" \\" for config, cells in rows.items()]
    return "\n".join(
        [
            r"% \usepackage{booktabs}",
            r"\begin{table}",
            r"  \centering",
            f"  \\caption{{{_escaped(' '.join([f'{content.title}.', *notes]))}}}",
            f"  \\label{{tab:{re.sub(r'[^A-Za-z0-9-]+', '-', content.title).strip('-')}}}",
            f"  \\begin{{tabular}}{{l{'r' * len(heads)}}}",
            r"    \toprule",
            f"    {' & '.join(map(_escaped, ('Configuration', *heads)))} \\\\",
            r"    \midrule",
            *(f"    {line}" for line in body),
            r"    \bottomrule",
            r"  \end{tabular}",
            r"\end{table}",
        ]
    )


def _compared(content: Content, metrics: Sequence[Metric]) -> tuple[list[str], Cells, list[str]]:
    """Heads, cells and notes, by ``metrics``, the first of which ranks."""
    configs = content.merged.configs
    found = verdict(configs, metrics[0])
    standings = {it.config: it for it in found.ranked.standings} if found else {}
    ordered = [*standings, *(config for config in configs if config not in standings)]
    tested = len(standings) > 1
    rows = {
        config: [
            _seeds(configs[config]),
            *(_estimate(metric, configs[config]) for metric in metrics),
            *([_p(standings.get(config))] if tested else []),
        ]
        for config in ordered
    }
    intervals = [
        interval
        for metric in metrics
        for trials in configs.values()
        if (interval := metric.scores(trials).interval)
    ]
    short = any(interval.coverage < CONFIDENCE for interval in intervals)
    notes = [
        "Medians over seeds with 95% confidence intervals"
        + (" (range of under six seeds)." if short else ".")
    ]
    if any(trial.failed for trials in configs.values() for trial in trials):
        notes.append("Failed seeds count as the worst ones.")
    notes += [_direction(metric) for metric in metrics]
    if tested:
        notes.append(
            f"p: against the best by {metrics[0].title}, exact Mann-Whitney test, two-sided, corrected for "
            "all comparisons (Holm)."
        )
    heads = ["Seeds", *(metric.title for metric in metrics), *(["p"] if tested else [])]
    return heads, rows, notes


def _losses(content: Content) -> tuple[list[str], Cells, list[str]]:
    rows = {
        config: [
            _seeds(trials),
            *(text.spread(summary(list(final_losses(trials, column).values()))) for column in LOSSES),
        ]
        for config, trials in content.merged.configs.items()
    }
    notes = ["Means over the last steps, then over seeds, with sample standard deviations."]
    return ["Seeds", *LOSSES.values()], rows, notes


def _seeds(trials: Sequence[Trial]) -> str:
    failed = sum(trial.failed for trial in trials)
    return f"{len(trials)} ({failed} failed)" if failed else str(len(trials))


def _estimate(metric: Metric, trials: Sequence[Trial]) -> str:
    scores = metric.scores(trials)
    return text.estimate(scores.median, scores.interval)


def _p(it: Standing | None) -> str:
    if it is None or it.against is None:
        return text.NOTHING
    return text.p_value(it.against.adjusted).removeprefix("p ").removeprefix("= ")


def _direction(metric: Metric) -> str:
    floor = "" if metric.floor is None else f"; real images have {text.number(metric.floor, 3)}"
    return f"{metric.title}: {metric.direction}{floor}."


def _escaped(shown: str) -> str:
    return "".join(_ESCAPED.get(character, character) for character in shown)
