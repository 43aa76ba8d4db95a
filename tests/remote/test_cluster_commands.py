"""The commands that talk to a cluster, with a stand-in for it."""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from gandist.artifacts.job_dir import JobDir
from gandist.artifacts.trial_state import TrialState
from gandist.remote import dashboard, jobs_api
from tests.conftest import CommandLine
from tests.strangers import write_documents

from .fake_jobs import ADDRESS, JOB, FakeClient, details, refused


@pytest.fixture(autouse=True)
def no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in dashboard.ADDRESSES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> FakeClient:
    """What the commands talk to."""
    fake = FakeClient()
    monkeypatch.setattr(jobs_api, "Client", lambda _: fake)
    return fake


@pytest.fixture
def gandist_(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command_line: CommandLine) -> CommandLine:
    """Runs a command in an empty directory; its exit code, stdout and stderr as lines."""
    monkeypatch.chdir(tmp_path)

    return command_line


def make_job_dir(root: str) -> JobDir:
    job_dir = JobDir(root)
    write_documents(
        job_dir, {}, {"job": "small", "trials": [{"id": "base-seed0", "config": "base", "seed": 0}]}
    )
    job_dir.trial("base-seed0").write_state(TrialState(status="completed", step=3, total_steps=3))
    return job_dir


def test_status_shows_rays_state_and_the_trials(
    gandist_: CommandLine, client: FakeClient, tmp_path: Path
) -> None:
    make_job_dir(str(tmp_path / "runs/small"))
    client.jobs["s-1"] = details("s-1", job="small", job_dir=str(tmp_path / "runs/small"))
    code, out, err = gandist_("status", "small", "--address", ADDRESS)
    assert (code, err) == (0, [])
    assert out == [
        f"s-1: running, submitted 1970-01-01 00:00:01 UTC; in {tmp_path}/runs/small",
        "base-seed0  completed  step 3/3",
        "1 trial: 1 completed",
    ]


def test_status_of_a_directory_of_the_clusters_nodes(gandist_: CommandLine, client: FakeClient) -> None:
    client.jobs["s-1"] = details("s-1", "FAILED", driver_exit_code=1, end_time=5000, job="s", job_dir="/no/s")
    code, out, err = gandist_("status", "s-1", "--address", ADDRESS)
    assert (code, out) == (0, ["s-1: failed with exit code 1, 1970-01-01 00:00:05 UTC; in /no/s"])
    assert err == ["nothing of it in /no/s, as seen from here; gandist logs s-1 tells why"]


def test_status_of_what_has_not_begun(gandist_: CommandLine, client: FakeClient) -> None:
    client.jobs["s-1"] = details("s-1", "PENDING", job="s", job_dir="/no/s")
    code, _, err = gandist_("status", "s-1", "--address", ADDRESS)
    assert (code, err) == (0, ["nothing of it in /no/s, as seen from here yet"])


def test_a_name_without_a_cluster_is_told_what_is_missing(gandist_: CommandLine) -> None:
    for command in (["status", "mine"], ["fetch", "mine", "results"]):
        code, out, err = gandist_(*command)
        assert (code, out) == (2, [])
        assert err == ["mine: no such directory; for a submitted job give its cluster's --address"]


def test_an_address_in_the_environment_hides_no_directory(
    gandist_: CommandLine, client: FakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_API_SERVER_ADDRESS", ADDRESS)
    make_job_dir("small")
    make_job_dir("runs/other")
    client.jobs["other"] = details("other")
    for directory in ("small", "runs/other"):
        assert gandist_("status", directory)[1][0].startswith("base-seed0")
    assert gandist_("status", "runs/other", "--address", ADDRESS)[1][0].startswith("base-seed0")
    assert client.asked == []
    assert gandist_("status", "other")[1][0].startswith("other: running")
    assert gandist_("status", "small", "--address", ADDRESS)[0] == 2


def test_fetch_finds_the_results_of_a_submission(
    gandist_: CommandLine, client: FakeClient, tmp_path: Path
) -> None:
    make_job_dir(str(tmp_path / "runs/small")).storage.write(JobDir.REPORT, b"<html>")
    client.jobs["s-1"] = details("s-1", job="small", job_dir=str(tmp_path / "runs/small"))
    code, out, _ = gandist_("fetch", "small", "got", "--address", ADDRESS)
    assert (code, out[-1]) == (0, "got/report.html")
    assert gandist_("status", "got")[1][-1] == "1 trial: 1 completed"
    client.jobs["raysubmit_1"] = details("raysubmit_1")
    code, _, err = gandist_("fetch", "raysubmit_1", "more", "--address", ADDRESS)
    assert code == 2
    assert err == ["raysubmit_1: not of `gandist submit`; give its job directory instead"]


def test_logs_prints_what_the_driver_said_and_not_what_ray_did(
    gandist_: CommandLine, client: FakeClient
) -> None:
    client.jobs["a"] = details("a")
    client.log = (
        "2026-01-01 10:00:00,123\tINFO job_manager.py:581 -- Runtime env is setting up.\n2 completed\n"
    )
    assert gandist_("logs", "a", "--address", ADDRESS) == (0, ["2 completed"], [])


@pytest.mark.parametrize("command", [["logs", "a"], ["stop", "a"], ["status", "a"], ["fetch", "a", "b"]])
def test_an_unreachable_cluster_is_one_line(
    gandist_: CommandLine, client: FakeClient, command: list[str]
) -> None:
    def cut(_: str) -> None:
        raise refused()

    client.before = cut
    line = f"{ADDRESS}: no Ray dashboard answers there (Connection refused)"
    assert gandist_(*command, "--address", ADDRESS) == (1, [], [line])


@pytest.mark.parametrize("command", [["logs", "a"], ["stop", "a"]])
def test_an_address_is_needed(gandist_: CommandLine, command: list[str]) -> None:
    code, _, err = gandist_(*command)
    assert (code, len(err)) == (2, 1)
    assert err[0].startswith("--address: give the cluster's dashboard")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--set", "training.steps=0"], "--set training.steps=0: "),
        (["--storage", "runs"], "--storage runs: relative to what"),
    ],
)
def test_a_wrong_job_is_refused_before_anything_is_sent(
    gandist_: CommandLine,
    tmp_path: Path,
    client: FakeClient,
    arguments: list[str],
    line: str,
) -> None:
    (tmp_path / "job.yaml").write_text(JOB)
    code, out, err = gandist_("submit", "job.yaml", "--storage", "/runs", "--address", ADDRESS, *arguments)
    assert (code, out, len(err)) == (2, [], 1)
    assert err[0].startswith(line)
    assert client.asked == []


def test_submit_says_what_to_do_next_and_ends_with_the_id(
    gandist_: CommandLine,
    tmp_path: Path,
    client: FakeClient,
) -> None:
    (tmp_path / "job.yaml").write_text(JOB)
    code, out, err = gandist_("submit", "job.yaml", "--storage", "/runs", "--address", ADDRESS)
    assert (code, err) == (0, [])
    assert out[0] == (
        "small: 1 configuration x 2 seeds = 2 trials; in /runs/small, a path of the cluster's nodes"
    )
    assert [line.split()[2] for line in out[1:-1]] == ["logs", "status", "stop", "fetch"]
    assert all(out[-1] in line and ADDRESS in line for line in out[1:-1])
    assert client.sent["submission_id"] == out[-1]


@pytest.mark.parametrize(
    ("status", "driver", "message", "code", "lines"),
    [
        ("SUCCEEDED", 0, "", 0, ["a: succeeded"]),
        ("FAILED", 1, "failed with\nlog", 1, ["a: failed with exit code 1"]),
        ("FAILED", 127, "", 127, ["a: failed with exit code 127", "its head found no gandist: put"]),
        ("FAILED", None, "no env\nTraceback", 1, ["a: failed with exit code 1", "no env"]),
        ("STOPPED", None, "", 143, ["a: stopped"]),
    ],
)
def test_following_ends_with_the_jobs_exit_code(
    gandist_: CommandLine,
    client: FakeClient,
    status: str,
    driver: int | None,
    message: str,
    code: int,
    lines: list[str],
) -> None:
    client.jobs["a"] = details("a", status, driver_exit_code=driver, message=message)
    client.logs, client.log = [["2 completed\n"]], "2 completed\n"
    left, out, err = gandist_("logs", "a", "--follow", "--address", ADDRESS)
    assert (left, out) == (code, ["2 completed"])
    assert [said[: len(line)] for said, line in zip(err, lines, strict=True)] == lines


@pytest.fixture
def interruptible() -> Iterator[None]:
    """A process started in the background, as CI may be, ignores SIGINT, and Python leaves it at that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


LEFT = f"a: left alone, running or not; gandist stop a --address {ADDRESS} stops it"


def test_ctrl_c_leaves_the_job_alone(
    gandist_: CommandLine, monkeypatch: pytest.MonkeyPatch, interruptible: None
) -> None:
    class Watched(FakeClient):
        async def tail_job_logs(self, _: str) -> AsyncIterator[str]:
            yield "one\n"
            signal.raise_signal(signal.SIGINT)
            await asyncio.Event().wait()

    client = Watched(details("a"))
    monkeypatch.setattr(jobs_api, "Client", lambda _: client)
    code, out, err = gandist_("logs", "a", "--follow", "--address", ADDRESS)
    assert (code, out, err) == (130, ["one"], [LEFT])
    assert "stop" not in client.asked


def test_ctrl_c_while_a_job_is_sent_says_that_it_may_have_arrived(
    gandist_: CommandLine, tmp_path: Path, client: FakeClient, interruptible: None
) -> None:
    (tmp_path / "job.yaml").write_text(JOB)
    client.before = lambda question: signal.raise_signal(signal.SIGINT) if question == "submit" else None
    code, out, err = gandist_("submit", "job.yaml", "--storage", "/runs", "--address", ADDRESS)
    assert (code, out) == (130, [])
    (line,) = err
    assert re.fullmatch(
        rf"(small-\S+): may have been submitted; gandist status \1 --address {ADDRESS} tells", line
    )


def test_a_submission_without_an_answer_may_have_arrived(
    gandist_: CommandLine, tmp_path: Path, client: FakeClient
) -> None:
    def hang_up(question: str) -> None:
        if question == "submit":
            raise refused()

    (tmp_path / "job.yaml").write_text(JOB)
    client.before = hang_up
    code, out, err = gandist_("submit", "job.yaml", "--storage", "/runs", "--address", ADDRESS)
    assert (code, out) == (1, [])
    assert "may have been submitted" in err[0]
    assert err[1] == f"{ADDRESS}: no Ray dashboard answers there (Connection refused)"


def test_a_name_that_no_file_could_have_is_no_directory(gandist_: CommandLine) -> None:
    assert gandist_("status", "a" * 300)[0] == 2


def test_stopping_what_has_ended_asks_for_nothing(gandist_: CommandLine, client: FakeClient) -> None:
    client.jobs["a"] = details("a", "FAILED", driver_exit_code=2)
    assert gandist_("stop", "a", "--address", ADDRESS)[:2] == (0, ["a: failed with exit code 2 already"])
    assert "stop" not in client.asked
