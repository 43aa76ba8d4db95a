"""Killed anywhere, a job ends with the bits of one that was left alone."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random
from signal import SIGKILL, SIGTERM

import pytest

from .fingerprint import differences, fingerprint
from .harness import (
    ONE_SEED,
    SHORT,
    Driver,
    Fault,
    Moment,
    Survived,
    Target,
    job_directory,
    random_faults,
    run_through,
    session,
)

pytestmark = pytest.mark.ray

POINTS = 3  # in each run of the job


def assert_undisturbed(folder: Path, survived: Survived, undisturbed: dict[str, str]) -> None:
    assert survived.exit_code == 0, survived.output
    assert differences(fingerprint(job_directory(folder)), undisturbed) == {}


def test_an_actor_is_killed_while_it_writes(tmp_path: Path, undisturbed_seed: dict[str, str]) -> None:
    faults = [Fault("actor", SIGKILL, Moment("writing", 0, 20))]
    survived = run_through(tmp_path, faults, options=SHORT)
    assert survived.struck == tuple(faults)
    assert_undisturbed(tmp_path, survived, undisturbed_seed)
    assert "its worker process has died" in survived.output


def test_a_process_is_killed_and_its_newest_checkpoint_altered(
    tmp_path: Path, undisturbed_seed: dict[str, str]
) -> None:
    faults = [Fault("driver", SIGKILL, Moment("training", 0, 20), "flip")]
    survived = run_through(tmp_path, faults, options=["--local", *SHORT])
    assert (survived.struck, survived.damaged) == (tuple(faults), 1)
    assert_undisturbed(tmp_path, survived, undisturbed_seed)
    assert "not used: " in str(job_directory(tmp_path).trial("base-seed0").read_state().notes)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("target", ["raylet", "head"])
def test_a_ray_that_dies_ends_the_run_in_a_line_and_the_next_goes_on(
    tmp_path: Path, undisturbed_seed: dict[str, str], target: Target
) -> None:
    faults = [Fault(target, SIGKILL, Moment("training", 0, 20))]
    survived = run_through(tmp_path, faults, options=SHORT)
    assert survived.struck == tuple(faults)
    assert_undisturbed(tmp_path, survived, undisturbed_seed)
    said = (tmp_path / "output.txt").read_text()
    assert "answers no more, killed or crashed; the same command goes on from the last checkpoints\n" in said
    assert "Traceback" not in said


def is_there(driver: Driver, name: str) -> bool:
    return any(name in title for title in session(driver.process.pid).values())


@pytest.mark.parametrize("times", [pytest.param(1, marks=pytest.mark.slow), 3])
def test_a_signal_while_ray_starts_ends_it_all(tmp_path: Path, times: int) -> None:
    with Driver(tmp_path, ONE_SEED) as driver:
        assert driver.until(
            lambda: any("gcs_server" in title for title in session(driver.process.pid).values())
        )
        for _ in range(times):
            driver.process.send_signal(SIGTERM)
        assert driver.wait() == 128 + SIGTERM
        assert session(driver.process.pid) == {}
        assert not driver.job_dir.storage.exists("driver.json")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_signal_to_the_whole_group_leaves_ray_there_until_trials_have_stopped(tmp_path: Path) -> None:
    with Driver(tmp_path, ONE_SEED) as driver:  # as `timeout` and a closed terminal send it
        trial = driver.job_dir.trial("base-seed0")
        assert driver.until(lambda: bool(trial.checkpoints()))
        others = {os.getpgid(pid) for pid in session(driver.process.pid) if pid != driver.process.pid}
        assert driver.process.pid not in others
        os.killpg(driver.process.pid, SIGTERM)
        assert driver.wait() == 128 + SIGTERM
        assert trial.read_state().status == "stopped", driver.output


@pytest.mark.slow
def test_a_signal_while_ray_shuts_down_changes_only_the_exit_code(tmp_path: Path) -> None:
    with Driver(tmp_path, [*ONE_SEED, "--set", "training.steps=1"]) as driver:
        assert driver.until(lambda: "base-seed0  completed" in driver.output)
        assert driver.until(
            lambda: not any("/raylet " in title for title in session(driver.process.pid).values())
        )
        driver.process.send_signal(SIGTERM)
        assert driver.wait() == 128 + SIGTERM
        assert session(driver.process.pid) == {}
        assert not driver.job_dir.storage.exists("driver.json")


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("target", ["actor", "actors", "driver", "raylet", "head"])
@pytest.mark.parametrize("seed", range(3))
def test_seeded_kill_points(tmp_path: Path, undisturbed: dict[str, str], target: Target, seed: int) -> None:
    faults = random_faults(Random(f"{target} {seed}"), [target], POINTS)  # noqa: S311
    survived = run_through(tmp_path, faults)
    assert survived.struck == tuple(faults)
    assert_undisturbed(tmp_path, survived, undisturbed)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_process_without_ray_is_stopped_and_killed(tmp_path: Path, undisturbed: dict[str, str]) -> None:
    faults = random_faults(Random("local"), ["driver"], POINTS)  # noqa: S311
    survived = run_through(tmp_path, faults, options=["--local"])
    assert survived.struck == tuple(faults)
    assert_undisturbed(tmp_path, survived, undisturbed)
