"""Plots as SVG, and what a template needs around them.

The SVG holds no text that a job has a say in: names stand in the page's own legend. Its colours are CSS
variables with the light ones as fallback, so that the page can change them in the dark.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from gandist.artifacts.statuses import MEANINGS
from gandist.report import downloads, text
from gandist.report.histograms import Histogram
from gandist.report.merge import Merged
from gandist.report.plots import MAX_PLOTS, Curve, Plot

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SERIES_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#5f6a72")
"""Okabe and Ito's, and a grey; in CSS ``--series-1`` and on."""

DOTS = 40
"""Up to so many points of a curve are marked."""

WIDTH = 5.2
"""Inches: of all figures, for one font size whatever the page scales them to."""
HALF_WIDTH = 2.46
"""Of those of which two stand side by side in the same room."""
_LABEL = 0.35
_ROW = 0.2
"""Inches: of the ticks' labels, and of each further row of them."""
_TICKS = 7
"""Points from an axis to the labels of its ticks."""

_INK, _GRID = "#22262b", "#d9dde2"
_VARIABLES = {_INK: "--ink", _GRID: "--rule"} | {c: f"--series-{i}" for i, c in enumerate(SERIES_COLOURS, 1)}

_STYLE: Any = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.edgecolor": _GRID,
    "axes.labelcolor": _INK,
    "text.color": _INK,
    "xtick.color": _GRID,
    "ytick.color": _GRID,
    "xtick.labelcolor": _INK,
    "ytick.labelcolor": _INK,
    "axes.formatter.limits": (-4, 5),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": _GRID,
    "grid.linewidth": 0.6,
    "grid.alpha": 0.7,
    "path.simplify": True,
}


def figures(
    merged: Merged, rows: list[list[Plot]], name: str, most: int = MAX_PLOTS
) -> dict[str, Any] | None:
    """The context of ``_curves.html``; None where there is nothing to draw.

    Args:
        merged: the job.
        rows: of ``plots.prepare``.
        name: of the section: tells the ids of its SVGs from those of others.
        most: as for ``prepare``.
    """
    if not rows:
        return None
    plots = [plot for row in rows for plot in row]
    legends = [
        [_entry(curves) for curves in zip(*(plot.curves for plot in row), strict=True)] for row in rows
    ]
    drawn = {curve.config for plot in plots for curve in plot.curves}
    return {
        "rows": [
            {
                "plots": [_shown(merged, plot, f"{name}-{i}-{j}", legend) for j, plot in enumerate(row)],
                "legend": legend,
            }
            for i, (row, legend) in enumerate(zip(rows, legends, strict=True))
        ],
        "steps_per_point": max(plot.steps_per_point for plot in plots),
        "banded": any((curve.band.n > 1).any() for plot in plots for curve in plot.curves),
        "partial": any(len(set(curve.band.n)) > 1 for plot in plots for curve in plot.curves),
        "ended": [
            {"mark": why.mark.replace("x", "\N{MULTIPLICATION SIGN}"), "why": f"{why.name}: {why.because}"}
            for why in MEANINGS.values()
            if any(end.why is why for plot in plots for curve in plot.curves for end in curve.ends)
        ],
        "left_out": len(merged.configs) - len(drawn) if len(rows) >= most else 0,
    }


def _shown(merged: Merged, plot: Plot, salt: str, legend: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    svg = draw(plot, salt)
    lines = ((entry["colour"], f"{entry['config']}, {entry['counts']}") for entry in legend)
    entries = [(SERIES_COLOURS[colour - 1], name, False) for colour, name in lines]
    label = f"{plot.title} (logarithmic)" if plot.logarithmic else plot.title
    return {
        "title": plot.title,
        "x": plot.x,
        "svg": Markup(svg),  # noqa: S704
        "file": downloads.link(svg, merged.manifest.job, plot.title, label, entries),
        "logarithmic": plot.logarithmic,
        "clipped": "" if plot.clipped is None else text.number(plot.clipped, 3),
    }


def _entry(curves: Sequence[Curve]) -> dict[str, Any]:
    """A configuration in the legend: with the seeds of the first of its ``curves`` that has any."""
    shown = next((curve for curve in curves if curve.band.x.size), curves[0])
    return {"config": shown.config, "colour": shown.colour, "counts": shown.counts}


def draw(plot: Plot, salt: str) -> str:
    """``plot`` as an ``<svg>`` element; equal plots and salts give equal text.

    Args:
        plot: what to draw.
        salt: tells the ids of this SVG from those of others in the same page.
    """
    with _axes(WIDTH, 2.7, salt, _LABEL + _ROW * len(plot.also)) as (axes, written):
        draw_curves(axes, plot)
    return written[0]


def draw_histogram(histogram: Histogram, salt: str) -> str:
    """``histogram`` as an ``<svg>`` element, like ``draw``."""
    with _axes(HALF_WIDTH, 1.5, salt) as (axes, written):
        draw_shares(axes, histogram)
    return written[0]


def draw_curves(axes: Axes, plot: Plot) -> None:
    """The curves of ``plot``, its x label, limits and scale."""
    axes.set(yscale="log" if plot.logarithmic else "linear", ylim=plot.limits)
    axes.margins(x=0.01)
    if plot.reference is not None:
        axes.axhline(plot.reference, color=_INK, linewidth=0.9, linestyle=(0, (1, 2)))
    for curve in plot.curves:
        colour, spread = SERIES_COLOURS[curve.colour - 1], curve.band
        dot = "o" if spread.x.size <= DOTS else None  # one point makes no line, and few are not all there is
        axes.fill_between(spread.x, spread.low, spread.high, color=colour, alpha=0.2, linewidth=0)
        axes.plot(spread.x, curve.full, color=colour, linewidth=1.5, marker=dot, markersize=3)
        axes.plot(spread.x, curve.partial, color=colour, linewidth=1.2, linestyle=(0, (3, 1.5)))
        for end in curve.ends:
            inside = min(max(end.value, plot.limits[0]), plot.limits[1])
            axes.plot(
                [end.kimg],
                [inside],
                end.why.mark,
                color=colour,
                markersize=6,
                markeredgewidth=1.6,
                clip_on=False,
            )
    if plot.also:
        _label_rows(axes, plot)
    else:
        axes.set_xlabel(plot.x)


def _label_rows(axes: Axes, plot: Plot) -> None:
    """Below the ticks of the x axis a row for each other unit, with round figures of its own."""
    from matplotlib.ticker import MaxNLocator

    low, high = axes.get_xlim()
    for place, (unit, each) in enumerate([(plot.x, 1.0), *plot.also]):
        down: Any = {"textcoords": "offset points", "va": "top", "annotation_clip": False}
        at = -_TICKS - 72 * _ROW * place
        axes.annotate(unit, (0, 0), xycoords="axes fraction", xytext=(-8, at), ha="right", **down)
        ticks = MaxNLocator(6).tick_values(low * each, high * each) if place else ()
        for tick in ticks:
            if max(0, low * each) <= tick <= high * each:
                where: Any = {"xycoords": ("data", "axes fraction"), "xytext": (0, at), "ha": "center"}
                axes.annotate(text.number(float(tick)), (tick / each, 0), **where, **down)


def draw_shares(axes: Axes, histogram: Histogram) -> None:
    """The steps of ``histogram`` and its x label."""
    axes.set(xlabel="probability of being real" if histogram.probability else "score")
    axes.margins(x=0.01)
    axes.yaxis.set_major_formatter(lambda share, _: f"{100 * share:g}%")
    colours = dict(zip(("real", "generated"), SERIES_COLOURS, strict=False))
    for kind, shares in histogram.shares.items():
        if kind in colours:
            axes.stairs(shares, histogram.edges, fill=True, color=colours[kind], alpha=0.15, linewidth=0)
            axes.stairs(shares, histogram.edges, color=colours[kind], linewidth=1.3)
        else:  # held out, and real: in the same colour
            dashed = (0, (2.5, 1.5))
            axes.stairs(shares, histogram.edges, color=colours["real"], linewidth=1.3, linestyle=dashed)
    axes.set_ylim(bottom=0)


@contextmanager
def styled(**settings: Any) -> Iterator[None]:
    """Figures made within look like the report's, whatever style the user has chosen.

    Args:
        settings: other parameters of matplotlib.
    """
    from matplotlib import rc_context, style  # here, for a report without curves need not wait for it

    with style.context("default"), rc_context(_STYLE | settings):
        yield


@contextmanager
def _axes(width: float, height: float, salt: str, below: float = 0.43) -> Iterator[tuple[Any, list[str]]]:
    """Axes to draw on; after that, their ``<svg>`` stands in the list.

    Args:
        width: of all, in inches, like the rest.
        height: of the axes.
        salt: see ``draw``.
        below: room for what stands below the axes.
    """
    from matplotlib.figure import Figure

    written: list[str] = []
    with styled(**{"svg.hashsalt": salt}):
        whole = height + below
        figure = Figure(figsize=(width, whole))
        figure.subplots_adjust(left=0.55 / width, right=1 - 0.05 / width, bottom=below / whole, top=0.98)
        yield figure.subplots(), written
        document = io.StringIO()
        figure.savefig(document, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    written.append(_for_the_page(document.getvalue()))


def _for_the_page(document: str) -> str:
    """The ``<svg>`` of a document: paths to 1/10 point, groups without ids, colours as CSS variables."""
    svg = re.sub(r"\s*\n\s*", " ", document[document.index("<svg") :])
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<g id="[^"]*"', "<g", svg)
    svg = re.sub(r"<[^>]*>", lambda tag: re.sub(r"(\d\.\d\d)\d+", r"\1", tag[0]), svg)  # but no label
    svg = re.sub(r' d="[^"]*"', _short, svg)
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg))
    svg = re.sub(r" font-family: [^;\"]*;", "", svg)
    for colour, variable in _VARIABLES.items():
        svg = svg.replace(colour, f"var({variable}, {colour})")
    return svg


def _short(path: re.Match[str]) -> str:
    return re.sub(r" ?([MLQCz]) ?", r"\1", re.sub(r"(\.\d)\d+", r"\1", path[0]))
