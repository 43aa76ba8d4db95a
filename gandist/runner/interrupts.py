"""Signals that ask a run to stop, whenever they come: one door for the whole of a command.

Outside the zones below a signal is noted and nothing else, so that whatever is cleaned up or written gets
finished. ``at_once`` is for what may be left at any moment, ``at_a_checkpoint`` for while trials run.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""SIGQUIT keeps its meaning: the last way out at a keyboard, without a checkpoint."""


class Interrupted(KeyboardInterrupt):
    """The run is left now, because of the signal ``number``."""

    def __init__(self, number: int) -> None:
        super().__init__(f"stopped by {signal.Signals(number).name}")
        self.number = number


class Stopped(Interrupted):
    """As the signal asked, and at a checkpoint: nothing is left to be said of it."""


class Interrupt:
    """``signal`` is the number of the first signal that came, None before."""

    def __init__(self) -> None:
        self.signal: int | None = None
        self._leaves: Callable[[int, bool], bool] = _never
        """Whether a signal is more than noted, by its number and whether it is the first."""
        self._left = False

    def __call__(self, number: int, _: FrameType | None = None) -> None:
        """Take in a signal, or what amounts to one; from any thread.

        Raises:
            Interrupted: in a zone, in the main thread, and once: what follows it is cleaning up.
        """
        first = self.signal is None
        self.signal = self.signal or number
        if self._leaves(number, first) and _in_main_thread():
            self._leave()

    def install(self) -> None:
        """Take the signals, also back from Ray, which takes some whenever it starts."""
        if _in_main_thread():  # only there may handlers be set
            for number in SIGNALS:
                handler = signal.getsignal(number)
                # Whoever starts a command with `nohup` wants it to outlive its terminal. None is a handler
                # that Python has not set, and could not set again.
                if handler is not None and (number, handler) != (signal.SIGHUP, signal.SIG_IGN):
                    signal.signal(number, self)

    @contextmanager
    def zone(self, leaves: Callable[[int, bool], bool]) -> Iterator[None]:
        """Within, ``leaves`` says of a signal, and whether it is the first, if it raises ``Interrupted``."""
        before, self._leaves = self._leaves, leaves
        try:
            if self.signal is not None and leaves(self.signal, True):
                self._leave()
            yield
        finally:
            self._leaves = before

    def _leave(self) -> None:
        if not self._left and self.signal is not None:
            self._left = True
            raise Interrupted(self.signal)


_current: Interrupt | None = None
"""Of this process, as its handlers are."""


@contextmanager
def interruptible() -> Iterator[Interrupt]:
    """Note signals instead of dying of them; within another ``interruptible``, its.

    None arrives in another thread than the main one, so one that is noted there is none of this thread's.
    """
    global _current
    if not _in_main_thread():
        yield Interrupt()
        return
    if _current is not None:
        yield _current
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    _current = Interrupt()
    _current.install()
    try:
        yield _current
    finally:
        _current = None
        for number, handler in before.items():
            if handler is not None:
                signal.signal(number, handler)


@contextmanager
def at_once() -> Iterator[None]:
    """Within, a signal raises ``Interrupted``, also one that came before; nothing where none is noted."""
    if _current is None or not _in_main_thread():
        yield
    else:
        with _current.zone(_always):
            yield


@contextmanager
def at_a_checkpoint() -> Iterator[Interrupt]:
    """Within, the first signal is left to whoever looks at ``Interrupt.signal``; a SIGINT after it raises.

    A platform may well ask twice (Kubernetes through Ray, and through the pod), and does not mean that.
    """
    with interruptible() as interrupt, interrupt.zone(_asked_again):
        yield interrupt


def ignore() -> None:
    """For a process that leaves because of a signal, and has its exit code: another would change that."""
    if _in_main_thread():
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)


def arrived(number: int) -> None:
    """A signal came while another handler stood in its place.

    Raises:
        Interrupted: in ``at_once``.
    """
    if _current is not None and number in SIGNALS:
        _current(signal.Signals(number))


def take_back() -> None:
    """After Ray has started, which sets handlers of its own."""
    if _current is not None:
        _current.install()


def output_closed(number: int) -> None:
    """Nobody reads what is printed: as if the signal ``number`` had come.

    Raises:
        SystemExit: where no signal is waited for.
    """
    if _current is not None:
        _current(number)
    elif _in_main_thread():
        raise SystemExit(128 + number)


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def _never(_: int, __: bool) -> bool:
    return False


def _always(_: int, __: bool) -> bool:
    return True


def _asked_again(number: int, first: bool) -> bool:
    return number == signal.SIGINT and not first  # a person
