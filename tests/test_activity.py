"""Work that takes long gives signs of life, ends when nobody waits for it, and hides no error."""

from __future__ import annotations

import threading
from collections.abc import Generator
from typing import Any

import pytest

from gandist import activity
from gandist.activity import Activity, Tell, alive

PATIENCE_S = 30


@pytest.fixture(autouse=True)
def looked_at_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activity, "EVERY_S", 0.005)


def drained(signs: Generator[str, None, Any]) -> tuple[list[str], Any]:
    """All that is yielded, and what is returned."""
    seen = []
    while True:
        try:
            seen.append(next(signs))
        except StopIteration as end:
            return seen, end.value


class Work:
    """Tells each of ``activities`` and goes on when it was seen."""

    def __init__(self, *activities: Activity) -> None:
        self.activities = activities
        self.seen = threading.Semaphore(0)
        self.ended_by: BaseException | None = None

    def __call__(self, tell: Tell) -> str:
        try:
            for one in self.activities:
                tell(one)
                assert self.seen.acquire(timeout=PATIENCE_S)
        except BaseException as error:
            self.ended_by = error
            raise
        return "done"

    def see(self, text: str) -> str:
        self.seen.release()
        return text


def test_what_is_told_is_yielded_and_the_result_returned() -> None:
    work = Work(Activity("decoding pictures", 1, 2), Activity("hashing"))
    assert drained(alive(work, work.see)) == (["decoding pictures 1/2", "hashing"], "done")


def test_the_time_left_is_told_where_there_is_a_total(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter(range(0, 1000, 10))
    monkeypatch.setattr(activity.time, "monotonic", lambda: float(next(now)))
    pace = activity._Pace()
    told = [("a", 100, 400), ("a", 200, 400), ("a", 300, 400), ("b", 1, 2), ("c", 5, 0), ("c", 9, 0)]
    assert [pace.text(Activity(*one)) for one in told] == [
        "a 100/400",
        "a 200/400, 0:20 left",
        "a 300/400, 0:10 left",
        "b 1/2",
        "c 5",
        "c 9",
    ]


def test_silence_yields_nothing_unless_it_was_expected(monkeypatch: pytest.MonkeyPatch) -> None:
    """So whoever listens tells work that hangs from work that goes on."""
    looks, look = threading.Semaphore(0), activity.wait
    monkeypatch.setattr(
        activity, "wait", lambda *args, **options: (looks.release(), look(*args, **options))[1]
    )
    assert drained(alive(lambda _: [looks.acquire() for _ in range(5)], str)) == ([], [True] * 5)
    let_go = threading.Event()

    def see(text: str) -> str:
        let_go.set()
        return text

    seen, result = drained(
        alive(lambda _: let_go.wait(PATIENCE_S), see, doing="importing", patience_s=PATIENCE_S)
    )
    assert (set(seen), result) == ({"importing"}, True)


def test_an_error_is_raised_where_the_work_is_waited_for() -> None:
    def work(tell: Tell) -> None:
        raise ValueError("no such folder")

    with pytest.raises(ValueError, match="no such folder"):
        drained(alive(work, str))


def test_left_early_the_work_ends_at_what_it_tells_next() -> None:
    work = Work(*[Activity("decoding", i, 9) for i in range(9)])
    signs = alive(work, work.see)
    next(signs)
    signs.close()
    assert type(work.ended_by).__name__ == "_LeftError"


def test_it_ends_likewise_where_whoever_looks_raises() -> None:
    work = Work(*[Activity("decoding", i, 9) for i in range(9)])

    def see(text: str) -> str:
        work.seen.release()
        raise InterruptedError(text)

    with pytest.raises(InterruptedError, match="decoding"):
        drained(alive(work, see))
    assert type(work.ended_by).__name__ == "_LeftError"


def test_another_thread_that_tells_is_not_ended_with_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    tells: list[Tell] = []
    signs = alive(lambda tell: (tells.append(tell), tell(Activity("a"))), str, patience_s=PATIENCE_S)
    drained(signs)
    tells[0](Activity("the storage refuses"))
