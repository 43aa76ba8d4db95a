"""Downloads: what passes is tried again, what does not is told at once, a part is never the whole."""

from __future__ import annotations

import functools
import hashlib
import http.client
import io
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable
from email.message import Message
from pathlib import Path
from typing import Any

import pytest

from gandist.activity import Activity, silent
from gandist.artifacts.retry import Retry
from gandist.data import _download, cifar10, fashion_mnist, load, mnist
from gandist.errors import DataError, UnavailableError
from tests.data import archives

ORIGIN = "https://example.invalid/sets/mnist.npz"
CONTENT = bytes(range(256)) * 20_000
SHA256 = hashlib.sha256(CONTENT).hexdigest()

Answers = list[Any]


class Answer(io.BytesIO):
    """What a server sends: ``content``, of ``total`` bytes as it says."""

    def __init__(self, content: bytes, total: int | None = None) -> None:
        super().__init__(content)
        self.headers = {} if total is None else {"Content-Length": str(total)}


class Torn(Answer):
    """Ends in an error."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(size) or self.fail()

    def fail(self) -> bytes:
        raise http.client.IncompleteRead(b"")


def status(code: int, words: str = "words") -> urllib.error.HTTPError:
    return urllib.error.HTTPError(ORIGIN, code, words, Message(), None)


def whole() -> Answer:
    return Answer(CONTENT, len(CONTENT))


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., list[str]]:
    """``served(answer, ...)``: the server gives these, the last for ever; the addresses that it was asked."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("KERAS_HOME", raising=False)
    asked: list[str] = []

    def serve(*answers: Callable[[], Answer] | Exception) -> list[str]:
        def urlopen(origin: str, timeout: float) -> Answer:
            assert timeout > 0
            asked.append(origin)
            answer = answers[min(len(asked), len(answers)) - 1]
            if isinstance(answer, Exception):
                raise answer
            return answer()

        monkeypatch.setattr(urllib.request, "urlopen", urlopen)
        return asked

    return serve


def fetch(tell: Callable[[Activity], None] = silent, time: Time | None = None) -> Path:
    time = time or Time()
    return _download.fetch(
        ORIGIN, SHA256, "sets/mnist.npz", tell, Retry(clock=lambda: time.now, sleep=time.sleep)
    )


def left(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.rglob("*") if path.is_file() and path.name != "lock")


PASSING: list[tuple[str, Any]] = [
    ("the network is down", urllib.error.URLError(OSError(101, "Network is unreachable"))),
    ("no name server", urllib.error.URLError(OSError(-3, "Temporary failure in name resolution"))),
    ("silence", TimeoutError("timed out")),
    ("a connection that is cut", ConnectionResetError(104, "Connection reset by peer")),
    ("a busy server", status(503, "Service Unavailable")),
    ("too many requests", status(429, "Too Many Requests")),
    ("the end after a half", lambda: Answer(CONTENT[: len(CONTENT) // 2], len(CONTENT))),
    ("the end within HTTP", lambda: Torn(CONTENT[:1000], len(CONTENT))),
    ("nothing", lambda: Answer(b"", len(CONTENT))),
]


@pytest.mark.parametrize("answer", [answer for _, answer in PASSING], ids=[what for what, _ in PASSING])
def test_what_may_pass_is_tried_again(cache: Path, served: Callable[..., list[str]], answer: Any) -> None:
    told: list[str] = []
    asked = served(answer, answer, whole)
    path = fetch(lambda activity: told.append(str(activity)))
    assert path.read_bytes() == CONTENT
    assert asked == [ORIGIN] * 3
    waits = [line for line in told if line.endswith(" s")]
    assert len(waits) == 2
    assert waits[0].startswith("mnist.npz: ")
    assert told[-1] == f"downloading mnist.npz {len(CONTENT):,}/{len(CONTENT):,}"
    assert left(cache) == ["mnist.npz"]


@pytest.mark.parametrize("answer", [answer for _, answer in PASSING], ids=[what for what, _ in PASSING])
def test_what_does_not_pass_for_a_minute_is_left_to_the_schedule(
    cache: Path, served: Callable[..., list[str]], answer: Any
) -> None:
    served(answer)
    time = Time()
    with pytest.raises(UnavailableError) as error:
        fetch(time=time)
    assert error.value.passes
    assert time.now == pytest.approx(_download.PATIENCE_S)
    assert left(cache) == []
    text = str(error.value)
    assert "\n" not in text
    for part in ("mnist.npz", ORIGIN, "by hand", "GANDIST_DATA_DIR"):
        assert part in text


FINAL: list[tuple[str, Any, str]] = [
    ("gone", status(404, "Not Found"), "HTTP 404 Not Found"),
    ("forbidden", status(403, "Forbidden"), "HTTP 403"),
    ("another file", lambda: Answer(CONTENT[::-1], len(CONTENT)), "another file than was published"),
    ("a page of a hotel's network", lambda: Answer(b"<html>"), "another file than was published"),
    ("a false certificate", urllib.error.URLError(ssl.SSLCertVerificationError("expired")), "expired"),
]


@pytest.mark.parametrize(("answer", "says"), [case[1:] for case in FINAL], ids=[case[0] for case in FINAL])
def test_what_does_not_pass_is_told_at_once(
    cache: Path, served: Callable[..., list[str]], answer: Any, says: str
) -> None:
    asked = served(answer)
    with pytest.raises(DataError, match=says) as error:
        fetch()
    assert not error.value.passes
    assert len(asked) == 1
    assert left(cache) == []


def test_an_interrupted_download_leaves_nothing_and_what_a_killed_one_left_is_removed(
    cache: Path, served: Callable[..., list[str]]
) -> None:
    folder = cache / "datasets/sets"
    folder.mkdir(parents=True)
    (folder / "mnist.npz.0a.part").write_bytes(CONTENT[:9])
    (folder / "mnist.npz").write_bytes(CONTENT[:99])  # of a program that wrote in place
    served(whole)

    def interrupt(activity: Activity) -> None:
        if activity.done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(interrupt)
    assert left(cache) == ["mnist.npz"]
    assert fetch().read_bytes() == CONTENT
    assert left(cache) == ["mnist.npz"]


@pytest.mark.parametrize("home", ["HOME", "KERAS_HOME"])
def test_what_keras_has_downloaded_is_not_fetched_again_unless_it_is_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, served: Callable[..., list[str]], home: str
) -> None:
    asked = served(whole)
    monkeypatch.setenv(home, str(tmp_path / "user"))
    kept = tmp_path / "user" / ("" if home == "KERAS_HOME" else ".keras") / "datasets/sets/mnist.npz"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(CONTENT)
    assert (fetch(), asked) == (kept, [])
    kept.write_bytes(CONTENT[:99])
    assert fetch() != kept
    assert len(asked) == 1
    fetch()
    assert len(asked) == 1


@pytest.mark.parametrize("options", [mnist.Options(), fashion_mnist.Options(), cifar10.Options()])
def test_each_data_set_is_downloaded_once_and_is_what_lies_in_a_directory(
    options: mnist.Options, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, served: Callable[..., list[str]]
) -> None:
    folder = tmp_path / "published"
    files = archives.fashion_files() | {
        "mnist.npz": archives.mnist_npz(),
        "cifar-10-python.tar.gz": archives.tar(archives.cifar_files()),
    }
    archives.write(folder, files)
    by_name = {name.rpartition("/")[2]: content for name, content in files.items()}
    asked = served(whole)

    def urlopen(origin: str, timeout: float) -> Answer:
        asked.append(origin)
        return Answer(by_name[origin.rpartition("/")[2]])

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    of_test = {name: hashlib.sha256(content).hexdigest() for name, content in by_name.items()}
    fetch = _download.fetch
    monkeypatch.setattr(
        _download, "fetch", lambda origin, _, *rest: fetch(origin, of_test[origin.rpartition("/")[2]], *rest)
    )
    there = functools.partial(load, options, None)
    assert there().fingerprint == there().fingerprint == load(options, folder).fingerprint
    assert len(set(asked)) == len(asked) == (4 if options.name == "fashion_mnist" else 1)
