"""Fetching a published file: tried again while what stops it may pass, and taken whole or not at all."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import http.client
import os
import ssl
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gandist.activity import Activity, Tell
from gandist.artifacts.retry import Retry
from gandist.data import _cache
from gandist.errors import DataError, UnavailableError
from gandist.printable import one_line

PATIENCE_S = 60.0
"""For what may pass; after that the schedule tries the trial again, some times."""
SILENCE_S = 30.0
CHUNK = 2**20
MAX_BYTES = 2**30
_PASSING = {408, 425, 429}
"""Of HTTP's answers that blame who asks, the ones that another time may not be given."""


class _FinalError(Exception):
    """What trying again does not help."""


def fetch(
    origin: str,
    sha256: str,
    path: str,
    tell: Tell,
    retry: Retry = Retry(),  # noqa: B008 - frozen
) -> Path:
    """What ``origin`` publishes: from Keras' cache or gandist's, downloaded into the latter if need be.

    Args:
        origin: its address.
        sha256: what it must be; anything else in a cache is not taken for it.
        path: where it lies in a cache, below ``datasets``.
        tell: told how much has come, and of waiting.
        retry: how often, and by which clock.

    Raises:
        UnavailableError: it could not be had for a minute; later it may.
        DataError: it is not there, or something else is.
    """
    name = path.rpartition("/")[2]
    for folder in _caches():
        if _is(folder / path, sha256):
            return folder / path
    target = _cache.directory() / "datasets" / path
    # Trials that start together would fetch the same file at the same time.
    with _cache.locked(target.parent, f"{name} is downloaded", tell):
        if _is(target, sha256):
            return target
        try:
            retry.persist(
                lambda: _download(origin, sha256, target, tell),
                lambda _: PATIENCE_S,
                lambda error, delay_s: tell(Activity(f"{name}: {_line(error)}: again in {delay_s:.0f} s")),
            )
        except OSError as error:
            raise UnavailableError(_advice(name, origin, path, error)) from error
        except _FinalError as error:
            raise DataError(_advice(name, origin, path, error)) from error
    return target


def _caches() -> Iterator[Path]:
    if home := os.environ.get("KERAS_HOME"):
        yield _cache.from_home(home) / "datasets"
    with contextlib.suppress(RuntimeError):  # this user has no home
        yield Path.home() / ".keras" / "datasets"
    yield _cache.directory() / "datasets"


def _is(path: Path, sha256: str) -> bool:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except OSError:
        return False


def _download(origin: str, sha256: str, target: Path, tell: Tell) -> None:
    """Under another name first, checked, and only then under its own.

    Raises:
        OSError: it may work another time.
        _FinalError: it will not.
    """
    with contextlib.suppress(OSError):  # what a process that was killed has left
        for left in target.parent.glob(f"{target.name}.*.part"):
            left.unlink()
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.{uuid.uuid4().hex}.part")
    try:
        with _opened(origin) as answer, part.open("wb") as file:
            total = int(answer.headers.get("Content-Length") or 0)
            digest, done = hashlib.sha256(), 0
            tell(Activity(f"downloading {target.name}", done, total))
            for content in iter(functools.partial(answer.read, CHUNK), b""):
                file.write(content)
                digest.update(content)
                done += len(content)
                tell(Activity(f"downloading {target.name}", done, total))
                if done > MAX_BYTES:
                    raise _FinalError(f"more than {MAX_BYTES:,} bytes")
        if done < total:
            raise ConnectionError(f"ended after {done:,} of {total:,} bytes")
        if digest.hexdigest() != sha256:
            raise _FinalError(f"another file than was published: its SHA-256 is {digest.hexdigest()}")
        part.replace(target)
    except http.client.HTTPException as error:  # cut in the middle of what HTTP itself says
        raise ConnectionError(_line(error)) from error
    finally:
        part.unlink(missing_ok=True)


@contextlib.contextmanager
def _opened(origin: str) -> Iterator[Any]:
    try:
        with urllib.request.urlopen(origin, timeout=SILENCE_S) as answer:  # noqa: S310 - addresses of ours
            yield answer
    except urllib.error.HTTPError as error:
        if error.code < 500 and error.code not in _PASSING:
            raise _FinalError(f"HTTP {error.code} {error.reason}") from error
        raise
    except urllib.error.URLError as error:
        if isinstance(error.reason, ssl.SSLCertVerificationError):
            raise _FinalError(_line(error.reason)) from error
        raise


def _advice(name: str, origin: str, path: str, error: Exception) -> str:
    return (
        f"{name}: in no cache, and the download failed ({_line(error)}); fetch {origin} by hand, as {path} "
        "in a directory, and name that with --data-dir or GANDIST_DATA_DIR"
    )


def _line(error: BaseException) -> str:
    """The first line of what went wrong; urllib puts its cause into brackets."""
    reason = getattr(error, "reason", None)
    return one_line(reason if isinstance(reason, OSError) else error)
