"""The Jobs API of a cluster, as far as it goes without one: addresses, errors, names."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from gandist.errors import ClusterError, UsageError
from gandist.remote import dashboard
from gandist.remote.client import AnswerError, Client
from gandist.remote.dashboard import UnreachableError, asking, named_address
from gandist.remote.jobs_api import Submission

from .fake_jobs import ADDRESS, FakeClient, api, details, refused

JOB = "/api/jobs/a"


@pytest.fixture(autouse=True)
def no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in dashboard.ADDRESSES:
        monkeypatch.delenv(name, raising=False)


def test_the_option_comes_before_rays_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    assert named_address(None) is None
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")  # a driver's, at another port
    assert named_address(None) is None
    monkeypatch.setenv("RAY_ADDRESS", "https://there/")
    assert named_address(None) == "https://there"
    monkeypatch.setenv("RAY_API_SERVER_ADDRESS", "head:8265")
    assert named_address(None) == "http://head:8265"
    assert named_address("http://127.0.0.1:1/ray/") == "http://127.0.0.1:1/ray"


@pytest.mark.parametrize("address", ["ray://head:10001", "auto://", "http://", "http://head:port"])
def test_what_is_no_dashboard_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match=r"--address .*: not the address of a Ray dashboard"):
        named_address(address)


def test_a_password_is_never_shown() -> None:
    with pytest.raises(UsageError) as error:
        named_address("ray://me:secret@head:10001")
    assert "secret" not in str(error.value)
    assert dashboard.without_password("http://me:secret@head:8265/a@b") == "http://head:8265/a@b"


@pytest.mark.parametrize(
    ("trouble", "kind", "line"),
    [
        (refused(), UnreachableError, "no Ray dashboard answers there (Connection refused)"),
        (OSError("Read timed out. (60)"), UnreachableError, "no Ray dashboard answers there (timed out)"),
        (
            OSError("('Connection aborted.', BadStatusLine('\x00\x18'))"),
            UnreachableError,
            "no Ray dashboard answers there (that is no HTTP)",
        ),
        (AnswerError(404, "<html>", Client.VERSION), ClusterError, "no Ray dashboard; give"),
        (AnswerError(404, "Job a does not\nexist", JOB), ClusterError, "refuses (404): Job a does not"),
        (AnswerError(404, "status code 500", JOB), ClusterError, "refuses (404): status code 500"),
        (
            AnswerError(500, 'Traceback\n  File "x"\nValueError: already exists\n.\n', JOB),
            UnreachableError,
            "failed: ValueError: already exists",
        ),
        (AnswerError(503, "", JOB), UnreachableError, "failed: 503"),
        (
            AnswerError(413, "<h1>Request Entity Too Large</h1>", JOB),
            ClusterError,
            "refuses what is sent as too large (413): raise the limit of the proxy before it",
        ),
        (ValueError("bad status"), ClusterError, "answers unlike a Ray dashboard of this version"),
        (
            AnswerError(401, "Unauthorized: Missing\n\nToken", JOB),
            ClusterError,
            "asks for a token; set RAY_AUTH_TOKEN",
        ),
        (
            AnswerError(403, "Forbidden: Invalid\n\nToken", JOB),
            ClusterError,
            "refuses the token; give the one that its head was started with",
        ),
    ],
)
def test_each_trouble_is_one_line(trouble: Exception, kind: type[ClusterError], line: str) -> None:
    with pytest.raises(ClusterError) as error, asking(ADDRESS):
        raise trouble
    assert type(error.value) is kind
    assert str(error.value).startswith(f"{ADDRESS}: {line}")
    assert "\n" not in str(error.value)
    assert error.value.exit_code == 1


@pytest.mark.parametrize(
    "trouble", [refused(), AnswerError(403, "<html>", JOB), ValueError("Expecting value")]
)
def test_a_proxy_is_named_for_it_may_be_what_refuses(
    trouble: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)

    def line() -> str:
        with pytest.raises(ClusterError) as error, asking("http://head:8265"):
            raise trouble
        return str(error.value)

    assert "proxy" not in line()
    for name in ("http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://me:secret@proxy:3128")
        proxy = f"asked through the proxy http://proxy:3128 of {name}"
        assert line().endswith(f"; {proxy}: if it should not be, add head to no_proxy")
        monkeypatch.setenv("no_proxy", "head")
        assert "proxy" not in line()
        monkeypatch.delenv("no_proxy")
        monkeypatch.delenv(name)
    monkeypatch.setenv("https_proxy", "http://proxy:3128")
    assert "proxy" not in line()


def test_a_mistake_of_our_own_is_not_taken_for_the_clusters() -> None:
    with pytest.raises(AssertionError), asking(ADDRESS):
        raise AssertionError


@pytest.mark.parametrize(
    ("status", "driver", "code"),
    [
        ("SUCCEEDED", 0, 0),
        ("FAILED", 2, 2),
        ("FAILED", -9, 137),
        ("FAILED", None, 1),  # it never ran
        ("STOPPED", None, 143),
    ],
)
def test_the_exit_code_is_the_drivers(status: str, driver: int | None, code: int) -> None:
    submission = Submission.of(details("a", status, driver_exit_code=driver))
    assert submission.ended
    assert submission.exit_code == code


def test_a_name_is_an_id_or_the_jobs_newest() -> None:
    found = api(
        FakeClient(
            details("a-2", start_time=2000, job="a"),
            details("a-3", start_time=3000, job="a"),
            details("a-1", start_time=1000, job="a"),
            details("raysubmit_1"),
            details(None),  # a driver that nobody submitted
        )
    )
    assert [submission.id for submission in found.submissions()[-2:]] == ["a-2", "a-3"]
    assert len(found.submissions()) == 4
    assert found.find("a-1").id == "a-1"
    assert found.find("a").id == "a-3"
    assert found.find("raysubmit_1").job_dir is None
    with pytest.raises(UsageError, match="the newest there: a-3, a-2, "):
        found.find("b")
    with pytest.raises(UsageError, match="nothing was submitted there"):
        api(FakeClient()).find("a")


def test_a_tail_that_falls_silent_ends() -> None:
    class Asleep(FakeClient):
        async def tail_job_logs(self, _: str) -> AsyncIterator[str]:
            yield "first\n"
            await asyncio.Event().wait()

    async def read() -> list[str]:
        return [piece async for piece in api(Asleep()).tail("a", quiet_s=0.01)]

    assert asyncio.run(read()) == ["first\n"]
