"""gandist from Python: the functions that the command line itself uses."""

from __future__ import annotations

import dataclasses
import inspect
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

import gandist
from gandist.api import Ran
from gandist.artifacts.job_dir import JobDir
from gandist.errors import NotAJobError, UsageError
from gandist.results import Generator, Results, TrialResults
from gandist.runner.events import Began, Finished, Notice, Outcome, Progress, RunEvent
from gandist.version import VERSION
from tests.conftest import CommandLine
from tests.faults.fingerprint import differences, fingerprint
from tests.runner import fakes

JOB: dict[str, Any] = {
    "name": "small",
    "data": {"name": "digits", "batch_size": 16},
    "model": {"name": "dcgan", "width": 2, "kernel_size": 3, "latent_dim": 8},
    "training": {"steps": 4},
    "samples": {"every_steps": 2, "rows": 2, "columns": 2},
    "evaluation": {"every_steps": 4, "samples": 100},
    "seeds": [0, 1],
    "resources": {"cpus": 1, "gpus": 0},
}


@pytest.fixture
def without_tensorflow(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Trials count their steps, and the current directory is empty."""
    monkeypatch.setitem(sys.modules, "gandist.training.trial", fakes)
    monkeypatch.chdir(tmp_path)


def in_another_thread(work: Callable[[], Any]) -> Any:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


def signature(function: Callable[..., Any]) -> str:
    """Without annotations: names, order, defaults, and what is given by name only."""
    found = inspect.signature(function)
    bare = [
        it.replace(annotation=it.empty, default=... if inspect.isfunction(it.default) else it.default)
        for it in found.parameters.values()
        if it.name != "self"
    ]
    return str(found.replace(parameters=bare, return_annotation=found.empty))


def methods(kind: type) -> dict[str, str]:
    """The public ones, with their signatures; of what is no method, nothing."""
    public = {name: getattr(kind, name) for name in dir(kind) if name[0] != "_"}
    return {name: signature(it) if callable(it) else "" for name, it in public.items()}


def test_the_public_names() -> None:
    """What users rely on: a change goes into CHANGELOG.md."""
    assert gandist.__version__ == VERSION
    functions = {name: signature(getattr(gandist, name)) for name in gandist.__all__ if name[0] != "_"}
    assert functions == {
        "evaluate": "(root, *, trial=None, checkpoint='last', metrics=(), features=None, samples=None, "
        "data_dir=None, plugins=(), on_line=Ellipsis, tell=Ellipsis)",
        "load_job": "(source, overrides=(), plugins=())",
        "open": "(root, *, plugins=())",
        "run": "(job, storage='runs', *, data_dir=None, local=False, retry_failed=False, fresh=False, "
        "on_event=None)",
    }
    assert dir(gandist) == sorted([*gandist.__all__, "keras"])
    with pytest.raises(AttributeError, match="no attribute 'train'"):
        _ = gandist.train  # type: ignore[attr-defined]


def test_what_they_give_has_these_methods() -> None:
    assert methods(Results) == {
        "figure": "(name='losses')",
        "losses": "()",
        "metrics": "()",
        "report": "()",
        "trial": "(name)",
        "trials": "()",
        "verdict": "()",
    }
    assert methods(TrialResults) == {"generator": "(best=False)", "losses": "()", "metrics": "()"}
    assert methods(Generator) == {
        "model": "",
        "sample": "(n=64, label=None, *, seed=0, truncation=1.0)",
    }
    assert list(methods(Ran)) == ["counts", "exit_code", "report", "results", "signal", "verdict"]
    assert [it.name for it in dataclasses.fields(Ran)] == ["states", "root", "signal", "report", "verdict"]


def test_importing_gandist_loads_nothing_but_its_version() -> None:
    code = "import sys; before = set(sys.modules); import gandist; print(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name for name in done.stdout.split() if name.partition(".")[0] not in sys.stdlib_module_names}
    assert loaded == {"gandist", "gandist.version"}


def test_using_gandist_loads_neither_tensorflow_nor_ray() -> None:
    code = (
        "import sys, gandist; gandist.load_job, gandist.run, gandist.open\n"
        "print([name for name in ('tensorflow', 'keras', 'ray', 'typer') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.slow  # test_environment.py compares the two in every run
@pytest.mark.usefixtures("devices")
def test_a_run_from_python_and_one_from_the_command_line_end_in_the_same_bits(tmp_path: Path) -> None:
    """The one from Python in a thread, where no signal arrives."""
    settings = {**JOB, "seeds": [1]}
    job = gandist.load_job(settings)
    ran = in_another_thread(lambda: gandist.run(job, tmp_path / "python", local=True))
    (tmp_path / "job.yaml").write_text(yaml.safe_dump(settings))
    command = ["-m", "gandist", "run", "job.yaml", "--local", "--storage", "command"]
    subprocess.run([sys.executable, *command], cwd=tmp_path, capture_output=True, check=True)
    found = [fingerprint(JobDir(str(tmp_path / where / "small"))) for where in ("python", "command")]
    assert differences(*found) == {}
    assert found[0]["base-seed1 state"] == "completed 4/4"
    results = gandist.open(ran.root)
    assert results.losses().num_rows == 4
    assert results.metrics().num_rows == 1


@pytest.mark.usefixtures("without_tensorflow")
def test_a_run_ends_with_the_report_and_is_continued_by_the_same_call() -> None:
    events: list[RunEvent] = []
    ran = gandist.run(JOB, local=True, on_event=events.append)
    assert repr(ran) == "<job in runs/small: 2 completed; report runs/small/report.html>"
    assert ran.results == gandist.open("runs/small")
    assert (ran.counts, ran.exit_code, ran.signal) == ({"completed": 2}, 0, None)
    assert (ran.root, ran.report) == ("runs/small", "runs/small/report.html")
    assert Path(ran.report).is_file()
    kinds = [type(event) for event in events]
    (began,) = (event for event in events if isinstance(event, Began))
    assert began.steps == {"base-seed0": 4, "base-seed1": 4}
    assert kinds[-1] is Outcome
    assert kinds.index(Began) < kinds.index(Progress)
    assert kinds.count(Finished) == 2
    events.clear()
    again = gandist.run(gandist.load_job(JOB, ["seeds=[0]"]), local=True, on_event=events.append)
    assert again.counts == {"completed": 1}
    assert events[0] == Notice("nothing left to do: 1 of 1 trials are finished")


@pytest.mark.usefixtures("without_tensorflow")
def test_the_command_line_prints_what_a_caller_is_told(tmp_path: Path, command_line: CommandLine) -> None:
    events: list[RunEvent] = []
    odd = gandist.load_job(JOB, ["seeds=3"])
    gandist.run(odd, "python", local=True, on_event=events.append)
    Path("job.yaml").write_text(yaml.safe_dump(JOB))
    _, out, err = command_line("run", "job.yaml", "--local", "--storage", "command", "--set", "seeds=3")
    told = [event for event in events if isinstance(event, Notice)]
    assert [event.text for event in told if event.warning] == err
    lines = [event.text.replace("python/", "command/") for event in told if not event.warning]
    assert lines[0] == out[0]
    assert [line for line in out if line in lines] == lines
    assert len(lines) > 2


@pytest.mark.usefixtures("without_tensorflow")
def test_ctrl_c_stops_at_a_checkpoint_and_the_same_call_goes_on() -> None:
    job, handler = gandist.load_job(JOB), signal.getsignal(signal.SIGINT)

    def interrupt(event: RunEvent) -> None:
        if isinstance(event, Progress) and event.state.step == 2:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        gandist.run(job, local=True, on_event=interrupt)
    assert signal.getsignal(signal.SIGINT) == handler
    trials = gandist.open("runs/small").trials().to_pylist()
    assert [(trial["status"], trial["step"]) for trial in trials] == [("stopped", 2), ("queued", 0)]
    assert not Path("runs/small/report.html").exists()
    assert gandist.run(job, local=True).counts == {"completed": 2}


@pytest.mark.usefixtures("without_tensorflow")
def test_what_a_caller_s_function_raises_ends_the_run_and_gives_the_job_back() -> None:
    def fail(event: RunEvent) -> None:
        if isinstance(event, Progress):
            raise ZeroDivisionError

    job = gandist.load_job(JOB)
    with pytest.raises(ZeroDivisionError):
        gandist.run(job, local=True, on_event=fail)
    assert gandist.run(job, local=True).exit_code == 0


@pytest.mark.usefixtures("without_tensorflow")
def test_the_tables_of_a_job_are_those_that_its_report_writes() -> None:
    ran = gandist.run(gandist.load_job(JOB), local=True)
    results = gandist.open(Path(ran.root))
    for name in ("trials", "losses", "metrics"):
        assert getattr(results, name)().equals(pq.read_table(f"{ran.root}/{name}.parquet")), name
    Path(ran.report).unlink()
    assert results.report() == ran.report
    assert Path(ran.report).is_file()


@pytest.mark.usefixtures("without_tensorflow")
def test_what_is_wrong_is_an_error_of_gandist_s() -> None:
    with pytest.raises(NotAJobError):
        gandist.open("nowhere")
    gandist.run(gandist.load_job(JOB), local=True)
    other = gandist.load_job(JOB, ["model.latent_dim=7"])
    with pytest.raises(UsageError, match=r"model\.latent_dim: 8 -> 7"):
        gandist.run(other, local=True)
    assert gandist.run(other, local=True, fresh=True).counts == {"completed": 2}
