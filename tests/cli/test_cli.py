"""The command line: what it prints, and what it exits with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import types
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from runner import fakes
from runner.fakes import script
from typer.main import get_command

import gandist
from gandist import cli
from gandist.artifacts.driver import Holder
from gandist.artifacts.job_dir import JobDir
from gandist.artifacts.trial_state import TrialState
from gandist.data import Dataset
from gandist.remote.dashboard import ADDRESSES
from gandist.runner.lease import Lease
from gandist.spec import job
from gandist.spec.job import JobSpec, TrialSpec
from tests.conftest import CommandLine
from tests.strangers import write_documents

JOB = """
name: small
data: {name: digits}
model: {name: dcgan}
training: {steps: 3}
seeds: [0, 1]
resources: {cpus: 1}
"""


@pytest.fixture
def gandist_(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command_line: CommandLine) -> CommandLine:
    """Runs the command line in a directory with ``job.yaml``; its exit code, stdout and stderr as lines."""
    monkeypatch.chdir(tmp_path)
    for name in ("GANDIST_DATA_DIR", *ADDRESSES):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setitem(sys.modules, "gandist.training.trial", fakes)  # no TensorFlow
    (tmp_path / "job.yaml").write_text(JOB)

    return command_line


def test_importing_the_command_line_is_cheap() -> None:
    code = "import sys, gandist.cli; print([m for m in sys.argv[1:] if m in sys.modules])"
    heavy = ("tensorflow", "keras", "ray", "matplotlib", "sklearn", "pandas", "pyarrow", "gandist.spec.job")
    done = subprocess.run([sys.executable, "-c", code, *heavy], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


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
    code, out, _ = gandist_("run", "job.yaml", "--local")
    assert code == 143
    assert out[-2:] == ["1 stopped, 1 queued", "stopped; the same command goes on from here"]
    assert not job_dir.storage.exists(JobDir.DRIVER)
    assert gandist_("run", "job.yaml", "--local")[0] == 0


def test_notes_on_a_trial_are_shown_wherever_it_is(gandist_: CommandLine) -> None:
    gandist_("run", "job.yaml", "--local")
    notes = ("checkpoint step-9 is damaged: continued after step 6", "<b>continued</b> on 2 replicas")
    trial = JobDir("runs/small").trial("base-seed1")
    trial.write_state(trial.read_state().model_copy(update={"notes": notes}))
    assert gandist_("status", "runs/small")[1][-2:] == [f"base-seed1: {note}" for note in notes]
    gandist_("report", "runs/small")
    listed = pq.read_table("runs/small/trials.parquet").column("notes").to_pylist()
    assert listed == ["", "; ".join(notes)]
    page = Path("runs/small/report.html").read_text()
    trials = page[page.index('aria-label="Trials"') :]
    assert notes[0] in trials
    assert "&lt;b&gt;continued&lt;/b&gt; on 2 replicas" in trials


def test_what_cannot_fit_is_refused_and_nothing_is_written(
    gandist_: CommandLine, ray_cluster: object, tmp_path: Path
) -> None:
    code, _, err = gandist_("run", "job.yaml", "--set", "resources.cpus=64")
    assert code == 2
    assert len(err) == 1
    assert "--set resources.cpus=4" in err[0]
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["run"], "gandist run: Missing argument 'JOB'. (see gandist run --help)"),
        (["run", "job.yaml", "--fast"], "gandist run: No such option: --fast"),
        (["walk"], "gandist: No such command 'walk'. (see gandist --help)"),
        (["run", "none.yaml"], "none.yaml: no such file"),
        (["status", "none"], "none: no such directory; for a submitted job give its cluster's --address"),
        (["report", "none"], "none/job.yaml: no such file; is none a job directory?"),
        (["bench", "job.yaml", "--steps", "0"], "gandist bench: Invalid value for '--steps'"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(
    gandist_: CommandLine, arguments: list[str], line: str
) -> None:
    code, out, err = gandist_(*arguments)
    assert (code, out, len(err)) == (2, [], 1)
    assert err[0].startswith(line)


def test_every_mistake_in_a_job_is_a_line(gandist_: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(JOB.replace("steps: 3", "steps: 0").replace("cpus: 1", "cpus: 0"))
    code, out, err = gandist_("validate", "bad.yaml")
    assert (code, out, len(err)) == (2, [], 2)


def test_status_needs_no_running_job(gandist_: CommandLine) -> None:
    gandist_("run", "job.yaml", "--local")
    JobDir("runs/small").trial("base-seed1").write_state(
        TrialState(status="failed", reason="[red]broken[/red]")
    )
    code, out, _ = gandist_("status", "runs/small")
    assert code == 0
    assert out == [
        "base-seed0  completed  step 3/3",
        "base-seed1  failed     [red]broken[/red]",
        "2 trials: 1 completed, 1 failed",
    ]


def test_report_prints_its_path(gandist_: CommandLine) -> None:
    gandist_("run", "job.yaml", "--local")
    Path("runs/small/report.html").unlink()
    assert gandist_("report", "runs/small") == (0, ["runs/small/report.html"], [])
    assert Path("runs/small/report.html").is_file()


@pytest.mark.usefixtures("devices")
def test_validate_tells_the_size_and_the_cost(gandist_: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_text(f"{JOB}sweep: {{training.steps: [3, 4]}}")
    code, out, _ = gandist_("validate", "job.yaml")
    assert code == 0
    assert out[0] == "small: 2 configurations x 2 seeds = 4 trials"
    assert out[1].startswith("data: 1,797 pictures 28x28x1, 10 classes (0: 178, 1: 182, ")
    assert [line.split("; ")[1] for line in out[2:4]] == [
        "3 steps, 768 images a trial",
        "4 steps, 1,024 images a trial",
    ]
    assert "parameters, discriminator" in out[2]
    assert out[4] == "in all 14 steps, 3,584 images"
    assert not (tmp_path / "runs").exists()


def test_bench_times_the_first_trial(gandist_: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    def bench(trial: TrialSpec, dataset: Dataset, steps: int) -> dict[str, float]:
        return {"images_per_s": 1234.5678, "steps": steps, "images": len(dataset)}

    module = types.ModuleType("gandist.training.bench")
    vars(module)["bench"] = bench
    monkeypatch.setitem(sys.modules, "gandist.training.bench", module)
    assert gandist_("bench", "job.yaml", "--steps", "7")[1] == [
        "images_per_s: 1235",
        "steps: 7",
        "images: 1797",
    ]
    assert json.loads("".join(gandist_("bench", "job.yaml", "--json")[1])) == {
        "images_per_s": 1234.5678,
        "steps": 100,
        "images": 1797,
    }


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


MISSING = """
import os, sys
from gandist import cli
sys.argv = ["gandist", *sys.argv[1:], "--set", "data.name=mnist", "--data-dir", "nowhere"]
try:
    cli.main()
finally:
    print([name for name in ("tensorflow", "keras", "ray") if name in sys.modules], os.listdir())
"""


@pytest.mark.parametrize(
    "command", ["validate job.yaml", "bench job.yaml", "run job.yaml", "run job.yaml --local"]
)
def test_a_missing_data_file_is_told_before_anything_slow_is_loaded_or_anything_written(
    tmp_path: Path, command: str
) -> None:
    (tmp_path / "job.yaml").write_text(JOB)
    environment = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
    done = subprocess.run(
        [sys.executable, "-c", MISSING, *command.split()],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "[] ['job.yaml']"
    [line] = done.stderr.splitlines()
    assert "nowhere/mnist.npz: no such file" in line


def test_data_that_only_the_nodes_of_a_cluster_have_is_not_looked_for_here(
    gandist_: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    _, _, err = gandist_("run", "job.yaml", "--set", "data.name=mnist", "--data-dir", "nowhere")
    assert "no Ray answers there" in err[0]


def test_schema_is_json(gandist_: CommandLine) -> None:
    code, out, _ = gandist_("schema")
    assert code == 0
    assert "training" in json.loads("\n".join(out))["properties"]


def test_version(gandist_: CommandLine) -> None:
    assert gandist_("--version") == (0, [gandist.__version__], [])


def test_help_shows_every_command_with_an_example_and_every_option_with_a_text(gandist_: CommandLine) -> None:
    assert gandist_() == gandist_("--help")
    commands = get_command(cli.app).commands  # type: ignore[attr-defined]
    about_jobs = ["bench", "report", "run", "sample", "schema", "status", "validate"]
    on_clusters = ["fetch", "jobs", "logs", "stop", "submit"]
    assert sorted(commands) == sorted([*about_jobs, *on_clusters])
    for name, command in commands.items():
        assert f"gandist {name}" in (command.help or "")
        for parameter in command.params:
            assert getattr(parameter, "help", None), f"{name}: {parameter.name}"
