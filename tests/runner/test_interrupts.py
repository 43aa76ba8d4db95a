"""Signals, and what amounts to one: a pipe or a terminal that nobody reads any more."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gandist.runner import interrupts
from gandist.runner.interrupts import Interrupted, at_a_checkpoint, at_once, interruptible

STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
RUN = [sys.executable, "-m", "gandist", "run", "job.yaml", "--local"]
JOB = """
name: small
data: {name: digits, batch_size: 16}
model: {name: mlp, generator_widths: [4], discriminator_widths: [4]}
training: {steps: 1000000}
samples: {every_steps: 1000000, rows: 2, columns: 2}
seeds: [0]
resources: {gpus: 0, cpus: 1}
"""


def send(number: int) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", STOPS)
def test_outside_the_zones_a_signal_is_noted_and_what_was_begun_gets_finished(number: int) -> None:
    with interruptible() as interrupt:
        send(number)
        send(signal.SIGTERM)
        send(signal.SIGINT)
        assert interrupt.signal == number
        with pytest.raises(Interrupted) as left, at_once():
            pytest.fail("what may be left at any moment is not begun")
    assert left.value.number == number


@pytest.mark.parametrize("number", STOPS)
def test_what_may_be_left_at_any_moment_is_left_once_and_cleaned_up_in_peace(number: int) -> None:
    cleaned_up = False
    with interruptible(), pytest.raises(Interrupted) as left, at_once():  # noqa: PT012
        try:
            send(number)
        finally:
            send(number)
            send(signal.SIGINT)
            cleaned_up = True
    assert left.value.number == number
    assert cleaned_up


def test_ray_takes_sigterm_and_gives_it_back() -> None:
    with interruptible() as interrupt:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        interrupts.take_back()
        send(signal.SIGTERM)
        assert interrupt.signal == signal.SIGTERM
        with pytest.raises(Interrupted), at_once():
            interrupts.arrived(signal.SIGTERM)  # what SystemExit(15) of Ray's means


def test_the_handlers_of_others_are_put_back() -> None:
    before = [signal.getsignal(number) for number in STOPS]
    with interruptible(), at_a_checkpoint():
        assert all(signal.getsignal(number) not in before for number in STOPS)
    assert [signal.getsignal(number) for number in STOPS] == before


def test_a_command_that_is_to_outlive_its_terminal_does() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        with interruptible() as interrupt:
            send(signal.SIGHUP)
            assert interrupt.signal is None
    finally:
        signal.signal(signal.SIGHUP, before)


def run(folder: Path, command: list[str]) -> subprocess.CompletedProcess[str]:
    (folder / "job.yaml").write_text(JOB)
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=240)


def test_a_pipe_that_nobody_reads_stops_at_a_checkpoint(tmp_path: Path) -> None:
    line = f"{' '.join(RUN)} | grep -m 1 running; echo ${{PIPESTATUS[0]}}"
    done = run(tmp_path, ["bash", "-c", line])
    assert done.stdout.splitlines()[-1] == str(128 + signal.SIGPIPE), done.stderr
    assert done.stderr == ""
    trial = tmp_path / "runs/small/trials/base-seed0"
    assert '"status": "stopped"' in (trial / "state.json").read_text()
    assert any(trial.glob("checkpoints/step-*/manifest.json"))
    assert not (tmp_path / "runs/small/driver.json").exists()


def test_a_list_that_nobody_reads_ends_quietly(tmp_path: Path) -> None:
    line = f"{sys.executable} -m gandist schema | true; echo ${{PIPESTATUS[0]}}"
    done = run(tmp_path, ["bash", "-c", line])
    assert (done.stdout, done.stderr) == (f"{128 + signal.SIGPIPE}\n", "")


def test_a_terminal_that_is_closed_stops_at_a_checkpoint(tmp_path: Path) -> None:
    """It sends SIGHUP to what runs in it, and refuses what is written from then on."""
    import pty

    (tmp_path / "job.yaml").write_text(JOB)
    child, terminal = pty.fork()
    if not child:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # nohup, perhaps around the tests, ignores it
        os.chdir(tmp_path)
        os.execv(RUN[0], RUN)  # noqa: S606
    seen = b""
    while b"running" not in seen:
        seen += os.read(terminal, 4096)
    os.close(terminal)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 128 + signal.SIGHUP
    assert '"status": "stopped"' in (tmp_path / "runs/small/trials/base-seed0/state.json").read_text()


def test_another_thread_has_no_signals_and_changes_nothing_for_the_main_one() -> None:
    entered, leave = threading.Event(), threading.Event()

    def run() -> list[int | None]:
        with interruptible() as mine, at_a_checkpoint() as other, at_once():
            entered.set()
            leave.wait()
            return [mine.signal, other.signal]

    with interruptible() as interrupt, ThreadPoolExecutor(1) as pool:
        running = pool.submit(run)
        entered.wait()
        try:
            send(signal.SIGTERM)
        except Interrupted:
            pytest.fail("left because of a zone of the other thread")
        finally:
            leave.set()
        assert running.result() == [None, None]
        assert interrupt.signal == signal.SIGTERM
