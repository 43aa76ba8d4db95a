"""The live page, served in a thread of the test's own process."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from gandist.serve import site
from gandist.serve.guard import Guard
from gandist.serve.site import Site
from tests.report.pages import Page


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def page(self) -> Page:
        return Page(self.body.decode())

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Served:
    """Where the page is."""

    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __call__(self, path: str, method: str = "GET", body: str | None = None, **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request(
            method, path, body, {name.replace("_", "-"): value for name, value in headers.items()}
        )
        response = connection.getresponse()
        answer = Answer(response.status, response.headers, response.read())
        connection.close()
        return answer


@contextmanager
def serving(storage: str, token: str | None = None) -> Iterator[Served]:
    """The page of ``storage``, at a free port."""
    listening = socket.create_server(("127.0.0.1", 0))
    loop, ready, asked = asyncio.new_event_loop(), threading.Event(), asyncio.Event()

    async def serve() -> None:
        runner = web.AppRunner(Site(storage).application(Guard(token)), access_log=None, shutdown_timeout=0)
        await runner.setup()
        await web.SockSite(runner, listening).start()
        ready.set()
        await asked.wait()
        await runner.cleanup()

    thread = threading.Thread(target=loop.run_until_complete, args=[serve()])
    thread.start()
    try:
        assert ready.wait(30)
        yield Served(listening.getsockname()[1])
    finally:
        loop.call_soon_threadsafe(asked.set)
        thread.join(30)
        loop.close()


Serve = Callable[..., Served]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Serves a storage until the test ends; each answer is of what is there by then."""
    monkeypatch.setattr(site, "FRESH_S", 0.0)
    monkeypatch.setattr(site, "PATIENCE_S", 30.0)
    with ExitStack() as stack:
        yield lambda storage, **options: stack.enter_context(serving(str(storage), **options))


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """A storage."""
    folder = tmp_path / "runs"
    folder.mkdir()
    return folder
