"""Drawing a job's progress: a live table in a terminal, lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from gandist.artifacts.statuses import MEANINGS, Tone
from gandist.console.estimate import Estimate
from gandist.console.progress import Board, Row
from gandist.runner.events import JobEvent, Notice

EVERY_S = 5.0
WHOLE_EVERY_S = 30.0
"""Between two lines on the job as a whole."""
AROUND = 7
"""Lines of a terminal that the table leaves free."""
GAP = 2
"""Columns of a terminal between two of the table."""
MOST = 60
"""Columns that a bar takes."""
COLOURS = {Tone.GOOD: "green", Tone.GOING: "cyan", Tone.BAD: "red"}
OUTCOME = "yellow"
"""Nothing has gone wrong with the job."""


class PlainView(AbstractContextManager["PlainView"]):
    """A line at each change of a trial's status, and one now and then while it runs.

    Args:
        board: follows the events that are shown.
        write: takes a line.
        now: the clock, in seconds.
    """

    def __init__(
        self, board: Board, write: Callable[[str], None], now: Callable[[], float] = time.monotonic
    ) -> None:
        self._board = board
        self._write = write
        self._now = now
        self._shown: dict[str, tuple[str, float]] = {}
        self._whole_shown = now()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def __call__(self, event: JobEvent) -> None:
        """Show an event."""
        row = self._board.update(event)
        if isinstance(event, Notice):
            self._write(event.text)
        if row is None:
            return
        now, summary = self._now(), self._board.summary()
        status, at = self._shown.get(row.trial, ("", 0.0))
        # Many trials at a time share the lines, or nobody could read them.
        if row.status != status or now - at >= max(EVERY_S, summary.counts.get("running", 0)):
            self._shown[row.trial] = (row.status, now)
            self._write(row.line)
        if now - self._whole_shown >= WHOLE_EVERY_S and summary.several:
            self._whole_shown = now
            self._write(str(summary))


class LiveView(AbstractContextManager["LiveView"]):
    """A table that is drawn anew in place.

    Args:
        board: follows the events that are shown.
        console: a terminal.
    """

    def __init__(self, board: Board, console: Console) -> None:
        self._board = board
        self._console = console
        self._live = Live(get_renderable=self._draw, console=console, refresh_per_second=4)

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, trace)

    def __call__(self, event: JobEvent) -> None:
        """Show an event."""
        if isinstance(event, Notice):
            self._console.print(Text(event.text))
        self._board.update(event)

    def _draw(self) -> RenderableType:
        return drawing(self._board, self._console.width, self._console.height - AROUND)


def drawing(board: Board, width: int, most: int) -> RenderableType:
    """How a job stands, in ``width`` columns: a table of at most so many trials, and the job as a whole."""
    rows, summary = board.rows(), board.summary()
    shown = choose(rows, max(1, most))
    hidden = [Text(f"and {len(rows) - len(shown)} more", style="dim")] if len(shown) < len(rows) else []
    whole = [bar(summary.whole, width)] if summary.whole is not None else []
    return Group(table(shown, width, folded=False), *hidden, Text(summary.trials), *whole)


def choose(rows: list[Row], most: int) -> list[Row]:
    """The rows to show where there is no room for all: active ones first, in their order."""
    if len(rows) <= most:
        return rows
    kept = {row.trial for row in sorted(rows, key=lambda row: not MEANINGS[row.status].active)[:most]}
    return [row for row in rows if row.trial in kept]


def bar(whole: Estimate, width: int) -> RenderableType:
    """How far a job is, in one line of ``width`` columns."""
    text = str(whole)
    drawn = Table.grid(padding=(0, GAP, 0, 0))
    room = min(MOST, max(4, width - len(text) - GAP))
    drawn.add_row(ProgressBar(total=1.0, completed=whole.share, width=room), Text(text))
    return drawn


@dataclass(frozen=True)
class _Column:
    """What stands in a column of the table."""

    heading: str
    of: Callable[[Row], str]
    justify: Literal["left", "right"] = "right"


TRIAL = _Column("trial", lambda row: row.trial, "left")
STATUS = _Column("status", lambda row: row.status, "left")
STEP = _Column("step", lambda row: row.steps)
SHARE = _Column("step", lambda row: row.share)
RATE = _Column("images/s", lambda row: row.rate)
LOSSES = (_Column("d_loss", lambda row: row.d_loss), _Column("g_loss", lambda row: row.g_loss))
LAST = _Column("", lambda row: row.last, "left")


@dataclass(frozen=True)
class _Choice:
    """What the table shows where there is room for it."""

    columns: tuple[_Column, ...]
    name: int | None = None
    """Columns of the terminal that are enough for a name, shortened in its middle; None = all of it."""
    last: int = 0
    """For what is left to say, which is folded."""


CHOICES = (
    _Choice((TRIAL, STATUS, STEP, RATE, *LOSSES, LAST), last=24),
    _Choice((TRIAL, STATUS, STEP, *LOSSES, LAST), last=16),
    _Choice((TRIAL, STATUS, STEP, LAST), name=16, last=12),
    _Choice((TRIAL, STATUS, SHARE, LAST), name=12, last=8),
    _Choice((TRIAL, STATUS, SHARE), name=0),
)
"""The first that has room is taken: names are what is given up last."""


def table(rows: list[Row], width: int, folded: bool = True) -> Table:
    """A table of trials.

    Args:
        rows: one a trial.
        width: columns of the terminal.
        folded: what is left to say takes as many lines as it needs; else a row is a line.
    """
    longest = max((cell_len(row.trial) for row in rows), default=0)
    for choice in CHOICES:
        room = width - sum(GAP + _width(column, rows, choice.last) for column in choice.columns[1:])
        if room >= (longest if choice.name is None else min(longest, choice.name)):
            break
    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for column in choice.columns:
        wraps = folded and column is LAST
        drawn.add_column(
            column.heading,
            justify=column.justify,
            overflow="fold" if wraps else "ellipsis",
            no_wrap=not wraps,
        )
    for row in rows:
        others = (column.of(row) for column in choice.columns[1:])
        drawn.add_row(*map(Text, (shortened(row.trial, max(1, room)), *others)), style=style(row.status))
    return drawn


def _width(column: _Column, rows: list[Row], last: int) -> int:
    widest = max(cell_len(text) for text in (column.heading, *map(column.of, rows)))
    return min(widest, last) if column is LAST else widest


def shortened(name: str, width: int) -> str:
    """``name`` in ``width`` columns of a terminal: its middle left out, for its ends tell trials apart."""
    shown, kept = name, len(name)
    while cell_len(shown) > width and kept:
        kept -= 1
        tail = kept // 2
        shown = f"{name[: kept - tail]}…{name[len(name) - tail :]}"
    return shown


def style(status: str) -> str | None:
    """The colour of a status."""
    meaning = MEANINGS[status]
    return OUTCOME if meaning.is_outcome else COLOURS.get(meaning.tone)


def view(board: Board, console: Console) -> PlainView | LiveView:
    """The one that fits ``console``."""
    if console.is_terminal:
        return LiveView(board, console)
    return PlainView(board, lambda line: print(line, flush=True))  # not wrapped at a width that nobody has
