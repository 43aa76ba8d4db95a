"""SIGINT and SIGTERM as a question to be answered at the next checkpoint."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupt:
    """``signal`` is the number of the signal that came, None before."""

    def __init__(self) -> None:
        self.signal: int | None = None

    def __call__(self, number: int, _: FrameType | None) -> None:
        if self.signal is not None and number == signal.SIGINT:
            raise KeyboardInterrupt  # a person has asked twice: at once
        # A platform may well ask twice (Kubernetes through Ray, and through the pod), and does not mean that.
        self.signal = self.signal or number


@contextmanager
def interruptible() -> Iterator[Interrupt]:
    """Note a signal instead of dying of it; a SIGINT after another raises ``KeyboardInterrupt``."""
    interrupt = Interrupt()
    if threading.current_thread() is not threading.main_thread():  # only there may handlers be set
        yield interrupt
        return
    before = {number: signal.signal(number, interrupt) for number in SIGNALS}
    try:
        yield interrupt
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
