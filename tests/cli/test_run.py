"""``gandist run``: what it prints, what it exits with, and what it leaves."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from runner.fakes import script

from gandist.artifacts.driver import Holder
from gandist.artifacts.job_dir import JobDir
from gandist.runner.lease import Lease
from gandist.spec import job
from gandist.spec.job import JobSpec
from gandist.spec.trial import TrialSpec
from tests.conftest import CommandLine
from tests.strangers import write_documents


def test_a_run_ends_with_the_path_of_the_report(gandist_: CommandLine) -> None:
    code, out, err = gandist_("run", "job.yaml", "--local")
    assert (code, err) == (0, [])
    assert out[0] == "small: 1 configuration x 2 seeds = 2 trials, 2 to run, 0 finished; in runs/small"
    assert out[-2:] == ["2 completed", "runs/small/report.html"]
    assert Path(out[-1]).is_file()
    assert JobDir("runs/small").trial("base-seed1").read_state().step == 3


def test_a_finished_job_needs_neither_ray_nor_tensorflow(gandist_: CommandLine) -> None:
    gandist_("run", "job.yaml", "--local")
    code = (
        "import sys; from gandist import cli\n"
        "try: cli.main()\n"
        "except SystemExit as left: print(left.code, [m for m in ('ray', 'tensorflow') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, "run", "job.yaml"], capture_output=True, text=True)
    assert done.stdout.splitlines() == [
        "nothing left to do: 2 of 2 trials are finished",
        "2 completed",
        "runs/small/report.html",
        "0 []",
    ]


@pytest.mark.parametrize("command", ["run job.yaml --local", "validate job.yaml"])
@pytest.mark.usefixtures("devices")
def test_a_job_is_validated_and_expanded_once(
    gandist_: CommandLine, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    made: list[object] = []

    def counted(made_of: Any, *arguments: Any, **options: Any) -> Any:
        made.append(made_of)
        return made_of(*arguments, **options)

    for owner, name in ((JobSpec, "model_validate"), (TrialSpec, "model_validate"), (job, "configurations")):
        monkeypatch.setattr(owner, name, partial(counted, getattr(owner, name)))
    assert gandist_(*command.split())[0] == 0
    assert [owner.__qualname__ for owner in made] == [
        "BaseModel.model_validate",
        "configurations",
        "BaseModel.model_validate",
        "BaseModel.model_validate",
    ]


def test_a_failed_trial_is_named_with_its_reason(gandist_: CommandLine) -> None:
    script(JobDir("runs/small"), {"base-seed1": ["no_data"]})
    write_documents(JobDir("runs/small"), {}, {"job": "small"})
    code, out, err = gandist_("run", "job.yaml", "--local")
    assert code == 1
    assert out[-2] == "1 completed, 1 failed"
    assert err == [
        "base-seed1: failed: /data/mnist.npz: no such file",
        "once their cause is gone, the same command with --retry-failed runs them again",
    ]
    assert gandist_("run", "job.yaml", "--local")[::2] == (1, err), "it is not tried again by itself"
    assert gandist_("run", "job.yaml", "--local", "--retry-failed")[0] == 0


def test_a_set_field_and_another_storage(gandist_: CommandLine, tmp_path: Path) -> None:
    gandist_(
        "run",
        "job.yaml",
        "--local",
        "--storage",
        "elsewhere",
        "--set",
        "training.steps=5",
        "--set",
        "seeds=7",
    )
    assert JobDir("elsewhere/small").trial("base-seed7").read_state().step == 5
    assert not (tmp_path / "runs").exists()


def test_other_settings_are_refused_and_nothing_is_written(gandist_: CommandLine) -> None:
    gandist_("run", "job.yaml", "--local")
    before = JobDir("runs/small").read_manifest()
    code, out, err = gandist_("run", "job.yaml", "--local", "--set", "model.latent_dim=7")
    assert (code, out) == (2, [])
    assert err[:2] == [
        "base-seed0 and 1 more: trained with other settings than the job has now:",
        "  base-seed0: model.latent_dim: 100 -> 7",
    ]
    assert JobDir("runs/small").read_manifest() == before


def test_fresh_moves_what_was_trained_with_other_settings_aside(gandist_: CommandLine) -> None:
    gandist_("run", "job.yaml", "--local")
    code, out, _ = gandist_("run", "job.yaml", "--local", "--fresh", "--set", "model.latent_dim=7")
    assert code == 0
    assert "base-seed1: trained anew; what there was is now in aside/base-seed1-1" in out
    assert JobDir("runs/small").trial("base-seed1").read_trial()["model"]["latent_dim"] == 7
    assert JobDir("runs/small").storage.list("aside") == ["base-seed0-1", "base-seed1-1"]


def test_a_job_has_one_driver_at_a_time(gandist_: CommandLine) -> None:
    gandist_("run", "job.yaml", "--local")
    job_dir = JobDir("runs/small")
    assert not job_dir.storage.exists(JobDir.DRIVER)
    before = job_dir.read_manifest(), job_dir.storage.list()
    for arguments in (["--set", "seeds=0..2"], []):  # something to run, and nothing
        with Lease(job_dir.storage, pytest.fail) as other:
            other.take()
            code, _, err = gandist_("run", "job.yaml", "--local", *arguments)
            assert gandist_("status", "runs/small")[0] == 0
        assert code == 1
        assert f"being run by process {os.getpid()} on" in err[0]
        assert (job_dir.read_manifest(), job_dir.storage.list()) == before


def test_a_driver_that_was_killed_before_it_wrote_the_job_left_nothing_in_the_way(
    gandist_: CommandLine,
) -> None:
    dead = Holder.this_process().model_copy(update={"process": "1"})
    JobDir("runs/small").storage.write(JobDir.DRIVER, dead.model_dump_json().encode())
    assert gandist_("run", "job.yaml", "--local")[0] == 0


def test_sigterm_stops_at_a_checkpoint_and_gives_the_job_back(gandist_: CommandLine) -> None:
    job_dir = JobDir("runs/small")
    write_documents(job_dir, {}, {"job": "small"})
    script(job_dir, {"base-seed0": ["terminated"]})
    code, out, err = gandist_("run", "job.yaml", "--local")
    assert (code, err) == (143, [])
    assert out[-2] == "1 stopped, 1 queued"
    assert out[-1].startswith("stopped; the same command goes on from here; ")
    assert out[-1].endswith("gandist report runs/small")
    assert not job_dir.storage.exists(JobDir.DRIVER)
    assert gandist_("run", "job.yaml", "--local")[0] == 0


def test_what_cannot_fit_is_refused_and_nothing_is_written(
    gandist_: CommandLine, ray_cluster: object, tmp_path: Path
) -> None:
    code, _, err = gandist_("run", "job.yaml", "--set", "resources.cpus=64")
    assert code == 2
    assert len(err) == 1
    assert "--set resources.cpus=4" in err[0]
    assert not (tmp_path / "runs").exists()


def test_networks_that_do_not_fit_their_images_are_refused_and_nothing_is_written(
    gandist_: CommandLine, tmp_path: Path
) -> None:
    code, _, err = gandist_("run", "job.yaml", "--local", "--set", "model.depth=3")
    assert code == 2
    assert len(err) == 1
    assert "images of 28x28 cannot be halved 3 times" in err[0]
    assert not (tmp_path / "runs").exists()


def test_what_is_probably_not_meant_is_told_and_run_all_the_same(gandist_: CommandLine) -> None:
    odd = ("--set", "seeds=3", "--set", "training.steps=1e1", "--set", "samples.every_steps=20")
    lines = [
        "seeds: one seed, number 3; for 3 seeds write 0..2",
        "samples.every_steps: 20 is beyond the end of training.steps: 10: only the last step counts",
    ]
    code, _, err = gandist_("run", "job.yaml", "--local", *odd)
    assert (code, err) == (0, lines)
    code, out, err = gandist_("run", "job.yaml", "--local", *odd[:2], "--set", "training.steps=4")
    assert (code, out[0]) == (0, "nothing left to do: 1 of 1 trials are finished")
    assert err == [
        "base-seed3: trained further than training.steps: 4 asks for now (1 finished, which stay as they are)"
        "; to train all for equally long, give the job another name"
    ]


def test_data_that_only_the_nodes_of_a_cluster_have_is_not_looked_for_here(
    gandist_: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    _, _, err = gandist_("run", "job.yaml", "--set", "data.name=mnist", "--data-dir", "nowhere")
    assert "no Ray answers there" in err[0]
