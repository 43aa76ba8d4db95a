"""Whatever is wrong with what gandist is given: one line says what and where, and nothing valid is lost.

Mistakes within a job file have a table of their own in ``test_malformed_jobs.py``.
"""

from __future__ import annotations

import hashlib
import html
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from runner import fakes

from gandist import cli
from gandist.artifacts import tables
from gandist.artifacts.job_dir import JobDir
from gandist.remote.dashboard import ADDRESSES
from tests.faults.changes import Change, copy, cut, edit, folder, gone, npz, parquet, text, vouched
from tests.report.conftest import rows

JOB = """
name: small
data: {name: digits}
model: {name: dcgan}
training: {steps: 3}
seeds: [0, 1]
resources: {cpus: 1}
"""
TRIAL = "runs/small/trials/base-seed0"
PART = f"{TRIAL}/losses/part-000000004-000000006.parquet"

IMAGES, LABELS = np.zeros((8, 28, 28), np.uint8), np.zeros(8, np.uint8)
MNIST = "validate mnist.yaml --data-dir data"
RUN, STATUS, REPORT = "run job.yaml --local", "status runs/small", "report runs/small"
MORE = f"{RUN} --set training.steps=9"
STATE, MANIFEST = f"{TRIAL}/state.json", "runs/small/manifest.json"

# What is wrong; how it comes to be; the command; its exit code; what the one line on stderr says.
REFUSED: list[tuple[str, list[Change], str, int, str]] = [
    # command lines
    ("unknown command", [], "runn job.yaml", 2, "No such command 'runn'"),
    ("no job file given", [], "run", 2, "Missing argument 'JOB'"),
    ("one argument too many", [], "status runs/small runs/other", 2, "unexpected extra argument"),
    ("unknown option", [], "run job.yaml --lokal", 2, "No such option: --lokal"),
    ("option without value", [], "run job.yaml --storage", 2, "--storage"),
    ("no steps", [], "bench job.yaml --steps 0", 2, "--steps"),
    ("steps in words", [], "bench job.yaml --steps few", 2, "Invalid value for '--steps'"),
    ("override without value", [], f"{RUN} --set training.steps", 2, "write PATH=VALUE"),
    ("override without path", [], f"{RUN} --set =3", 2, "write PATH=VALUE"),
    ("override of nothing", [], f"{RUN} --set training.stepps=3", 2, "did you mean steps?"),
    ("override beyond the limits", [], f"{RUN} --set training.steps=0", 2, "out of range"),
    ("override that is no YAML", [], f"{RUN} --set seeds=[0", 2, "--set seeds=[0"),
    ("override below a value", [], f"{RUN} --set training.steps.x=1", 2, "training.steps"),
    ("job is a directory", [], "run runs", 2, "runs: a directory; give a job file"),
    ("job is not there", [], "run jbo.yaml", 2, "jbo.yaml: no such file"),
    ("validate nothing", [], "validate jbo.yaml", 2, "jbo.yaml: no such file"),
    ("bench nothing", [], "bench jbo.yaml", 2, "jbo.yaml: no such file"),
    ("status of nothing", [], "status runs/smal", 2, "runs/smal/manifest.json: no such file"),
    ("status of a file", [], "status job.yaml", 1, "job.yaml"),
    ("report of nothing", [], "report runs/smal", 2, "no such file"),
    ("report of a file", [], "report job.yaml", 1, "job.yaml"),
    ("report of a file in a job", [], f"report {MANIFEST}", 1, "manifest.json"),
    ("storage of an unknown kind", [], f"{RUN} --storage gopher://x", 1, "gopher://x"),
    ("storage without a bucket", [], f"{RUN} --storage s3://", 2, "names no bucket"),
    (
        "storage with a secret",
        [],
        f"{RUN} --storage s3://key:secret@b",
        2,
        "--storage s3://...: holds credentials",
    ),
    ("storage is a file", [], f"{RUN} --storage job.yaml", 1, "job.yaml"),
    ("storage below a file", [], f"{RUN} --storage job.yaml/runs", 1, "job.yaml/runs"),
    # job files
    ("empty", [text("job.yaml", "")], RUN, 2, "job.yaml: "),
    ("a list", [text("job.yaml", "- a\n")], RUN, 2, "job.yaml: "),
    ("a word", [text("job.yaml", "small")], RUN, 2, "job.yaml: "),
    ("no YAML", [text("job.yaml", "name: [")], RUN, 2, "job.yaml: "),
    ("a tab", [text("job.yaml", JOB + "\tloss: 1")], RUN, 2, "job.yaml: "),
    ("NUL bytes", [text("job.yaml", "\0" * 99)], RUN, 2, "job.yaml: "),
    ("a Python object", [text("job.yaml", JOB + "loss: !!python/object:os.system {}")], RUN, 2, "job.yaml: "),
    ("a key twice", [text("job.yaml", JOB + "seeds: [2]")], RUN, 2, "seeds"),
    ("aliases without end", [text("job.yaml", "a: &a [*a]")], RUN, 2, "job.yaml: "),
    ("a name that leads out", [text("job.yaml", JOB.replace("small", "../x"))], RUN, 2, "../x"),
    ("too large", [text("job.yaml", JOB + "#" * 2_000_000)], RUN, 2, "job.yaml: "),
    ("more trials than allowed", [text("job.yaml", JOB)], f"{RUN} --set seeds=0..99999", 2, "at most 10000"),
    # data files
    ("no data directory", [gone("data")], MNIST, 1, "data/mnist.npz: no such file"),
    ("data directory is a file", [gone("data"), text("data", "")], MNIST, 1, "data/mnist.npz: no such file"),
    ("data file is a directory", [folder("data/mnist.npz")], MNIST, 1, "data/mnist.npz: no such file"),
    ("empty data", [text("data/mnist.npz", "")], MNIST, 1, "not Keras' mnist.npz"),
    ("text for data", [text("data/mnist.npz", "<html>")], MNIST, 1, "not Keras' mnist.npz"),
    ("data cut short", [cut("data/mnist.npz")], MNIST, 1, "not Keras' mnist.npz"),
    ("no images", [npz("data/mnist.npz", y_train=LABELS)], MNIST, 1, "x_train"),
    ("no labels", [npz("data/mnist.npz", x_train=IMAGES)], MNIST, 1, "y_train"),
    ("pickled", [npz("data/mnist.npz", x_train=np.array([{}]), y_train=LABELS)], MNIST, 1, "not Keras'"),
    ("floats", [npz("data/mnist.npz", x_train=IMAGES / 1.0, y_train=LABELS)], MNIST, 1, "is float64"),
    ("other size", [npz("data/mnist.npz", x_train=IMAGES[:, 1:], y_train=LABELS)], MNIST, 1, "[8, 27, 28]"),
    ("one image", [npz("data/mnist.npz", x_train=IMAGES[0], y_train=LABELS)], MNIST, 1, "[28, 28], not"),
    ("zero images", [npz("data/mnist.npz", x_train=IMAGES[:0], y_train=LABELS[:0])], MNIST, 1, "[0]"),
    ("few labels", [npz("data/mnist.npz", x_train=IMAGES, y_train=LABELS[1:])], MNIST, 1, "[7]"),
    (
        "real labels",
        [npz("data/mnist.npz", x_train=IMAGES, y_train=LABELS / 1.0)],
        MNIST,
        1,
        "y_train is float",
    ),
    # job directories
    ("no manifest, run", [gone(MANIFEST)], RUN, 2, "no manifest.json"),
    ("no manifest, status", [gone(MANIFEST)], STATUS, 2, "manifest.json: no such file"),
    ("no manifest, report", [gone(MANIFEST)], REPORT, 2, "manifest.json: no such file"),
    ("manifest is no JSON", [text(MANIFEST, "{")], RUN, 2, "manifest.json: cannot be parsed"),
    ("manifest is no JSON, status", [text(MANIFEST, "{")], STATUS, 2, "manifest.json: cannot be parsed"),
    ("manifest is a list", [text(MANIFEST, "[]")], RUN, 2, "manifest.json: holds no mapping"),
    ("manifest is a list, report", [text(MANIFEST, "[]")], REPORT, 2, "manifest.json: holds no mapping"),
    ("manifest is a directory", [folder(MANIFEST)], RUN, 1, "manifest.json"),
    ("another job's", [edit(MANIFEST, job="large")], RUN, 2, "belongs to the job large"),
    ("trials are a number", [edit(MANIFEST, trials=5)], MORE, 2, "manifest.json"),
    ("trials are a number, status", [edit(MANIFEST, trials=5)], STATUS, 2, "manifest.json"),
    ("trials without ids", [edit(MANIFEST, trials=[{}, 3])], MORE, 2, "manifest.json"),
    ("trials without ids, status", [edit(MANIFEST, trials=[{}, 3])], STATUS, 2, "manifest.json"),
    ("a trial outside", [edit(MANIFEST, trials=[{"id": "../../x"}])], STATUS, 2, "manifest.json"),
    ("no job.yaml, report", [gone("runs/small/job.yaml")], REPORT, 2, "job.yaml: no such file"),
    ("job.yaml is no YAML", [text("runs/small/job.yaml", "[")], REPORT, 2, "job.yaml: cannot be parsed"),
    ("state is no JSON", [text(STATE, "{")], RUN, 1, "state.json: not a trial's state"),
    ("state is no JSON, status", [text(STATE, "{")], STATUS, 1, "state.json: not a trial's state"),
    ("state is empty", [text(STATE, "")], RUN, 1, "state.json: not a trial's state"),
    ("state of wrong types", [edit(STATE, step="three")], RUN, 1, "state.json: not a trial's state"),
    ("state of the future", [edit(STATE, status="thawing")], RUN, 1, "state.json: not a trial's state"),
    ("state is a directory", [folder(STATE)], RUN, 1, "state.json"),
    ("trials are a file", [gone("runs/small/trials"), text("runs/small/trials", "")], RUN, 1, "trials"),
]

# What is wrong; how it comes to be; the command; what its output or the report says; the command succeeds.
SURVIVED: list[tuple[str, list[Change], str, str]] = [
    ("part cut short", [cut(PART)], REPORT, "part-000000004-000000006.parquet is torn"),
    ("empty part", [text(PART, "")], REPORT, "part-000000004-000000006.parquet is torn"),
    ("part of text", [text(PART, "step\n1")], REPORT, "part-000000004-000000006.parquet is torn"),
    ("part of no rows", [parquet(PART, tables.LOSSES.empty_table())], REPORT, "parquet is empty"),
    ("part of another table", [parquet(PART, tables.TRIALS.empty_table())], REPORT, "is no table of losses"),
    ("part is a directory", [folder(PART)], REPORT, "part-000000004-000000006.parquet is torn"),
    ("part of another trial", [copy(PART.replace("seed0", "seed1"), PART)], REPORT, "rows of another trial"),
    ("part missing between", [gone(PART)], REPORT, "losses of steps 4 to 6 are missing"),
    ("state is no JSON, report", [text(STATE, "{")], REPORT, "state.json is not a trial"),
    ("trials without ids, report", [edit(MANIFEST, trials=[{}])], REPORT, "trials[0] is not an id"),
    ("no trial.yaml", [gone(f"{TRIAL}/trial.yaml")], REPORT, "base-seed0"),
    ("no losses", [gone(f"{TRIAL}/losses")], REPORT, "base-seed1"),
    ("no trial", [gone(TRIAL)], STATUS, "1 queued"),
]

# What is wrong with the newest checkpoint; how it comes to be, in its directory; what the note about it says.
CHECKPOINTS: list[tuple[str, Change, str]] = [
    ("cut short", cut("state.npz"), "state.npz is truncated or altered"),
    ("empty", text("state.npz", ""), "state.npz is truncated or altered"),
    ("another file", npz("state.npz", step=np.asarray(9)), "state.npz is truncated or altered"),
    ("no arrays", gone("state.npz"), "state.npz is missing"),
    ("pickled", vouched(lambda file: np.savez(file, step=np.array([{}]))), "state.npz cannot be read"),
    ("a pickle", vouched(lambda file: np.save(file, np.array([{}]))), "state.npz cannot be read"),
    ("one array", vouched(lambda file: np.save(file, LABELS)), "state.npz cannot be read"),
    ("no zip", vouched(lambda file: file.write(b"PK" * 99)), "state.npz cannot be read"),
    ("nothing", vouched(lambda file: file.write(b"")), "state.npz cannot be read"),
    ("manifest is no JSON", text("manifest.json", "{"), "manifest.json is damaged"),
    ("manifest is empty", text("manifest.json", ""), "manifest.json is damaged"),
    ("manifest is a list", text("manifest.json", "[]"), "manifest.json is damaged"),
    ("no checksum", edit("manifest.json", sha256={}), "manifest.json is damaged"),
    ("checksum of another kind", edit("manifest.json", sha256=3), "manifest.json is damaged"),
    ("replicas in words", edit("manifest.json", replicas="two"), "manifest.json is damaged"),
    ("another trial's", edit("manifest.json", identity="other"), "belongs to a trial with other settings"),
    ("a later format", edit("manifest.json", format=2), "format 2, this gandist reads 1"),
]


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a job file, its finished job of two trials with losses, and a data directory."""
    root = tmp_path_factory.mktemp("finished")
    (root / "data").mkdir()
    (root / "job.yaml").write_text(JOB)
    (root / "mnist.yaml").write_text(JOB.replace("digits", "mnist"))
    np.savez(root / "data" / "mnist.npz", x_train=IMAGES, y_train=LABELS)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.setitem(sys.modules, "gandist.training.trial", fakes)
        patch.setattr(sys, "argv", ["gandist", *RUN.split()])
        with pytest.raises(SystemExit) as left:
            cli.main()
    assert left.value.code == 0
    for seed in (0, 1):
        for first in (1, 4, 7):
            JobDir(str(root / "runs/small")).trial(f"base-seed{seed}").write_losses(
                rows("base", seed, first, first + 2)
            )
    return root


@pytest.fixture
def given(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, as the working directory."""
    shutil.copytree(finished, tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setitem(sys.modules, "gandist.training.trial", fakes)  # no TensorFlow
    for name in ("GANDIST_DATA_DIR", "GANDIST_STORAGE", *ADDRESSES):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "here"


def contents(root: Path) -> dict[str, str]:
    """A hash of each file below ``root``."""
    files = (path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def gandist(command: str, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(sys, "argv", ["gandist", *command.split()])
    with pytest.raises(SystemExit) as left:
        cli.main()
    return int(left.value.code or 0)


def ids(cases: list[Any]) -> list[str]:
    return [case[0] for case in cases]


@pytest.mark.parametrize(("what", "changes", "command", "code", "says"), REFUSED, ids=ids(REFUSED))
def test_it_is_refused_in_one_line(
    given: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    what: str,
    changes: list[Change],
    command: str,
    code: int,
    says: str,
) -> None:
    for change in changes:
        change()
    before = contents(given)
    assert gandist(command, monkeypatch) == code
    [line] = capfd.readouterr().err.splitlines()
    assert says in line
    assert contents(given) == before


@pytest.mark.parametrize("recorded", [None, "", "[", "- a", "loss: 3", "loss: {real_label: [}"])
def test_other_settings_are_refused_whatever_is_recorded_of_them(
    given: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], recorded: str | None
) -> None:
    path = given / TRIAL / "trial.yaml"
    path.unlink() if recorded is None else path.write_text(recorded)
    before = contents(given)
    assert gandist(f"{RUN} --set loss.real_label=0.9", monkeypatch) == 2
    first, *more = capfd.readouterr().err.splitlines()
    assert first.startswith("base-seed0 and 1 more: trained with other settings")
    assert not any("Traceback" in line for line in more)
    assert contents(given) == before


@pytest.mark.parametrize(("what", "changes", "command", "says"), SURVIVED, ids=ids(SURVIVED))
def test_the_rest_is_used_and_it_is_said(
    given: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    what: str,
    changes: list[Change],
    command: str,
    says: str,
) -> None:
    for change in changes:
        change()
    before = contents(given)
    assert gandist(command, monkeypatch) == 0
    out, err = capfd.readouterr()
    assert err == ""
    page = given / "runs/small" / JobDir.REPORT
    assert says in (html.unescape(page.read_text()) if command == REPORT else out)
    rewritten = {f"runs/small/{name}" for name in (JobDir.REPORT, JobDir.LOSSES, JobDir.TRIALS)}
    after = contents(given)
    assert {name: after.get(name) for name in before.keys() - rewritten} == {
        name: found for name, found in before.items() if name not in rewritten
    }


@pytest.mark.parametrize(("what", "change", "says"), CHECKPOINTS, ids=ids(CHECKPOINTS))
def test_the_checkpoint_before_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, change: Change, says: str
) -> None:
    from gandist.training import checkpoint

    trial = JobDir(str(tmp_path)).trial("base-seed0")
    for step in (5, 10):
        state = {"generator/0": np.full(3, step, np.float32), "step": np.asarray(step)}
        checkpoint.save(trial, state, "me", replicas=1, keep=2)
    monkeypatch.chdir(trial.storage.where(trial.checkpoint_path(10)))
    change()
    before = contents(tmp_path)
    restored = checkpoint.restore_newest(trial, "me")
    assert restored.state is not None
    assert restored.state["step"] == 5
    [note] = restored.notes
    assert "step-000000010" in note
    assert says in note
    assert contents(tmp_path) == before
