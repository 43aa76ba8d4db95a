"""A trial's losses as they are read, piece by piece, kept as what a report shows of them. Pure numpy.

Curves are kept as means of consecutive steps, with how many each is the mean of; whatever is claimed of a
number (final values, gaps, extremes, the step where it was no longer finite) comes from every row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa

from gandist.report.statistics import FINAL_SHARE, Floats, Ints, Series, final_value, finite_rows

COLUMNS = ("d_loss", "g_loss", "d_real", "d_fake")
"""What every trial has curves of; a value that is not finite ends them."""

NORMS = ("d_grad_norm", "g_grad_norm")
MAX_FIGURES = 24
"""Of a job, besides those: a directory may be a stranger's, and each costs memory for every trial."""

BUCKETS = 512
"""Points that are kept of a curve: about twice as many as are drawn."""

MAX_GAPS = 3
NONE = Series(np.empty(0, np.int64), np.empty(0), np.empty(0))


@dataclass(frozen=True)
class Thinned:
    """What is kept of a trial's losses.

    Attributes:
        rows: steps that there are.
        last: the last of them; 0 for none.
        finite: whether both losses were finite throughout.
        curves: by column, up to the last step before a loss was not finite. One of ``COLUMNS`` ends before
            its own first value that is not finite; other figures leave out the steps that have none.
        finals: by one of ``COLUMNS``, see ``statistics.final_value``; where there is one.
        ranges: by one of ``COLUMNS``, the least and the greatest finite value, where there is one.
        gaps: ``(first, last)`` steps that are missing before ``last``, the first ones.
        more_gaps: how many there are besides.
    """

    rows: int = 0
    last: int = 0
    finite: bool = True
    curves: Mapping[str, Series] = field(default_factory=lambda: dict.fromkeys(COLUMNS, NONE))
    finals: Mapping[str, float] = field(default_factory=dict)
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    gaps: tuple[tuple[int, int], ...] = ()
    more_gaps: int = 0


class Thinner:
    """Takes in a trial's losses in the order of their steps.

    Args:
        total_steps: of the trial, to tell its last part; 0 where that is not known.
        figures: other columns to keep curves of, where there are any.
        buckets: points to keep of a curve, a power of two.
    """

    def __init__(self, total_steps: int, figures: Iterable[str] = NORMS, buckets: int = BUCKETS) -> None:
        self._total_steps = total_steps
        self._first_final = total_steps - max(1, round(FINAL_SHARE * total_steps)) + 1
        self._width, self._buckets = 1, buckets
        self._curves = {name: _Sums(buckets) for name in COLUMNS}
        self._figures = {name: _Sums(buckets) for name in figures}
        self._tails: list[tuple[Ints, Mapping[str, Floats]]] = []
        self._ranges: dict[str, tuple[float, float]] = {}
        self._gaps: list[tuple[int, int]] = []
        self._rows = self._last = self._all_gaps = 0
        self._finite = True

    def add(self, rows: pa.Table) -> None:
        """Take in more rows, a table of losses, of steps behind all earlier ones."""
        if not rows.num_rows:
            return
        steps: Ints = rows["step"].to_numpy()
        columns = {name: _floats(rows, name) for name in ("kimg", *COLUMNS)}
        self._note_gaps(steps)
        self._rows, self._last = self._rows + steps.size, int(steps[-1])
        wider = 1
        while max(self._last - 1, 0) // (self._width * wider) >= self._buckets:
            wider *= 2
        self._width *= wider
        if wider > 1 and self._rows > steps.size:
            for curve in (*self._curves.values(), *self._figures.values()):
                curve.fold(min(wider, self._buckets))
        places = np.maximum(steps - 1, 0) // self._width
        until = finite_rows(columns["d_loss"], columns["g_loss"]) if self._finite else 0
        for name, curve in self._curves.items():
            curve.add(places[:until], columns["kimg"][:until], columns[name][:until], until == steps.size)
            finite = columns[name][np.isfinite(columns[name])]
            if finite.size:
                low, high = self._ranges.get(name, (np.inf, -np.inf))
                self._ranges[name] = (min(low, float(finite.min())), max(high, float(finite.max())))
        for name in self._figures.keys() & set(rows.schema.names):
            values = _floats(rows, name)[:until]
            there = np.isfinite(values) & np.isfinite(columns["kimg"][:until])
            self._figures[name].put(places[:until][there], columns["kimg"][:until][there], values[there])
        self._finite &= until == steps.size
        tail = int(np.searchsorted(steps, self._first_final))
        if self._total_steps and tail < steps.size:
            self._tails.append((steps[tail:].copy(), {name: columns[name][tail:].copy() for name in COLUMNS}))

    def thinned(self) -> Thinned:
        """Of all that was taken in."""
        steps = np.concatenate([steps for steps, _ in self._tails]) if self._tails else NONE.steps
        finals = {}
        for name, curve in self._curves.items():
            values = [columns[name] for _, columns in self._tails]
            if values and curve.whole:
                tail = np.concatenate(values)
                value = final_value(Series(steps, tail, tail), self._total_steps)
                if value is not None:
                    finals[name] = value
        curves: dict[str, Series] = {}
        for name, curve in (self._curves | self._figures).items():
            if name in COLUMNS or not curve.is_empty:
                curves[name] = curve.series(self._width, curves.values())
        return Thinned(
            rows=self._rows,
            last=self._last,
            finite=self._finite,
            curves=curves,
            finals=finals,
            ranges=self._ranges,
            gaps=tuple(self._gaps),
            more_gaps=self._all_gaps - len(self._gaps),
        )

    def _note_gaps(self, steps: Ints) -> None:
        before = np.concatenate([[self._last], steps[:-1]])
        at = np.flatnonzero(steps > before + 1)
        self._all_gaps += at.size
        for i in at[: MAX_GAPS - len(self._gaps)]:
            self._gaps.append((int(before[i]) + 1, int(steps[i]) - 1))


class _Sums:
    """Of one column, by bucket."""

    def __init__(self, buckets: int) -> None:
        self._counts = np.zeros(buckets, np.int64)
        self._kimg, self._values = np.zeros(buckets), np.zeros(buckets)
        self._end: tuple[float, float] | None = None
        self._open = True
        self.whole = True
        """Whether the column was finite throughout."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing was taken in."""
        return self._end is None

    def add(self, places: Ints, kimg: Floats, values: Floats, more: bool) -> None:
        """Rows up to the first that is not finite; then, or without ``more`` to come, no others count."""
        kept = finite_rows(values, kimg) if self._open else 0
        self.whole &= more and finite_rows(values) == values.size
        self._open &= more and kept == values.size
        self.put(places[:kept], kimg[:kept], values[:kept])

    def put(self, places: Ints, kimg: Floats, values: Floats) -> None:
        """Rows that are all finite."""
        if values.size:
            length = self._counts.size
            self._counts += np.bincount(places, minlength=length)
            self._kimg += np.bincount(places, weights=kimg, minlength=length)
            self._values += np.bincount(places, weights=values, minlength=length)
            self._end = float(kimg[-1]), float(values[-1])

    def fold(self, several: int) -> None:
        """Make one bucket of every ``several``, a power of two."""
        for sums in (self._counts, self._kimg, self._values):
            left = sums.size // several
            sums[:left] = sums.reshape(-1, several).sum(axis=1)
            sums[left:] = 0

    def series(self, width: int, others: Iterable[Series]) -> Series:
        """The means; ``steps`` are the first ones of their buckets.

        Args:
            width: steps of a bucket.
            others: of other columns: what is equal is shared, for there are curves of thousands of trials.
        """
        at = np.flatnonzero(self._counts)
        counts = self._counts[at]
        kimg, values = self._kimg[at] / counts, self._values[at] / counts
        made = Series(at * width + 1, kimg, values, counts, width, self._end)
        like = next((other for other in others if _same_steps(made, other)), None)
        return replace(made, steps=like.steps, kimg=like.kimg, counts=like.counts) if like else made


def _same_steps(one: Series, other: Series) -> bool:
    pairs = ((one.steps, other.steps), (one.counts, other.counts), (one.kimg, other.kimg))
    return all(a is not None and b is not None and np.array_equal(a, b) for a, b in pairs)


def _floats(rows: pa.Table, column: str) -> Floats:
    with np.errstate(invalid="ignore"):  # a damaged file may hold NaNs that complain of being copied
        values: Floats = np.asarray(rows[column].to_numpy(), np.float64)
    return values
