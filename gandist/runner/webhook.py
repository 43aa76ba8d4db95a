"""Telling others how a job has ended: JSON, posted to each address of ``schedule.notify``."""

from __future__ import annotations

import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPException
from typing import Any

from gandist.artifacts.address import public
from gandist.errors import UsageError
from gandist.printable import one_line
from gandist.runner.events import Outcome
from gandist.runner.interrupts import Interrupted
from gandist.spec.job import Job
from gandist.spec.notify import VARIABLE, mistake, shown
from gandist.version import VERSION

TIMEOUT_S = 5.0
HURRY_S = 3.0
"""For the only try of a driver that was told to go."""
TRIES = 3
WAIT_S = 1.0
BUSY = 429


@dataclass
class Ending:
    """What is known of a run when it ends; its fields are filled in on the way."""

    outcome: Outcome | None = None
    report: str = ""
    verdict: str = ""


@contextmanager
def notified(job: Job, storage: str, warn: Callable[[str], None]) -> Iterator[Ending]:
    """Whatever ends the run within, tell it once to the addresses of the job; wrong input is told to nobody.

    Args:
        job: what is run.
        storage: where.
        warn: takes a line on an address that could not be told. That never fails the run.
    """
    targets = [target for address in job.spec.schedule.notify if (target := _resolve(address, warn))]
    ending, error = Ending(), None
    try:
        yield ending
    except BaseException as left:
        error = left
        raise
    finally:
        if not isinstance(error, UsageError):
            root = f"{public(storage.rstrip('/') or storage)}/{job.spec.name}"
            document = json.dumps(_document(ending, error, job.spec.name, root)).encode()
            for address, url in targets:
                if trouble := _post(url, document, hurry=isinstance(error, Interrupted)):
                    warn(f"schedule.notify: {shown(address)} was not told how the job has ended: {trouble}")


def _resolve(address: str, warn: Callable[[str], None]) -> tuple[str, str] | None:
    """The address as it may be printed, and what it stands for."""
    if not address.startswith(VARIABLE):
        return address, address
    url = os.environ.get(address.removeprefix(VARIABLE), "")
    if wrong := "is not set where the driver runs" if not url else mistake(url):
        warn(f"schedule.notify: {address} {wrong}: nobody will be told there how the job has ended")
        return None
    return address, url


def _document(ending: Ending, error: BaseException | None, job: str, root: str) -> dict[str, Any]:
    outcome = ending.outcome
    code = outcome.exit_code if outcome else 1
    word = "finished" if code == 0 else "failed"
    if isinstance(error, Interrupted):
        word, code = "stopped", 128 + error.number
    elif error is not None:
        word, code = "error", getattr(error, "exit_code", 1)
    counts = outcome.counts if outcome else {}
    reason = one_line(error) if word == "error" else ""
    trials = ", ".join(f"{count} {status}" for status, count in counts.items())
    return {
        "text": "; ".join(filter(None, (f"{job}: {word}", trials, reason, ending.verdict))),
        "job": job,
        "directory": root,
        "outcome": word,
        "exit_code": code,
        "counts": counts,
        "reason": reason,
        "verdict": ending.verdict,
        "report": ending.report or None,
        "ended_at": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "gandist": VERSION,
    }


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Another host was not meant to hear of the job, and a POST that is redirected becomes a GET."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _post(url: str, document: bytes, *, hurry: bool) -> str:
    """Post, some times where that may help. Why it did not work, without the address; empty = it did."""
    # Only http and https: what speaks other protocols is left out.
    opener = urllib.request.build_opener(_NoRedirects)
    headers = {"Content-Type": "application/json", "User-Agent": f"gandist/{VERSION}"}
    request = urllib.request.Request(url, document, headers, method="POST")  # noqa: S310
    trouble = ""
    for tries_left in reversed(range(1 if hurry else TRIES)):
        try:
            with opener.open(request, timeout=HURRY_S if hurry else TIMEOUT_S):
                return ""
        except urllib.error.HTTPError as error:
            trouble = f"it answers {error.code}"
            if error.code < 500 and error.code != BUSY:
                return trouble
        except (OSError, HTTPException, ValueError) as error:
            trouble = _why(error)
        if tries_left:
            time.sleep(WAIT_S)
    return trouble


def _why(error: Exception) -> str:
    """Without the text of the error, which may hold the address."""
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    said = cause.strerror if isinstance(cause, OSError) else None
    return one_line(said or type(cause).__name__)
