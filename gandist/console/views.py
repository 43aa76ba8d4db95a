"""Drawing a job's progress: a live table in a terminal, lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from gandist.artifacts.statuses import MEANINGS, Tone
from gandist.console.progress import Board, Row
from gandist.runner.events import JobEvent, Notice

EVERY_S = 5.0
HEADINGS = ("trial", "status", "step", "images/s", "d_loss", "g_loss", "")
AROUND = 6
"""Lines of a terminal that the table leaves free."""
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
        status, at = self._shown.get(row.trial, ("", 0.0))
        # Many trials at a time share the lines, or nobody could read them.
        interval = max(EVERY_S, self._board.summary().counts.get("running", 0))
        if row.status != status or self._now() - at >= interval:
            self._shown[row.trial] = (row.status, self._now())
            self._write(row.line)


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
        rows = self._board.rows()
        shown = choose(rows, max(1, self._console.height - AROUND))
        hidden = [Text(f"and {len(rows) - len(shown)} more", style="dim")] if len(shown) < len(rows) else []
        return Group(table(shown), *hidden, Text(str(self._board.summary())))


def choose(rows: list[Row], most: int) -> list[Row]:
    """The rows to show where there is no room for all: active ones first, in their order."""
    if len(rows) <= most:
        return rows
    kept = {row.trial for row in sorted(rows, key=lambda row: not MEANINGS[row.status].active)[:most]}
    return [row for row in rows if row.trial in kept]


def table(rows: list[Row]) -> Table:
    """A table of trials."""
    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for heading in HEADINGS:
        # Text is folded and not cut: the ends of names tell them apart.
        text = heading in ("trial", "status", "")
        folded = text and heading != "status"
        drawn.add_column(heading, justify="left" if text else "right", overflow="fold", no_wrap=not folded)
    for row in rows:
        drawn.add_row(*map(Text, row.cells), style=style(row.status))
    return drawn


def style(status: str) -> str | None:
    """The colour of a status."""
    meaning = MEANINGS[status]
    return OUTCOME if meaning.is_outcome else COLOURS.get(meaning.tone)


def view(board: Board, console: Console) -> PlainView | LiveView:
    """The one that fits ``console``."""
    if console.is_terminal:
        return LiveView(board, console)
    return PlainView(board, lambda line: print(line, flush=True))  # not wrapped at a width that nobody has
