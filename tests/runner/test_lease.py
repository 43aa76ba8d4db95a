"""Who may run a job: leases taken, refused, taken over and lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gandist.artifacts import driver as driver_document
from gandist.artifacts.driver import WATCH_S, Holder
from gandist.artifacts.storage import Storage
from gandist.errors import RunError, StorageError
from gandist.runner.lease import LOOK_S, SETTLE_S, Lease

HOLD = """
import sys, time
from gandist.artifacts.storage import Storage
from gandist.runner.lease import Lease
with Lease(Storage(sys.argv[1]), print) as lease:
    lease.take()
    print("taken", flush=True)
    sys.stdin.read()
"""


class Times:
    """A sleep that takes no time: notes it, and lets something happen meanwhile."""

    def __init__(self, meanwhile: Callable[[int], None] = lambda _: None) -> None:
        self.seconds: list[float] = []
        self.meanwhile = meanwhile

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        self.meanwhile(len(self.seconds))


@pytest.fixture(params=["path", "uri"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    """A local path, where a lock helps; or reached by URI like an object storage, where there is none."""
    folder = tmp_path / "job"
    return Storage(str(folder) if request.param == "path" else folder.as_uri())


def make(storage: Storage, sleep: Callable[[float], None] | None = None) -> Lease:
    return Lease(storage, pytest.fail, sleep or Times(), renewing=False)


def holder(storage: Storage) -> Holder:
    return Holder.model_validate_json(storage.read("driver.json"))


def hold(storage: Storage, kept: Holder) -> None:
    storage.write("driver.json", kept.model_dump_json().encode())


def elsewhere() -> Holder:
    """A driver on another machine."""
    return Holder.this_process().model_copy(update={"place": "another boot", "host": "node7"})


@pytest.fixture
def driver(storage: Storage) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lease."""
    command = [sys.executable, "-c", HOLD, storage.root]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "taken\n"
        yield process
        process.kill()


def test_the_lease_names_its_holder_and_is_given_back(storage: Storage) -> None:
    with make(storage) as mine:
        mine.take()
        assert (holder(storage).pid, holder(storage).beat) == (os.getpid(), 0)
        mine.renew()
        mine.check()
        assert holder(storage).beat == 1
    assert storage.list() == []


def test_looking_tells_nothing_of_holders_that_have_ended_or_are_elsewhere(storage: Storage) -> None:
    mine = make(storage)
    mine.look()
    for kept in (Holder.this_process().model_copy(update={"process": "1"}), elsewhere()):
        hold(storage, kept)
        mine.look()
        assert holder(storage) == kept


def test_what_was_not_taken_is_not_given_back(storage: Storage) -> None:
    hold(storage, elsewhere())
    with make(storage):
        pass
    assert storage.list() == ["driver.json"]


def test_a_second_driver_is_refused_at_once_and_told_who_holds_the_job(
    storage: Storage, driver: subprocess.Popen[str]
) -> None:
    times = Times()
    second = make(storage, times)
    for try_ in (second.look, second.take):
        with pytest.raises(RunError, match=f"being run by process {driver.pid} on"):
            try_()
    assert times.seconds == []
    assert holder(storage).pid == driver.pid


def test_a_driver_that_was_killed_is_taken_over_at_once(
    storage: Storage, driver: subprocess.Popen[str]
) -> None:
    driver.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, driver.pid, os.WEXITED | os.WNOWAIT)
    dead = holder(storage)
    for reap in (driver.wait, lambda: 0):  # a zombie at first, then gone
        times = Times()
        with make(storage, times) as mine:
            mine.take()
            assert holder(storage).pid == os.getpid()
        assert sum(times.seconds) <= SETTLE_S
        hold(storage, dead)
        reap()


def test_an_id_that_another_process_has_now_holds_nothing(storage: Storage) -> None:
    hold(storage, Holder.this_process().model_copy(update={"process": "1"}))
    with make(storage) as mine:
        mine.take()


@pytest.mark.parametrize("kept", [elsewhere(), Holder()], ids=["elsewhere", "of another making"])
def test_a_holder_elsewhere_is_taken_over_when_it_does_not_renew(storage: Storage, kept: Holder) -> None:
    hold(storage, kept)
    told: list[str] = []
    times = Times()
    with Lease(storage, told.append, times, renewing=False) as mine:
        mine.take()
        assert holder(storage).pid == os.getpid()
    assert WATCH_S <= sum(times.seconds) <= WATCH_S + SETTLE_S
    assert len(told) == 1
    assert f"held by process {kept.pid} on {kept.host}" in told[0]


def test_a_holder_elsewhere_that_renews_is_left_alone(storage: Storage) -> None:
    kept = elsewhere()
    hold(storage, kept)
    renewed = kept.model_copy(update={"beat": 1})
    times = Times(lambda count: hold(storage, renewed) if count == 5 else None)
    with Lease(storage, [].append, times) as mine, pytest.raises(RunError, match="on node7, since"):
        mine.take()
    assert times.seconds == [LOOK_S] * 5
    assert holder(storage) == renewed


def test_a_holder_elsewhere_that_leaves_makes_way(storage: Storage) -> None:
    hold(storage, elsewhere())
    times = Times(lambda count: storage.delete("driver.json") if count == 1 else None)
    with Lease(storage, [].append, times, renewing=False) as mine:
        mine.take()
    assert sum(times.seconds) <= LOOK_S + SETTLE_S


@pytest.mark.parametrize("attempt", range(20))
def test_of_drivers_that_start_together_one_gets_the_job(tmp_path: Path, attempt: int) -> None:
    root, together, taken = str(tmp_path / "job"), threading.Barrier(8), []
    hold(Storage(root), Holder.this_process().model_copy(update={"process": "1"}))  # of a dead driver

    def start() -> None:
        mine = make(Storage(root))
        together.wait()
        try:
            mine.take()
        except RunError:
            return
        taken.append(mine)

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 1


def test_where_nothing_can_be_locked_the_last_of_two_that_write_has_it(tmp_path: Path) -> None:
    storage = Storage((tmp_path / "job").as_uri())
    times = Times(lambda _: hold(storage, elsewhere()))
    with make(storage, times) as mine, pytest.raises(RunError, match="on node7"):
        mine.take()
    assert times.seconds == [SETTLE_S]
    assert holder(storage).host == "node7", "the other's lease stays"


def test_a_driver_whose_lease_was_taken_leaves_and_touches_nothing(storage: Storage) -> None:
    with make(storage) as mine:
        mine.take()
        hold(storage, elsewhere())
        mine.renew()
        with pytest.raises(RunError, match=r"another has taken the job over \(process \d+ on node7"):
            mine.check()
    assert holder(storage).host == "node7"


class Unsteady(Storage):
    """Refuses the first renewal, and tells of a later one."""

    def __init__(self, root: str) -> None:
        super().__init__(root)
        self.writes = 0
        self.renewed = threading.Event()

    def write(self, path: str, content: bytes) -> None:
        self.writes += 1
        if self.writes == 2:
            raise StorageError("refused")
        super().write(path, content)
        if self.writes > 2:
            self.renewed.set()


def test_the_lease_is_renewed_in_the_background_also_after_the_storage_was_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver_document, "RENEW_S", 0.01)
    storage = Unsteady(str(tmp_path))
    with Lease(storage, pytest.fail) as mine:
        mine.take()
        assert storage.renewed.wait(60)
        mine.check()
    assert storage.list() == []


def test_a_lease_that_cannot_be_given_back_is_told_and_hides_nothing(tmp_path: Path) -> None:
    told: list[str] = []
    storage = Storage(str(tmp_path / "job"))

    def run() -> None:
        with Lease(storage, told.append, renewing=False) as mine:
            mine.take()
            storage.delete("")
            (tmp_path / "job").write_text("a file where the directory was")
            raise RunError("of the job")

    with pytest.raises(RunError, match="of the job"):
        run()
    assert len(told) == 1
