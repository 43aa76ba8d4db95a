"""A directory of a stranger, or of a crash: every command ends in a table or a line."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from runner import fakes

from gandist.artifacts import driver
from gandist.artifacts.driver import place
from gandist.artifacts.job_dir import JobDir
from gandist.runner import lease
from tests.conftest import CommandLine
from tests.strangers import write_documents

SMALL = Path("runs/small")
STATE = SMALL / "trials/base-seed0/state.json"
MANIFEST = SMALL / "manifest.json"
JOB = """
name: small
data: {name: digits}
model: {name: dcgan}
training: {steps: 3}
resources: {cpus: 1}
schedule: {max_failures: 0}  # a failed trial is not tried again after a pause
"""
COMMANDS = {
    "status": ["status", "runs/small"],
    "jobs": ["jobs", "runs"],
    "report": ["report", "runs/small"],
    "sample": ["sample", "runs/small", "--out", "x.png"],
    "export": ["export", "runs/small", "--latex", "--csv", "out", "--tensorboard", "out"],
    "fetch": ["fetch", "runs/small", "copy"],
    "run": ["run", "job.yaml", "--local"],
}
EVERY = pytest.mark.parametrize("command", COMMANDS)


@pytest.fixture
def gandist_(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command_line: CommandLine) -> CommandLine:
    """Runs the command line beside ``job.yaml`` and ``runs/small``, a job of one trial that was stopped."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "gandist.training.trial", fakes)  # no TensorFlow
    for module, name in ((driver, "WATCH_S"), (lease, "LOOK_S"), (driver, "RENEW_S")):
        monkeypatch.setattr(module, name, 0.02)  # a driver elsewhere is not waited for
    Path("job.yaml").write_text(JOB)
    trial = {"id": "base-seed0", "config": "base", "seed": 0}
    write_documents(JobDir("runs/small"), {"name": "small"}, {"job": "small", "trials": [trial]})
    write(STATE, {"status": "stopped", "step": 1, "total_steps": 3})
    return command_line


def write(path: Path, document: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(document if isinstance(document, str) else json.dumps(document))


def end(gandist_: CommandLine, command: str) -> tuple[int, str]:
    """The exit code, and what was printed, which no terminal obeys."""
    code, out, err = gandist_(*COMMANDS[command])
    said = "\n".join([*out, *err])
    assert code in (0, 1, 2)
    assert said
    assert "Traceback" not in said
    assert [line for line in said.split("\n") if not line.isprintable()] == []
    return code, said


STATES = {
    "times": {"status": "running", "updated_at": 1e300, "started_at": -1e300},
    "a negative time": {"status": "running", "updated_at": -1e20},
    "no times": '{"status": "running", "updated_at": NaN, "train_s": Infinity, "images_per_s": -Infinity}',
    "a large integer": f'{{"step": {"9" * 5000}, "total_steps": {"9" * 4000}}}',
    "deep": '{"notes": ' + "[" * 100_000 + "]" * 100_000 + "}",
    "a lone surrogate": '{"notes": ["\\ud800"], "reason": "\\udfff", "status": "failed"}',
    "a budget of nothing": {"status": "completed", "step": 3, "budget": "{"},
    "a budget of text": {"status": "completed", "step": 3, "budget": '{"steps": "many"}'},
    "a budget of null": {"status": "completed", "step": 3, "budget": "null"},
    "another type": {"status": 3, "reason": 4, "notes": "x", "step": "y", "host": []},
    "booleans": {"status": True, "step": True, "device": False},
    "a list": [1, 2],
}


@EVERY
@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_a_state_that_is_none(gandist_: CommandLine, command: str, state: Any) -> None:
    write(STATE, state)
    end(gandist_, command)


MANIFESTS = {
    "ids of other types": {"job": "small", "trials": [{"id": 3, "config": True, "seed": "0"}]},
    "names of other types": {
        "job": 5,
        "created_at": 1e300,
        "versions": [3],
        "configs": {"a": 1},
        "trials": [],
    },
    "a seed that is true": {"job": "small", "trials": [{"id": "a", "config": "a", "seed": True}]},
    "trials that are none": {"job": "small", "trials": {"id": "a"}},
    "a large integer": f'{{"job": "small", "trials": [{{"id": "a", "config": "a", "seed": {"9" * 5000}}}]}}',
    "deep": '{"job": "small", "configs": ' + '{"a":' * 100_000 + "1" + "}" * 100_000 + ', "trials": []}',
    "escapes": {"job": "\x1b[31m", "git_commit": "\x1b]0;x\x07", "trials": [{"id": "\x1b[31m"}]},
    "a date that is none": {"job": "small", "created_at": "2026-99-99T99:99:99Z", "trials": []},
}


@EVERY
@pytest.mark.parametrize("manifest", MANIFESTS.values(), ids=MANIFESTS)
def test_a_manifest_that_is_none(gandist_: CommandLine, command: str, manifest: Any) -> None:
    write(MANIFEST, manifest)
    end(gandist_, command)


def bind(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


PLACES: dict[str, Callable[[Path], object]] = {
    "a pipe": os.mkfifo,
    "a socket": bind,
    "a directory": Path.mkdir,
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a file of another": lambda path: path.symlink_to("/etc/passwd"),
    "a terabyte": lambda path: (path.touch(), os.truncate(path, 2**40)),
}
FILES = (
    MANIFEST,
    STATE,
    SMALL / "job.yaml",
    SMALL / "driver.json",
    STATE.with_name("trial.yaml"),
    STATE.with_name("metrics.parquet"),
    STATE.parent / "losses/part-000000001-000000001.parquet",
    STATE.parent / "losses",
    STATE.parent / "samples/step-000000001.png",
)


@pytest.mark.parametrize(
    ("command", "there"),
    [  # each command with every other of them, and each with every other command, in every run
        pytest.param(command, there, marks=pytest.mark.slow if (i + k) % 2 else ())
        for i, command in enumerate(COMMANDS)
        for k, there in enumerate(PLACES)
    ],
)
def test_what_is_no_file_is_not_waited_for(gandist_: CommandLine, command: str, there: str) -> None:
    for file in FILES:
        clear(file)
        PLACES[there](file)
        end(gandist_, command)
        clear(file)
        if file == MANIFEST:
            write(MANIFEST, {"job": "small", "trials": [{"id": "base-seed0", "config": "base", "seed": 0}]})
        if file == STATE:
            write(STATE, {"status": "stopped", "step": 1, "total_steps": 3})


def clear(file: Path) -> None:
    """Nothing lies at ``file``, and a file may."""
    if file.is_dir() and not file.is_symlink():
        shutil.rmtree(file)
    else:
        file.unlink(missing_ok=True)
    file.parent.mkdir(parents=True, exist_ok=True)


def test_text_of_a_trial_is_shown_and_not_obeyed(gandist_: CommandLine) -> None:
    hostile = "\x1b[31mred\x07\nnext\u202eleft\x9b1m"
    write(STATE, {"status": "failed", "reason": hostile, "notes": [hostile], "host": hostile})
    _, said = end(gandist_, "status")
    shown = "\\x1b[31mred\\x07\\nnext\\u202eleft\\x9b1m"
    assert said.split("\n") == [
        f"base-seed0  failed     {shown}",
        "1 trial: 1 failed",
        f"base-seed0: {shown}",
    ]


@pytest.mark.parametrize("pid", [2**31, 2**63, 2**64, -1, "9" * 5000, 1e300, True, None, "1"])
@pytest.mark.parametrize("command", ["jobs", "status", "fetch", "report"])
def test_a_driver_of_an_impossible_process(gandist_: CommandLine, command: str, pid: Any) -> None:
    write(
        SMALL / "driver.json",
        f'{{"pid": {json.dumps(pid)}, "place": {json.dumps(place())}, "started_at": 1e300}}',
    )
    assert end(gandist_, command)[0] == 0


YAMLS = {
    "laughs": "a: &a [x,x,x,x,x,x,x,x,x]\n"
    + "".join(
        f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefghi", "bcdefghij", strict=True)
    ),
    "merged laughs": "a: &a {x: 1}\n"
    + "".join(
        f"{b}: &{b} {{<<: [{','.join([f'*{a}'] * 9)}]}}\n" for a, b in zip("abcdefg", "bcdefgh", strict=True)
    ),
    "a date that is none": "samples: 2001-99-99\n",
    "a large integer": f"samples: {'9' * 5000}\n",
    "deep": "samples: " + "[" * 100_000,
    "code": "samples: !!python/object/apply:os.system [true]\n",
    "escapes": 'samples: "\\e[31m\\u202e"\nmodel: "\\e]0;x\\a"\n',
}


@pytest.mark.parametrize("command", ["report", "sample", "run"])
@pytest.mark.parametrize("text", YAMLS.values(), ids=YAMLS)
def test_settings_that_are_none(gandist_: CommandLine, command: str, text: str) -> None:
    write(STATE, {"status": "completed", "step": 1, "total_steps": 3, "identity": "another"})
    (STATE.with_name("generator.keras")).write_bytes(b"")
    for file in (STATE.with_name("trial.yaml"), SMALL / "job.yaml"):
        write(file, text)
        end(gandist_, command)


@EVERY
def test_files_of_names_that_are_no_text(gandist_: CommandLine, command: str) -> None:
    for folder in (SMALL, STATE.parent, STATE.parent / "losses", Path("runs")):
        folder.mkdir(exist_ok=True)
        Path(os.fsdecode(os.fsencode(folder) + b"/\xff\x1b[31m")).write_bytes(b"")
    end(gandist_, command)


@EVERY
def test_links_that_lead_back_are_no_way_without_end(gandist_: CommandLine, command: str) -> None:
    for number in range(4):
        (SMALL / f"back{number}").symlink_to(".")
        (STATE.parent / f"back{number}").symlink_to("..")
    end(gandist_, command)


def test_a_link_shows_nothing_of_another_place(gandist_: CommandLine) -> None:
    """Whoever writes a report of a stranger's job, and gives it away, gives away nothing of his own."""
    Path("secret.yaml").write_text("password: hunter2\n")
    for file in (SMALL / "job.yaml", STATE.with_name("trial.yaml")):
        clear(file)
        file.symlink_to(Path("secret.yaml").absolute())
    assert (
        end(gandist_, "report")[1] == "runs/small/job.yaml: a link leads out of the directory; check the path"
    )
    write_documents(JobDir("runs/small"), {}, json.loads(MANIFEST.read_text()))
    assert end(gandist_, "report")[0] == 0
    assert "hunter2" not in (SMALL / "report.html").read_text()
    end(gandist_, "fetch")
    assert not list(Path("copy").rglob("trial.yaml"))


def test_a_job_may_lie_behind_a_link(gandist_: CommandLine) -> None:
    Path("elsewhere").mkdir()
    SMALL.rename("elsewhere/small")
    SMALL.symlink_to(Path("elsewhere/small").absolute())
    for command in ("status", "jobs", "report", "run"):
        code, said = end(gandist_, command)
        assert (code, "link" in said) == (0, False)


def test_more_than_the_disk_has_room_for_is_not_begun(gandist_: CommandLine) -> None:
    os.truncate(STATE, 0)
    for number in range(20_000 // 30):
        large = SMALL / f"large{number}"
        large.touch()
        os.truncate(large, 2**35)
    code, said = end(gandist_, "fetch")
    assert (code, "GB are to be copied" in said) == (1, True)
    assert not Path("copy").exists()
