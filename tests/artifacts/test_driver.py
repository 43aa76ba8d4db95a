"""Who runs a job, and whether that driver lives; of many jobs: ``tests/console/test_overview.py``."""

from __future__ import annotations

import os

from gandist.artifacts.driver import Holder, process_start


def test_where_the_system_does_not_say_when_a_process_began_its_id_counts() -> None:
    assert not Holder.this_process().model_copy(update={"process": ""}).is_over()


def test_a_driver_is_over_when_its_process_is_and_only_where_that_can_be_seen() -> None:
    mine = Holder.this_process()
    assert (mine.pid, mine.process) == (os.getpid(), process_start(os.getpid()))
    assert not mine.is_over()
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    ended = mine.model_copy(update={"pid": child})
    assert ended.is_over()
    assert not ended.model_copy(update={"place": "another boot"}).is_over()
