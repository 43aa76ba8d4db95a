"""What runs trials: the protocol of the backends, and one attempt at a trial, which they share."""

from __future__ import annotations

import importlib
import threading
import traceback
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Protocol, Self

from gandist.activity import alive
from gandist.artifacts.statuses import PAUSED, STOPPED
from gandist.artifacts.trial_state import TrialState
from gandist.errors import GandistError
from gandist.printable import one_line
from gandist.runner.events import Alive, BackendEvent, Finished, Lost, Progress
from gandist.spec.plugins import described
from gandist.spec.trial import TrialSpec

TrialFunction = Callable[[TrialSpec, str, str | None, threading.Event], Iterator[TrialState]]
"""``(trial, job_root, data_dir, stop)``: train from where the trial stands, yield its state now and then, the
final one last; leave with a checkpoint when ``stop`` is set."""

RUN_TRIAL = "gandist.training.trial:run_trial"
"""Named, not imported: importing it loads TensorFlow, which only the process of a trial may do."""

IMPORT_S = 600.0
"""How long loading it may take: a slow disk needs minutes for TensorFlow, and gives no sign on the way."""


class Backend(Protocol):
    """Runs trials one by one or many at a time. Entered before the first call, left when the job is over."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def admit(self) -> list[str]:
        """See whether the job's trials can run here at all; what a person should know about where they run.

        Raises:
            UsageError: a trial asks for more than there will ever be.
        """

    def submit(self, trial: TrialSpec) -> None:
        """Queue a trial."""

    @property
    def busy(self) -> bool:
        """Whether a trial is queued or running."""

    def poll(self, timeout_s: float) -> list[BackendEvent]:
        """What has happened since; where nothing has, waits for something, ``timeout_s`` at most.

        Of each submitted trial the last event is ``Finished`` or ``Lost``, unless ``stop`` was called.
        """

    def stop(self) -> None:
        """Forget what is queued, and ask what is running to stop at a checkpoint."""


def attempt(
    function: str, trial: TrialSpec, job_root: str, data_dir: str | None, stop: threading.Event
) -> Iterator[BackendEvent]:
    """Run ``trial`` to its end, as events: any number of ``Alive`` and ``Progress``, then one ``Finished`` or
    ``Lost``.

    Args:
        function: ``module:name`` of a ``TrialFunction``.
        trial: what to train.
        job_root: the job directory.
        data_dir: where data files lie.
        stop: set from outside to make it leave at a checkpoint.
    """
    state = TrialState()
    try:
        module, _, name = function.partition(":")
        loaded = yield from alive(
            lambda _: importlib.import_module(module),
            lambda doing: Alive(trial.id, doing),
            doing="loading TensorFlow",
            patience_s=IMPORT_S,
        )
        run: TrialFunction = getattr(loaded, name)
        for state in run(trial, job_root, data_dir, stop):
            if state.meaning.active:
                yield Progress(trial.id, state)
    except Exception as error:  # noqa: BLE001 - whatever it is, it ends this attempt and not the job
        passes = error.passes if isinstance(error, GandistError) else True
        yield Lost(trial.id, _reason(error), passes, traceback.format_exc())
        return
    if state.finished or state.meaning in (STOPPED, PAUSED):
        yield Finished(trial.id, state)
    else:
        yield Lost(trial.id, f"the trial ended as {state.status} at step {state.step}, without a result")


def _reason(error: Exception) -> str:
    return one_line(error if isinstance(error, GandistError) else described(error))
