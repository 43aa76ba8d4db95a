"""What is told of a run while it goes on: lines, a view of its trials, and in the end how they stand."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from rich.console import Console

from gandist.artifacts.statuses import Counts
from gandist.console import notebook
from gandist.console.notebook_view import NotebookView
from gandist.console.progress import Board
from gandist.console.views import LiveView, PlainView, view
from gandist.runner.events import Began, Notice, Outcome, RunEvent


class Told:
    """Shows the events of a run, which happens within ``with``.

    Args:
        say: takes a line.
        complain: takes a line that is no result.
    """

    def __init__(self, say: Callable[[str], None], complain: Callable[[str], None]) -> None:
        self._say, self._complain = say, complain
        self._stack = ExitStack()
        self._view: PlainView | LiveView | NotebookView | None = None
        """While trials run."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def __call__(self, event: RunEvent) -> None:
        """Show an event."""
        if isinstance(event, Began):
            board = Board(event.states, steps=event.steps)
            self._view = NotebookView(board) if notebook.kernel() else view(board, Console(highlight=False))
            self._stack.enter_context(self._view)
        elif isinstance(event, Outcome):
            self._stack.close()
            self._end(event)
        elif isinstance(event, Notice) and event.warning:
            self._complain(event.text)
        elif self._view is not None:
            self._view(event)
        elif isinstance(event, Notice):
            self._say(event.text)

    def _end(self, outcome: Outcome) -> None:
        self._say(", ".join(f"{count} {name}" for name, count in outcome.counts.items()))
        if outcome.signal is not None:
            self._say(stopped(outcome.root))
            return
        failed = [(trial, it) for trial, it in outcome.states.items() if it.meaning.counts is Counts.FAILURE]
        for trial, state in failed:
            self._complain(f"{trial}: {state.status}: {state.reason}")
        if failed:
            self._complain("once their cause is gone, the same command with --retry-failed runs them again")


def stopped(root: str) -> str:
    """What to do with the job in ``root`` after a stop at a checkpoint."""
    return f"stopped; the same command goes on from here; what there is: gandist report {root}"
