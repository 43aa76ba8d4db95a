"""The background writer: in order, bounded, and never silent about a failure."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable

import pytest

from gandist.artifacts.writer import Writer
from gandist.errors import StorageError

PATIENCE_S = 30
"""Ends a test that would wait for ever; none comes near."""


class Gate:
    """A task that reports its start and waits until it is let through."""

    def __init__(self) -> None:
        self.begun, self.opened = threading.Event(), threading.Event()

    def __call__(self) -> None:
        self.begun.set()
        assert self.opened.wait(PATIENCE_S)


def refuse() -> None:
    raise StorageError("full")


def writers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "gandist-writer"]


def in_thread(call: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    return thread


def test_tasks_run_in_order_in_one_other_thread() -> None:
    ran: list[tuple[int, str]] = []
    with Writer() as writer:
        for i in range(100):
            writer.submit(lambda i=i: ran.append((i, threading.current_thread().name)))  # type: ignore[misc]
        writer.flush()
        assert ran == [(i, "gandist-writer") for i in range(100)]


def test_leaving_in_peace_finishes_everything() -> None:
    ran: list[int] = []
    with Writer() as writer:
        for i in range(100):
            writer.submit(lambda i=i: ran.append(i))  # type: ignore[misc]
    assert ran == list(range(100))
    assert writers() == []


def test_submitting_does_not_wait_for_the_task() -> None:
    gate = Gate()
    with Writer() as writer:
        writer.submit(gate)
        assert gate.begun.wait(PATIENCE_S)
        writer.submit(lambda: None)
        gate.opened.set()


@pytest.mark.parametrize(("limits", "sizes"), [((100, 9), (60, 40, 1)), ((100, 2), (0, 0, 0))])
def test_submitting_waits_where_too_much_is_pending(limits: tuple[int, int], sizes: tuple[int, ...]) -> None:
    gate, submitted = Gate(), threading.Event()
    with Writer(*limits) as writer:
        writer.submit(gate, sizes[0])
        writer.submit(lambda: None, sizes[1])

        def one_too_many() -> None:
            writer.submit(lambda: None, sizes[2])
            submitted.set()

        waiting = in_thread(one_too_many)
        assert gate.begun.wait(PATIENCE_S)
        assert not submitted.wait(0.05)
        gate.opened.set()
        assert submitted.wait(PATIENCE_S)
        waiting.join(PATIENCE_S)


def test_a_task_larger_than_the_limit_is_taken_alone() -> None:
    ran = threading.Event()
    with Writer(max_bytes=10) as writer:
        writer.submit(ran.set, 11)
        writer.flush()
    assert ran.is_set()


def test_a_task_is_let_go_of_when_it_is_done() -> None:
    class Task:
        def __call__(self) -> None:
            pass

    task = Task()
    gone = weakref.ref(task)
    with Writer() as writer:
        writer.submit(task)
        del task
        writer.flush()
        assert gone() is None


def test_a_failure_is_raised_by_flush_and_by_every_submit_after() -> None:
    with pytest.raises(StorageError, match="full"), Writer() as writer:  # noqa: PT012
        writer.submit(refuse)
        with pytest.raises(StorageError, match="full"):
            writer.flush()
        for _ in range(2):
            with pytest.raises(StorageError, match="full"):
                writer.submit(lambda: None)
        writer.flush()


def test_leaving_in_peace_raises_what_has_failed() -> None:
    with pytest.raises(StorageError, match="full"), Writer() as writer:
        writer.submit(refuse)
    assert writers() == []


def test_a_failure_wakes_who_waits_for_room_and_drops_what_is_behind() -> None:
    gate, raised, ran = Gate(), threading.Event(), threading.Event()

    def fail() -> None:
        gate()
        refuse()

    with pytest.raises(StorageError), Writer(max_tasks=2) as writer:  # noqa: PT012
        writer.submit(fail)
        writer.submit(ran.set)

        def one_too_many() -> None:
            with pytest.raises(StorageError):
                writer.submit(ran.set)
            raised.set()

        in_thread(one_too_many)
        gate.opened.set()
        assert raised.wait(PATIENCE_S)
    assert not ran.is_set()


def test_leaving_by_an_exception_abandons_what_has_not_begun() -> None:
    ran = threading.Event()
    gate = Gate()
    with pytest.raises(KeyboardInterrupt), Writer() as writer:  # noqa: PT012
        writer.submit(gate)
        writer.submit(ran.set)
        assert gate.begun.wait(PATIENCE_S)
        threading.Timer(0.05, gate.opened.set).start()
        raise KeyboardInterrupt
    assert gate.opened.is_set()
    assert not ran.is_set()
    assert writers() == []


def test_leaving_by_an_exception_ends_a_wait_for_the_storage() -> None:
    begun, went_on = threading.Event(), threading.Event()
    with pytest.raises(KeyboardInterrupt), Writer() as writer:  # noqa: PT012

        def wait() -> None:
            begun.set()
            writer.pause(PATIENCE_S)
            went_on.set()

        writer.submit(wait)
        assert begun.wait(PATIENCE_S)
        raise KeyboardInterrupt
    assert writers() == []
    assert not went_on.is_set()


def test_a_pause_of_a_writer_at_work_is_a_sleep() -> None:
    went_on = threading.Event()
    with Writer() as writer:
        writer.submit(lambda: (writer.pause(0.001), went_on.set())[1])
    assert went_on.is_set()
