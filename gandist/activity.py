"""Signs of life of work that takes long before it has a result: decoding, downloading, evaluating, waiting.

Whoever does such work is given a ``Tell`` and calls it as it gets on; ``silent`` is for where nobody listens,
and ``alive`` turns what is told into something that a generator can yield.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future, wait
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")
Sign = TypeVar("Sign")

EVERY_S = 1.0
"""How often what is told is looked at: work that takes less time gives no sign at all."""
TELL_EVERY_S = 5.0
LEAVE_S = 10.0
"""How long work that nobody waits for any more may take to notice."""


@dataclass(frozen=True)
class Activity:
    """What is being done, and how far it is."""

    what: str
    """As in ``decoding pictures``; one line of printable text."""
    done: int = 0
    total: int = 0
    """0 = not known."""

    def __str__(self) -> str:
        if not self.total:
            return f"{self.what} {self.done:,}" if self.done else self.what
        return f"{self.what} {self.done:,}/{self.total:,}"


Tell = Callable[[Activity], None]
"""Called from any thread, as often as the work likes; returns at once."""


def silent(_: Activity) -> None:
    """Tells nobody."""


class _LeftError(BaseException):
    """Ends work whose result nobody waits for any more; no ``except Exception`` on the way holds it up."""


def alive(
    work: Callable[[Tell], T], see: Callable[[str], Sign], doing: str = "", patience_s: float = 0.0
) -> Generator[Sign, None, T]:
    """Do ``work`` in a thread of its own, and yield ``see(text)`` now and then while it tells something.

    Left early, because the generator is closed or ``see`` raises, the work ends at what it tells next. Work
    that is silent yields nothing: whoever listens can tell a long task from one that hangs.

    Args:
        work: is given the ``Tell`` to call.
        see: makes what is yielded of an activity as text, with the time left where there is a total.
        doing: what the work does while it is silent.
        patience_s: so long the work may be silent from its start: for what cannot tell, as an import.

    Returns:
        what ``work`` returns; what it raises is raised here.
    """
    outcome: Future[T] = Future()
    left = threading.Event()
    told: list[Activity] = []

    def tell(activity: Activity) -> None:
        # Others may call it, too, such as the thread that writes; it is not theirs to end.
        if left.is_set() and threading.current_thread() is thread:
            raise _LeftError
        told[:] = [activity]

    def run() -> None:
        try:
            outcome.set_result(work(tell))
        except BaseException as error:  # noqa: BLE001 - it is raised where the work is waited for
            outcome.set_exception(error)

    # A daemon: a process that must end does not wait for it.
    thread = threading.Thread(target=run, name="gandist-work", daemon=True)
    thread.start()
    patient_until, pace, text = time.monotonic() + patience_s, _Pace(), doing
    try:
        while not wait([outcome], timeout=EVERY_S).done:
            seen = told.copy()
            told.clear()
            if seen or time.monotonic() < patient_until:
                text = pace.text(seen[-1]) if seen else text
                yield see(text)
    finally:
        left.set()
        wait([outcome], timeout=LEAVE_S)
    return outcome.result()


def telling(work: Callable[[Tell], T], tell: Callable[[str], None]) -> T:
    """What ``work`` returns; ``tell`` takes a line now and then of what it tells when it takes long."""
    signs, told_at = alive(work, str), 0.0
    while True:
        try:
            text = next(signs)
        except StopIteration as end:
            result: T = end.value
            return result
        if time.monotonic() - told_at >= TELL_EVERY_S:
            tell(text)
            told_at = time.monotonic()


class _Pace:
    """How fast an activity gets on, from when it was first heard of."""

    def __init__(self) -> None:
        self._what, self._since, self._first = "", 0.0, 0

    def text(self, activity: Activity) -> str:
        """The activity, and the time that is left as far as can be told."""
        now = time.monotonic()
        if activity.what != self._what:
            self._what, self._since, self._first = activity.what, now, activity.done
        gained = activity.done - self._first
        if gained <= 0 or activity.total <= activity.done:
            return str(activity)
        left_s = (activity.total - activity.done) * (now - self._since) / gained
        return f"{activity}, {clock(left_s)} left"


def clock(seconds: float) -> str:
    """``0:14``, or ``2:03:00`` from an hour on."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
