"""A Ray cluster of several nodes on one machine, each of which can be lost.

Each is a ``ray start`` in a session of its own, with an address of its own on loopback: to Ray, a machine.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from signal import SIGCONT, SIGSTOP
from types import TracebackType
from typing import Self

from .harness import BARE, PATIENCE_S, actors, end, send, session

RAY = Path(sys.executable).with_name("ray")


class Node:
    """A machine, as far as Ray can tell; leaving the context kills it."""

    def __init__(self, arguments: list[str], log: Path, environment: Mapping[str, str]) -> None:
        self._log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [RAY, "start", "--block", "--disable-usage-stats", *arguments],
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env={**BARE, **environment},
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        try:
            self._wait()
        except BaseException:  # an impatient Ctrl-C, too
            self.remove()
            raise
        return self

    def _wait(self) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while "Ray runtime started" not in self._log.read_text():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"no node:\n{self._log.read_text()}")
            time.sleep(0.05)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()

    @property
    def actors(self) -> list[int]:
        """Its processes that run trials."""
        return actors(self._process.pid)

    def remove(self) -> None:
        """As when the power fails."""
        end(self._process.pid)
        self._process.wait()

    def freeze(self) -> None:
        """Its connections stay open, and nothing answers."""
        send(list(session(self._process.pid)), SIGSTOP)

    def thaw(self) -> None:
        """It goes on as if nothing had been, and finds itself given up."""
        send(list(session(self._process.pid)), SIGCONT)


class Cluster:
    """A head that holds no trial, and ``workers`` nodes of one CPU each.

    Args:
        folder: for what the nodes print.
        workers: how many.
        environment: further variables of each node.
    """

    def __init__(self, folder: Path, workers: int, environment: Mapping[str, str] | None = None) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._address = f"127.0.0.1:{free.getsockname()[1]}"
        self._temporary = Path("/tmp") / f"gandist-{os.getpid()}-{secrets.token_hex(2)}"  # noqa: S108  sockets need a short path
        token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
        self._node_environment = {**token, **(environment or {})}
        self.driver_environment = {**token, "RAY_ADDRESS": self._address}
        self._folder = folder
        self._count = workers
        self._stack = ExitStack()
        self.workers: list[Node] = []

    def __enter__(self) -> Self:
        self._stack.callback(shutil.rmtree, self._temporary, ignore_errors=True)
        with ExitStack() as undo:
            undo.push(self._stack)
            head = ["--head", f"--port={self._address.rpartition(':')[2]}", "--include-dashboard=false"]
            self._start(1, [*head, "--num-cpus=0", f"--temp-dir={self._temporary}"])
            for number in range(self._count):
                self.workers.append(self._start(2 + number, [f"--address={self._address}", "--num-cpus=1"]))
            undo.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def busy(self) -> list[Node]:
        """The nodes on which a trial has been placed."""
        return [node for node in self.workers if node.actors]

    def _start(self, number: int, arguments: list[str]) -> Node:
        log = self._folder / f"node-{number}-{secrets.token_hex(2)}.txt"
        node = Node([*arguments, f"--node-ip-address=127.0.0.{number}"], log, self._node_environment)
        return self._stack.enter_context(node)
