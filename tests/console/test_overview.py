"""The jobs of a storage, among what else lies there."""

from __future__ import annotations

from pathlib import Path

import pytest

from gandist.artifacts import driver
from gandist.artifacts.driver import Holder
from gandist.artifacts.job_dir import JobDir
from gandist.artifacts.trial_state import TrialState
from gandist.console import overview
from gandist.errors import UsageError
from tests.strangers import write_documents

AT = 1767268800.0  # 2026-01-01 12:00:00 UTC


@pytest.fixture(params=["path", "uri"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    folder = tmp_path / "runs"
    folder.mkdir()
    return str(folder) if request.param == "path" else folder.as_uri()


def make(root: str, name: str, **states: str) -> JobDir:
    job_dir = JobDir(f"{root}/{name}")
    ids = [f"{config}-seed0" for config in states]
    write_documents(
        job_dir, {}, {"job": name, "trials": [{"id": id_, "config": "c", "seed": 0} for id_ in ids]}
    )
    for at, (id_, status) in enumerate(zip(ids, states.values(), strict=True)):
        if status != "queued":
            state = TrialState.model_validate({"status": status, "updated_at": AT + at})
            job_dir.trial(id_).write_state(state)
    return job_dir


def listed(root: str) -> tuple[list[str], int]:
    found, others = overview.jobs(root)
    return list(overview.lines(found)), others


def test_a_job_is_a_line(root: str) -> None:
    make(root, "long-name", a="completed", b="completed", c="failed").storage.write(JobDir.REPORT, b"")
    make(root, "new", a="queued")
    assert listed(root) == (
        [
            "long-name  3 trials: 2 completed, 1 failed; written 2026-01-01 12:00:02 UTC; report.html",
            "new        1 trial: 1 queued; nothing written yet; no report yet",
        ],
        0,
    )


def test_who_has_submitted_a_job_is_said(root: str) -> None:
    write_documents(JobDir(f"{root}/small"), {}, {"job": "small", "submitted_by": "alice\x1b[2J"})
    assert listed(root)[0][0].endswith(r"; submitted by alice\x1b[2J")


def test_who_runs_a_job_is_said_unless_it_is_dead(root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "RENEW_S", 0.0)
    job_dir = make(root, "small", a="running")
    me = Holder.this_process()
    for holder, said in (
        (me, f"; run by {me}"),
        (me.model_copy(update={"process": "1"}), ""),  # an id that was given again
        (me.model_copy(update={"place": "elsewhere", "host": "node\x1b[2J"}), r"on node\x1b[2J, since"),
    ):
        job_dir.storage.write(JobDir.DRIVER, holder.model_dump_json().encode())
        (line,), _ = listed(root)
        assert said in line
        assert ("run by" in line) == bool(said)
        assert ("1 running" if said else "1 interrupted") in line
        assert line.isprintable()
    for silent in (me.model_copy(update={"place": "elsewhere", "renewed_at": 1.0}).model_dump_json(), "{"):
        job_dir.storage.write(JobDir.DRIVER, silent.encode())
        assert "1 interrupted" in listed(root)[0][0]
        assert "run by" not in listed(root)[0][0]


def test_what_is_no_job_is_counted(root: str) -> None:
    job_dir = make(root, "small", a="completed")
    for path in ("notes.txt", "pictures/a.png", "trials/x/state.json"):
        JobDir(root).storage.write(path, b"")
    JobDir(root).storage.write("strange\x1b[31m/manifest.json", b'{"job": "x", "trials": []}')
    JobDir(f"{root}/broken").storage.write("manifest.json", b"[")
    write_documents(JobDir(f"{root}/evil"), {}, {"trials": [{"id": "../../etc"}]})
    job_dir.trial("b-seed0").storage.write("state.json", b"")
    lines, others = listed(root)
    assert others == 3
    assert [line.split()[0] for line in lines] == ["broken", "evil", "small", r"strange\x1b[31m"]
    assert "broken/manifest.json: cannot be parsed" in lines[0]
    assert "evil/manifest.json: its trials are no list" in lines[1]
    assert all(line.isprintable() for line in lines)


def test_a_damaged_state_hides_no_other_job(root: str) -> None:
    make(root, "a", x="completed").trial("x-seed0").storage.write("state.json", b"{")
    make(root, "b", x="completed")
    lines, _ = listed(root)
    assert "a/trials/x-seed0/state.json: not a trial's state" in lines[0]
    assert "1 completed" in lines[1]


def test_of_a_job_of_thousands_some_states_are_read(root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overview, "MAX_STATES", 2)
    make(root, "large", a="completed", b="running", c="failed")
    assert "large  3 trials; of the first 2 trials: 1 completed, 1 interrupted; written" in listed(root)[0][0]


def test_an_empty_storage_and_one_that_is_not_there(root: str) -> None:
    assert listed(root) == ([], 0)
    with pytest.raises(UsageError, match="none: no such directory"):
        listed(f"{root}/none")
    make(root, "small", a="completed")
    with pytest.raises(UsageError, match="one job's directory; give the one that it lies in"):
        listed(f"{root}/small")
