"""How a trial stands: its state, kept up to date in storage, and told while something takes long."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from gandist.activity import Tell, alive
from gandist.artifacts.job_dir import TrialDir
from gandist.artifacts.trial_state import TrialState
from gandist.artifacts.writer import Writer

T = TypeVar("T")

STATE_S = 5.0
WRITING = "waiting for what is written"
"""The phase in which a trial waits for its storage, and for its film and archive to be made."""


class StopAskedError(Exception):
    """The trial was asked to stop while something was under way that can be done later."""


class Standing:
    """The state of a trial that is being attempted.

    Attributes:
        state: as it is now.

    Args:
        directory: the trial's.
        writer: writes it.
        stop: set where the trial is to leave.

    Raises:
        StorageError: what lies there is no state, or the storage refused.
    """

    def __init__(self, directory: TrialDir, writer: Writer, stop: threading.Event) -> None:
        self._directory, self._writer, self._stop = directory, writer, stop
        before = directory.read_state()
        changes = {"status": "running", "reason": "", "attempts": before.attempts + 1}
        self.state = before.model_copy(update={**changes, "activity": "", "images_per_s": 0.0})
        self._written = time.monotonic()
        self._checkpointed_at = before.checkpointed_at

    def update(self, **changes: object) -> None:
        """Change fields of the state."""
        times = {"updated_at": time.time(), "checkpointed_at": self._checkpointed_at}
        self.state = self.state.model_copy(update={**times, **changes})

    def checkpointed(self) -> None:
        """A checkpoint is finished; called in any thread, and told with the next change."""
        self._checkpointed_at = time.time()

    def add_notes(self, notes: Iterable[str]) -> None:
        """What a reader of the results should know, each once."""
        self.update(notes=tuple(dict.fromkeys([*self.state.notes, *notes])))

    def write(self) -> None:
        """Replace ``state.json``, in the background."""
        self._write(self.state)

    def keep_up(self) -> None:
        """Write the state every so many seconds."""
        self._keep_up(self.state)

    def busy_with(self, activity: str) -> TrialState:
        """The state while something else than training is done, for those who watch; written now and then."""
        state = self.state.model_copy(update={"activity": activity, "updated_at": time.time()})
        if not self._writer.is_full:
            self._keep_up(state)
        return state

    def spend(self, phase: str, seconds: float) -> None:
        """Count ``seconds`` as ``phase``'s."""
        known = self.state.seconds
        self.update(seconds={**known, phase: known.get(phase, 0.0) + seconds})

    @contextmanager
    def spending(self, phase: str) -> Iterator[None]:
        """Count the time that is spent within."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.spend(phase, time.monotonic() - began)

    def during(
        self,
        work: Callable[[Tell], T],
        phase: str,
        *,
        can_wait: bool = False,
        doing: str = "",
        patience_s: float = 0.0,
    ) -> Generator[TrialState, None, T]:
        """Do ``work`` in another thread, yielding the state with what the work tells.

        Args:
            work: see ``alive``.
            phase: whose time it is.
            can_wait: it can be done by the next attempt as well: given up where the trial is to leave.
            doing: see ``alive``.
            patience_s: likewise.

        Raises:
            StopAskedError: the trial was asked to stop, and the work ``can_wait``.
        """

        def see(activity: str) -> TrialState:
            if can_wait and self._stop.is_set():
                raise StopAskedError
            return self.busy_with(activity)

        def told(tell: Tell) -> T:
            self._writer.tell = tell
            with self.spending(phase):
                return work(tell)

        return (yield from alive(told, see, doing, patience_s))

    def finish(self, notes: Iterable[str] = (), **changes: object) -> Iterator[TrialState]:
        """Wait for what is being written and, when everything else lies there, write how the trial ended.

        Args:
            notes: more of them, known when everything is written.
            changes: of the state.
        """
        yield from self.during(lambda _: self._writer.flush(), WRITING)
        self.add_notes(notes)  # and when the last checkpoint was finished
        ended = self.state.model_copy(update={"updated_at": time.time(), **changes})
        self._write(ended)
        self._written = math.inf  # nothing is written after it
        yield from self.during(lambda _: self._writer.flush(), WRITING)
        self.state = ended
        yield ended

    def _keep_up(self, state: TrialState) -> None:
        if time.monotonic() - self._written > STATE_S:
            self._write(state)

    def _write(self, state: TrialState) -> None:
        self._writer.submit(lambda: self._directory.write_state(state))
        self._written = time.monotonic()
