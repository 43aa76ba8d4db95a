"""The command line: what it prints, and what it exits with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import types
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.main import get_command

import gandist
from gandist import cli
from gandist.artifacts.job_dir import JobDir
from gandist.artifacts.trial_state import TrialState
from gandist.data import Dataset
from gandist.spec.trial import TrialSpec
from tests.cli.conftest import JOB
from tests.conftest import CommandLine
from tests.report.sweep import write_metrics


def test_importing_the_command_line_is_cheap() -> None:
    code = "import sys, gandist.cli; print([m for m in sys.argv[1:] if m in sys.modules])"
    heavy = ("tensorflow", "keras", "ray", "matplotlib", "sklearn", "pandas", "pyarrow", "gandist.spec.trial")
    done = subprocess.run([sys.executable, "-c", code, *heavy], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


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


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["run"], "gandist run: Missing argument 'JOB'. (see gandist run --help)"),
        (["run", "job.yaml", "--fast"], "gandist run: No such option: --fast"),
        (["walk"], "gandist: No such command 'walk'. (see gandist --help)"),
        (["run", "none.yaml"], "none.yaml: no such file"),
        (["status", "none"], "none: no such directory; for a submitted job give its cluster's --address"),
        (["report", "a", "b"], "several jobs: --out is missing; give the path of an HTML file"),
        (["report", "a", "--out", "b.html"], "--out is for several jobs"),
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


def test_report_and_run_print_the_answer_before_the_path(gandist_: CommandLine) -> None:
    gandist_("run", "job.yaml", "--local")
    for seed in (0, 1):
        trial = JobDir("runs/small").trial(f"base-seed{seed}")
        write_metrics(trial, "base", seed, 50, end=1.0, step=[3, 3], value=[20.0 + seed, 0.5])
    answer = "base: frechet (pixels) 20.5 [20.0, 21.0] (median and the range of 2 seeds)."

    assert gandist_("report", "runs/small") == (0, [answer, "runs/small/report.html"], [])
    assert gandist_("run", "job.yaml")[1][-2:] == [answer, "runs/small/report.html"]
    assert gandist.open("runs/small").verdict() == answer


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


def test_schema_is_json(gandist_: CommandLine) -> None:
    code, out, _ = gandist_("schema")
    assert code == 0
    assert "training" in json.loads("\n".join(out))["properties"]


def test_version(gandist_: CommandLine) -> None:
    assert gandist_("--version") == (0, [gandist.__version__], [])


def test_help_shows_every_command_with_an_example_and_every_option_with_a_text(gandist_: CommandLine) -> None:
    assert gandist_() == gandist_("--help")
    commands = get_command(cli.app).commands  # type: ignore[attr-defined]
    about_jobs = [
        "bench",
        "clean",
        "data",
        "evaluate",
        "export",
        "report",
        "run",
        "sample",
        "schema",
        "serve",
        "status",
        "validate",
    ]
    on_clusters = ["fetch", "jobs", "logs", "stop", "submit"]
    assert sorted(commands) == sorted([*about_jobs, *on_clusters])
    for name, command in commands.items():
        assert f"gandist {name}" in (command.help or "")
        for parameter in command.params:
            assert getattr(parameter, "help", None), f"{name}: {parameter.name}"
