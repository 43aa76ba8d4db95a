"""A job's progress in a notebook: the live table of a terminal, as one output that is replaced in place."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType

from rich.console import Console
from rich.terminal_theme import TerminalTheme

from gandist.console.notebook import Output
from gandist.console.progress import Board
from gandist.console.views import drawing
from gandist.runner.events import JobEvent, Notice

EVERY_S = 0.5
WIDTH, MOST = 100, 30
"""Columns of the table, and its trials."""
HTML = '<pre style="line-height: 1.3; overflow-x: auto">{code}</pre>'
COLOURS = [(107, 107, 107), (207, 34, 46), (45, 138, 62), (168, 106, 0), (9, 105, 218), (130, 80, 223)]
THEME = TerminalTheme((255, 255, 255), (87, 96, 106), [*COLOURS, (14, 124, 134), (110, 119, 129)])
"""Readable on white and on black, whichever the notebook has."""


class NotebookView(AbstractContextManager["NotebookView"]):
    """A table that is drawn anew in place.

    Args:
        board: follows the events that are shown.
        now: the clock, in seconds.
    """

    def __init__(self, board: Board, now: Callable[[], float] = time.monotonic) -> None:
        self._board, self._now = board, now
        self._output = Output()
        self._shown = now()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._show()

    def __call__(self, event: JobEvent) -> None:
        """Show an event."""
        if isinstance(event, Notice):
            print(event.text)
        self._board.update(event)
        if self._now() - self._shown >= EVERY_S:
            self._show()

    def _show(self) -> None:
        self._shown = self._now()
        console = Console(
            file=io.StringIO(), record=True, width=WIDTH, force_terminal=True, force_jupyter=False
        )
        console.print(drawing(self._board, WIDTH, MOST))
        text = console.export_text(clear=False)
        html = console.export_html(theme=THEME, inline_styles=True, code_format=HTML)
        self._output.show_html(html, text)
