"""Sheets of panels for paper: title, axes with units, one legend. Text of a job is shown as it is, never as
mathematics."""

from __future__ import annotations

import io
import math
import re
import textwrap
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gandist.report import text
from gandist.report.dots import dots as prepared
from gandist.report.drawing import SERIES_COLOURS, draw_curves, draw_shares, styled
from gandist.report.evaluations import Metric
from gandist.report.histograms import Histogram
from gandist.report.plots import KIMG, Curve, Plot
from gandist.report.ranking import Standing

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = ("png", "svg", "pdf")
DPI = 200
"""Of a PNG: 1,280 pixels wide."""
WIDTH, PANEL = 6.4, 2.3
"""Inches: of a page's text, and the height of a row of panels."""
LINE = 0.17
"""Of a line of text."""
MAX_CONFIGS = 40
"""In a dot plot."""
MAX_HISTOGRAMS = 24
_INK, _SPREAD = "#22262b", "#9aa0a6"
_CHARACTERS = 90
"""That fit in a line of the legend."""
_UNITS = {KIMG: "Real images shown (kimg, thousands)"}


def curves(title: str, rows: Sequence[Sequence[Plot]], reference: str = "") -> Figure | None:
    """Two panels side by side; below the panels of each row its legend. None where there is no row.

    Args:
        title: of the sheet.
        rows: of ``plots.prepare``.
        reference: what the horizontal line is.
    """
    if not rows:
        return None
    legends = [_curve_legend(row, reference) for row in rows]
    heights = [
        PANEL * math.ceil(len(row) / 2) + LINE * (_lines(legend) + 1)
        for row, legend in zip(rows, legends, strict=True)
    ]
    with _sheet(title, sum(heights)) as sheet:
        parts = sheet.subfigures(len(rows), height_ratios=heights, squeeze=False)[:, 0]
        for part, row, legend in zip(parts, rows, legends, strict=True):
            for axes, plot in zip(_grid(part, len(row), 2), row, strict=True):
                draw_curves(axes, replace(plot, also=()))  # one axis below, with its own label
                axes.set(xlabel=_UNITS.get(plot.x, f"Cost ({plot.x})"), ylabel=_literal(plot.title, 30))
                axes.margins(x=0.02)
            _legend(part, legend)
    return sheet


def dots(title: str, standings: Sequence[Standing], metric: Metric) -> Figure:
    """A dot for each seed, a row for each configuration, the best one on top."""
    from matplotlib.lines import Line2D

    shown = standings[:MAX_CONFIGS]
    scores = [it.scores for it in shown]
    with _sheet(title, 1.5 + 0.3 * len(shown)) as sheet:
        axes = sheet.subplots()
        axes.set_xscale("log" if prepared(scores).logarithmic else "linear")
        axes.set_xlabel(_literal(f"{metric.title}, {metric.direction}"))
        axes.set_yticks(range(len(shown)), [_literal(it.config, 40) for it in shown])
        axes.set_ylim(len(shown) - 0.5, -0.5)
        axes.grid(visible=False, axis="y")
        if metric.floor is not None:
            axes.axvline(metric.floor, color=_INK, linewidth=0.9, linestyle=(0, (1, 2)))
        bad = 1.0 if metric.lower_is_better else 0.0
        for y, it in enumerate(scores):
            axes.plot(
                list(it.values.values()), [y] * len(it.values), "o", color=SERIES_COLOURS[0], alpha=0.75
            )
            if it.failed:
                mark: dict[str, Any] = {"color": SERIES_COLOURS[1], "markeredgewidth": 1.6, "clip_on": False}
                axes.plot([bad], [y], "x", transform=axes.get_yaxis_transform(), **mark)
            if math.isfinite(it.median):
                axes.plot([it.median], [y], "|", color=_INK, markersize=14, markeredgewidth=1.6)
        ends = axes.get_xlim()
        for y, it in enumerate(scores):
            if it.interval:
                low, high = (min(max(end, ends[0]), ends[1]) for end in (it.interval.low, it.interval.high))
                axes.plot([low, high], [y, y], color=_INK, linewidth=1.0)
            estimate = text.estimate(it.median, it.interval)
            axes.text(1.04, y, estimate, transform=axes.get_yaxis_transform(), va="center")
        axes.set_xlim(ends)
        entries: list[Artist] = [
            Line2D([], [], marker="o", linestyle="", color=SERIES_COLOURS[0], alpha=0.75, label="a seed"),
            Line2D([], [], marker="|", markersize=9, linestyle="", color=_INK, label="median"),
        ]
        if any(it.interval for it in scores):
            coverage = {it.interval.coverage for it in scores if it.interval}
            label = "95% interval of the median" if min(coverage) >= 0.95 else "interval (range of few seeds)"
            entries.append(Line2D([], [], color=_INK, linewidth=1.0, label=label))
        if any(it.failed for it in scores):
            entries.append(
                Line2D([], [], marker="x", linestyle="", color=SERIES_COLOURS[1], label="failed seeds")
            )
        if metric.floor is not None:
            label = f"real images: {text.number(metric.floor, 3)}"
            entries.append(Line2D([], [], color=_INK, linewidth=0.9, linestyle=(0, (1, 2)), label=label))
        if len(standings) > len(shown):
            entries.append(
                Line2D([], [], linestyle="", label=f"{len(standings) - len(shown)} more not shown")
            )
        _legend(sheet, entries)
    return sheet


def histograms(title: str, found: Sequence[tuple[str, Histogram]]) -> Figure | None:
    """A panel for each configuration; None where there is none."""
    from matplotlib.lines import Line2D

    shown = found[:MAX_HISTOGRAMS]
    if not shown:
        return None
    lines = {
        "real": Line2D([], [], color=SERIES_COLOURS[0], label="real images"),
        "held_out": Line2D(
            [], [], color=SERIES_COLOURS[0], linestyle=(0, (2.5, 1.5)), label="held-out images"
        ),
        "generated": Line2D([], [], color=SERIES_COLOURS[1], label="generated images"),
    }
    with _sheet(title, 1.9 * math.ceil(len(shown) / 2) + 2 * LINE) as sheet:
        for axes, (config, it) in zip(_grid(sheet, len(shown), 2), shown, strict=True):
            draw_shares(axes, it)
            axes.set_ylabel("Share of images")
            axes.set_title(_literal(config, 45), fontsize="medium")
        _legend(sheet, [lines[kind] for kind in lines if any(kind in it.shares for _, it in shown)])
    return sheet


def pictures(title: str, found: Sequence[tuple[str, np.ndarray]]) -> Figure | None:
    """Sample grids side by side, each with what it is; None where there is none.

    Args:
        title: of the sheet.
        found: what each is, and its pixels, uint8 ``[height, width]`` or ``[height, width, 3]``.
    """
    if not found:
        return None
    columns = min(3, len(found))
    rows = math.ceil(len(found) / columns)
    with _sheet(title, rows * (WIDTH / columns + 2 * LINE)) as sheet:
        for axes, (what, pixels) in zip(_grid(sheet, len(found), columns), found, strict=True):
            axes.imshow(pixels, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
            axes.set_axis_off()
            axes.set_title(_literal(what, 75 // columns), fontsize="medium")
    return sheet


def encode(sheet: Figure, extension: str) -> bytes:
    """A sheet as a file of one of ``FORMATS``; equal sheets give equal bytes."""
    content = io.BytesIO()
    reproducible: Any = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
    settings = {"pdf.fonttype": 42, "svg.fonttype": "path", "svg.hashsalt": "gandist"}
    with styled(**settings), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # signs that the font lacks are boxes
        sheet.savefig(content, format=extension, dpi=DPI, metadata=reproducible.get(extension))
    return content.getvalue()


def _curve_legend(row: Sequence[Plot], reference: str) -> list[Artist]:
    """The configurations, then what else is drawn."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    every = [curve for plot in row for curve in plot.curves]
    entries: list[Artist] = [
        Line2D([], [], color=SERIES_COLOURS[it.colour - 1], linewidth=1.5, label=_named(it, row[0]))
        for it in (_first(same) for same in zip(*(plot.curves for plot in row), strict=True))
    ]
    if any((curve.band.n > 1).any() for curve in every):
        entries.append(Patch(facecolor=_SPREAD, alpha=0.4, label="lowest to highest seed"))
    if any(len(set(curve.band.n)) > 1 for curve in every):
        entries.append(Line2D([], [], color=_SPREAD, linestyle=(0, (3, 1.5)), label="fewer seeds"))
    for why in dict.fromkeys(end.why for curve in every for end in curve.ends):
        entries.append(
            Line2D([], [], color=_SPREAD, marker=why.mark, linestyle="", label=text.status(why.name))
        )
    if reference:
        entries.append(Line2D([], [], color=_INK, linewidth=0.9, linestyle=(0, (1, 2)), label=reference))
    return entries


def _first(same: Sequence[Curve]) -> Curve:
    """The first one with data of one configuration's."""
    return next((curve for curve in same if curve.band.x.size), same[0])


def _named(curve: Curve, plot: Plot) -> str:
    return f"{_literal(curve.config, _CHARACTERS)} ({curve.counts.replace(KIMG, plot.x)})"


def _legend(part: Any, entries: Sequence[Artist]) -> None:
    columns = _columns(entries)
    part.legend(handles=list(entries), loc="outside lower center", ncols=columns, frameon=False)


def _columns(entries: Iterable[Artist]) -> int:
    longest = max(len(line) for it in entries for line in str(it.get_label()).splitlines())
    return max(1, min(3, _CHARACTERS // (longest + 6)))


def _lines(entries: Sequence[Artist]) -> int:
    """Of a legend."""
    most = max(str(it.get_label()).count("\n") + 1 for it in entries)
    return most * math.ceil(len(entries) / _columns(entries))


def _grid(part: Any, count: int, columns: int) -> list[Axes]:
    """So many axes; a single one has the whole width."""
    columns = min(columns, count)
    axes = list(part.subplots(math.ceil(count / columns), columns, squeeze=False).flat)
    for left_over in axes[count:]:
        left_over.remove()
    return axes[:count]


@contextmanager
def _sheet(title: str, height: float) -> Iterator[Figure]:
    """A figure to draw on, of a page's width and at least so many inches high."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    wrapped = _literal(title, 80)
    with styled():
        sheet = Figure(
            figsize=(WIDTH, height + LINE * (2 + wrapped.count("\n"))),
            layout=ConstrainedLayoutEngine(h_pad=0.06, w_pad=0.06),
        )
        sheet.suptitle(wrapped, fontsize="large")
        yield sheet


def _literal(shown: str, width: int = 200) -> str:
    """``shown`` in lines of ``width`` characters, broken behind commas, too; dollars are dollars."""
    breakable = re.sub(r",(?=\S)", ",\0 ", shown)
    lines = textwrap.wrap(breakable, width)
    return "\n".join(lines).replace("\0 ", "").replace("\0", "").replace("$", r"\$")
