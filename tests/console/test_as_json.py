"""``--json``: one document on stdout, with the keys that are promised, and notices on stderr."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from gandist.artifacts.driver import Holder
from gandist.artifacts.job_dir import JobDir
from gandist.artifacts.trial_state import TrialState
from gandist.console import as_json
from gandist.remote.jobs_api import Submission
from tests.conftest import CommandLine
from tests.console.schema import JOBS, STATUS, VALIDATION, Schema, keys
from tests.strangers import write_documents

AT = 1767268800.25  # 2026-01-01 12:00:00.25 UTC
DOCS = Path(__file__).parents[2] / "docs" / "operators.md"
STATES = {
    "r1-seed0": TrialState(
        status="running", step=5, total_steps=9, images_per_s=70.5, d_loss=0.5, started_at=AT, updated_at=AT
    ),
    "r1-seed1": TrialState(status="failed", reason='a "quoted"\nreason', notes=("one", "two"), train_s=1.5),
}


@pytest.fixture
def job_dir(tmp_path: Path) -> JobDir:
    job_dir = JobDir(str(tmp_path / "runs" / "small"))
    listed = [{"id": trial, "config": "r1", "seed": seed} for seed, trial in enumerate(STATES)]
    made = {"created_at": "2026-01-01T12:00:00Z", "submitted_by": "alice"}
    write_documents(job_dir, {}, {"job": "small", "trials": listed, **made})
    for trial, state in STATES.items():
        job_dir.trial(trial).write_state(state)
    return job_dir


def document(out: list[str], schema: Schema) -> Any:
    """The one document that was printed."""
    found = json.loads("\n".join(out), parse_constant=pytest.fail)
    jsonschema.Draft202012Validator(schema).validate(found)
    return found


def test_status_tells_each_trial(command_line: CommandLine, job_dir: JobDir) -> None:
    me = Holder.this_process().model_copy(update={"started_at": AT})
    job_dir.storage.write(JobDir.DRIVER, me.model_dump_json().encode())
    code, out, err = command_line("status", job_dir.root, "--json")
    assert (code, err) == (0, [])
    found = document(out, STATUS)
    assert found["counts"] == {"running": 1, "failed": 1}
    assert found["driver"] == {"host": me.host, "pid": me.pid, "started_at": "2026-01-01T12:00:00.250000Z"}
    assert (found["created_at"], found["submitted_by"]) == ("2026-01-01T12:00:00Z", "alice")
    assert found["images_per_second"] == 70.5
    running, failed = found["trials"]
    assert (running["trial"], running["config"], running["seed"]) == ("r1-seed0", "r1", 0)
    assert (running["step"], running["total_steps"], running["d_loss"]) == (5, 9, 0.5)
    assert running["started_at"] == running["updated_at"] == "2026-01-01T12:00:00.250000Z"
    assert (failed["reason"], failed["notes"]) == (r'a "quoted"\nreason', ["one", "two"])
    assert (failed["training_seconds"], failed["started_at"], failed["g_loss"]) == (1.5, None, None)


def test_a_trial_that_lost_its_driver_is_interrupted(command_line: CommandLine, job_dir: JobDir) -> None:
    found = document(command_line("status", job_dir.root, "--json")[1], STATUS)
    assert found["counts"] == {"interrupted": 1, "failed": 1}
    assert found["driver"] is None
    assert [trial["images_per_second"] for trial in found["trials"]] == [0.0, 0.0]


def test_of_a_job_elsewhere_the_submission_is_told(
    command_line: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    metadata = {"gandist": "1", "job_name": "far", "job_dir": str(tmp_path / "far")}
    sent = Submission("far-1", "RUNNING", started_at=AT, metadata=metadata)
    monkeypatch.setattr("gandist.remote.jobs_api.find_submission", lambda *_: sent)
    code, out, (notice,) = command_line("status", "far", "--json")
    assert (code, "nothing of it in" in notice) == (0, True)
    found = document(out, STATUS)
    assert found["submission"]["submitted_at"] == "2026-01-01T12:00:00.250000Z"
    assert (found["submission"]["ended_at"], found["trials"]) == (None, [])


def test_jobs_tells_each_job_and_what_keeps_one_from_being_read(
    command_line: CommandLine, job_dir: JobDir
) -> None:
    runs = Path(job_dir.root).parent
    job_dir.storage.write(JobDir.REPORT, b"")
    write_documents(JobDir(f"{runs}/torn"), {}, "{")
    (runs / "notes").mkdir()
    code, out, err = command_line("jobs", str(runs), "--json")
    assert (code, err) == (0, [])
    found = document(out, JOBS)
    small, torn = found["jobs"]
    assert (small["job"], small["trials"], small["problem"]) == ("small", 2, None)
    assert small["counts"] == {"interrupted": 1, "failed": 1}
    assert small["written_at"] == "2026-01-01T12:00:00.250000Z"
    assert small["report"] == f"{job_dir.root}/report.html"
    assert (torn["job"], torn["counts"], torn["written_at"]) == ("torn", {}, None)
    assert "holds no mapping" in torn["problem"]
    assert found["others"] == 1


@pytest.mark.usefixtures("devices")
def test_validate_tells_the_cost_of_each_configuration(command_line: CommandLine, tmp_path: Path) -> None:
    job = tmp_path / "job.yaml"
    job.write_text("name: j\ndata: {name: digits}\nmodel: {name: mlp}\ntraining: {steps: 3}\nseeds: [0, 1]\n")
    code, out, err = command_line("validate", str(job), "--json")
    assert (code, err[0]) == (0, "j: 1 configuration x 2 seeds = 2 trials")
    found = document(out, VALIDATION)
    (base,) = found["configurations"]
    assert (base["config"], base["seeds"], base["steps"], base["training_seconds"]) == ("base", 2, 3, None)
    assert (found["trials"], found["steps"], found["images"]) == (2, 6, 2 * base["images"])


def test_what_was_tried_is_summed_over_the_trials() -> None:
    sizes = {"generator_parameters": 1, "discriminator_parameters": 2, "gflop_per_step": 0.5}
    tried = {**sizes, "ms_per_step": 20.0, "images_per_s": 100.0, "peak_memory_gib": 1.0}
    made = as_json.validation("j", [as_json.configuration("base", 3, 50, 100, tried)])
    found = document([as_json.text(made)], VALIDATION)
    assert (found["configurations"][0]["training_seconds"], found["training_seconds"]) == (1.0, 3.0)


@pytest.mark.parametrize("command", ["status", "validate"])
def test_bad_input_prints_no_document(command_line: CommandLine, tmp_path: Path, command: str) -> None:
    code, out, err = command_line(command, str(tmp_path / "nowhere"), "--json")
    assert (code, out, len(err)) == (2, [], 1)


def test_every_key_is_documented() -> None:
    text, promised = DOCS.read_text(), keys(STATUS) | keys(JOBS) | keys(VALIDATION)
    assert [key for key in sorted(promised) if f"`{key}`" not in text] == []
