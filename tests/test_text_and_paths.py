"""Streams that are closed, paths that are no text, ``~`` in quotes: what a shell can pass on."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

JOB = """
name: small
data: {name: digits}
model: {name: dcgan}
training: {steps: 3}
resources: {cpus: 1}
"""
CAFE = b"caf\xe9"
SHOWN = "caf\\udce9"

# The command line, with a trial function that needs no TensorFlow.
PROGRAM = """
import sys
from gandist import cli
from tests.runner import fakes
sys.modules["gandist.training.trial"] = fakes
cli.main()
"""


def gandist(
    *arguments: str | bytes | Path, cwd: Path, closed: str = "", environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """``gandist`` with ``arguments``, some of its streams ``closed`` as a shell closes them."""
    (cwd / "job.yaml").write_text(JOB)
    home = {"HOME": str(cwd / "home"), "PYTHONPATH": str(Path.cwd()), **(environment or {})}
    ours = ("GANDIST_", "RAY")
    variables = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return subprocess.run(
        ["sh", "-c", f'exec "$@" {closed}', "sh", sys.executable, "-c", PROGRAM, *arguments],
        cwd=cwd,
        env=variables | home,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    "closed",
    [*(pytest.param(one, marks=pytest.mark.slow) for one in (">&-", ">&- 2>&-")), "2>&-", "<&- >&- 2>&-"],
)
def test_closed_streams_change_nothing_of_a_run(tmp_path: Path, closed: str) -> None:
    done = gandist("run", "job.yaml", "--local", cwd=tmp_path, closed=closed)
    assert (done.returncode, done.stderr) == (0, "")
    assert (">&-" in closed.split()) != ("runs/small/report.html" in done.stdout)
    assert (tmp_path / "runs/small/report.html").read_text().startswith("<!")


# A command that writes as libraries do, past Python and through it, and then opens a file.
WRITING = """
import os, sys
from gandist import cli
@cli.app.command()
def write():
    for descriptor, stream in ((1, sys.stdout), (2, sys.stderr)):
        os.write(descriptor, b"x")
        stream.flush()
    print(open("new", "w").fileno(), file=open("number", "w"))
sys.argv = ["gandist", "write"]
cli.main()
"""


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_no_file_takes_the_number_of_a_stream_that_is_closed(tmp_path: Path, closed: str) -> None:
    command = ["sh", "-c", f'exec "$@" {closed}', "sh", sys.executable, "-c", WRITING]
    subprocess.run(command, cwd=tmp_path, check=True, env={**os.environ, "PYTHONPATH": str(Path.cwd())})
    assert int((tmp_path / "number").read_text()) > 2


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_closed_streams_keep_the_exit_code_of_wrong_input(tmp_path: Path, closed: str) -> None:
    done = gandist("run", "nothing.yaml", cwd=tmp_path, closed=closed)
    assert done.returncode == 2
    assert done.stderr == ("" if "2>&-" in closed else "nothing.yaml: no such file\n")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["validate", CAFE + b".yaml"], 2, f"{SHOWN}.yaml: no such file"),
        (["run", "job.yaml", "--local", "--storage", CAFE], 2, f"--storage {SHOWN}: is not UTF-8"),
        (["run", "job.yaml", "--local", "--storage", b"s3://b/" + CAFE], 2, "is not UTF-8"),
        (["status", CAFE], 2, f"{SHOWN}: no such directory"),
        (["report", CAFE], 1, "is not UTF-8"),
        (["jobs", CAFE], 1, "is not UTF-8"),
        (["fetch", CAFE, "here"], 2, f"{SHOWN}: no such directory"),
        (["sample", CAFE, "--out", CAFE + b".png"], 1, "is not UTF-8"),
        (["run", "job.yaml", "--local", "--set", b"name=" + CAFE], 2, f"--set name={SHOWN}"),
        (["run", "job.yaml", b"--" + CAFE], 2, f"No such option: --{SHOWN}"),
    ],
)
def test_what_is_no_text_is_one_line(
    tmp_path: Path, arguments: list[str | bytes], code: int, says: str
) -> None:
    done = gandist(*arguments, cwd=tmp_path)
    assert done.returncode == code
    [line] = done.stderr.splitlines()
    assert says in line
    assert sorted(path.name for path in tmp_path.iterdir()) == ["job.yaml"]


def test_a_job_file_and_data_may_lie_where_the_path_is_no_text(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(CAFE)
    folder.mkdir()
    (folder / "job.yaml").write_text(JOB)
    assert gandist("run", folder / "job.yaml", "--local", cwd=tmp_path).returncode == 0
    mnist = ["--set", "name=other", "--set", "data.name=mnist"]
    done = gandist("run", "job.yaml", "--local", *mnist, "--data-dir", folder, cwd=tmp_path)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert f"{SHOWN}/mnist.npz: no such file" in done.stderr


@pytest.mark.parametrize("environment", [{"LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii"}, {"PYTHONUTF8": "0"}])
def test_letters_that_a_locale_lacks_are_escaped(tmp_path: Path, environment: dict[str, str]) -> None:
    done = gandist("validate", "é.yaml", cwd=tmp_path, environment=environment)
    assert done.returncode == 2
    assert done.stderr.rstrip() in ("é.yaml: no such file", "\\xe9.yaml: no such file")


def test_a_home_that_no_shell_has_put_in_is_put_in(tmp_path: Path) -> None:
    done = gandist("run", "job.yaml", "--local", "--storage=~/runs", cwd=tmp_path)
    assert done.stdout.splitlines()[-1] == f"{tmp_path}/home/runs/small/report.html"
    assert gandist("report", "~/runs/small", cwd=tmp_path).returncode == 0
    assert "small" in gandist("jobs", cwd=tmp_path, environment={"GANDIST_STORAGE": "~/runs"}).stdout
    assert gandist("fetch", "~/runs/small", "~/copy", cwd=tmp_path).returncode == 0
    assert sorted(path.name for path in (tmp_path / "home").iterdir()) == ["copy", "runs"]
    assert not (tmp_path / "~").exists()
    mnist = ["validate", "job.yaml", "--set", "data.name=mnist"]
    says = f"{tmp_path}/home/data/mnist.npz: no such file"
    assert says in gandist(*mnist, "--data-dir", "~/data", cwd=tmp_path).stderr
    assert says in gandist(*mnist, cwd=tmp_path, environment={"GANDIST_DATA_DIR": "~/data"}).stderr
    assert (
        "~nobody-here/mnist.npz: no such"
        in gandist(*mnist, "--data-dir", "~nobody-here", cwd=tmp_path).stderr
    )


@pytest.mark.parametrize("option", ["--storage", "--data-dir"])
def test_a_variable_that_is_not_set_is_told(tmp_path: Path, option: str) -> None:
    done = gandist("run", "job.yaml", "--local", option, "", cwd=tmp_path)
    assert done.returncode == 2
    assert "is empty; is a variable not set?" in done.stderr
    assert not (tmp_path / "runs").exists()
