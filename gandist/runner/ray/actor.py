"""What runs in the process of an actor: one attempt at a trial after another."""

from __future__ import annotations

import os
import signal
import threading
import traceback
from collections.abc import Iterator
from types import FrameType

from gandist import environment
from gandist.errors import GandistError
from gandist.printable import one_line
from gandist.runner.backend import attempt
from gandist.runner.events import BackendEvent, Lost
from gandist.spec.plugins import Sent


def variables(gpus: float) -> dict[str, str]:
    """What the process of an actor with so many GPUs has in its environment.

    The driver's does not reach the actors of a running cluster. They take over, too, but by then NumPy has
    been imported.
    """
    hidden = {} if gpus else {"CUDA_VISIBLE_DEVICES": ""}  # with no GPU it would see them all
    level = {"TF_CPP_MIN_LOG_LEVEL": os.environ.get("TF_CPP_MIN_LOG_LEVEL", "3")}
    cache = {name: os.environ[name] for name in ("GANDIST_CACHE_DIR",) if name in os.environ}
    return {**environment.PINNED, **level, **cache, **hidden}


class TrialActor:
    """A process that runs trials, one after another. TensorFlow is loaded by the first of them."""

    def __init__(self) -> None:
        environment.take_over()
        self._stop = threading.Event()
        # A node that must go asks its processes to. Ray makes actors in the main thread of their process, and
        # lets it handle signals while other threads run the actor's methods; Ray's own handler, which this
        # takes the place of, would end the process at once.
        signal.signal(signal.SIGTERM, self._asked_to_go)

    def _asked_to_go(self, _: int, __: FrameType | None) -> None:
        self._stop.set()

    def ready(self) -> None:
        """Returns when the process is there."""

    def run(self, function: str, sent: Sent, job_root: str, data_dir: str | None) -> Iterator[BackendEvent]:
        """One attempt at a trial."""
        try:
            trial = sent.trial()
        except GandistError as error:  # a package that this node does not have
            yield Lost(sent.id, one_line(error), error.passes, traceback.format_exc())
            return
        yield from attempt(function, trial, job_root, data_dir, self._stop)

    def stop(self) -> None:
        """Make the trial leave at a checkpoint; called while ``run`` runs in another thread."""
        self._stop.set()
