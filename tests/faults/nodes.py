"""A Ray cluster of several nodes on one machine, each of which can be lost.

Each is a ``ray start`` in a session of its own, with an address of its own on loopback: to Ray, a machine.
"""

from __future__ import annotations

import json
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
from typing import Any, Self

from ray.autoscaler._private.fake_multi_node.node_provider import (
    FAKE_HEAD_NODE_ID,
    FAKE_HEAD_NODE_TYPE,
    FakeMultiNodeProvider,
)

from .harness import BARE, PATIENCE_S, actors, end, send, session

RAY = Path(sys.executable).with_name("ray")


AUTOSCALED = {
    "RAY_enable_autoscaler_v2": "1",
    "RAY_FAKE_CLUSTER": "1",
    "RAY_CLOUD_INSTANCE_ID": FAKE_HEAD_NODE_ID,
    "RAY_OVERRIDE_NODE_ID_FOR_TESTING": FAKE_HEAD_NODE_ID,
    "AUTOSCALER_UPDATE_INTERVAL_S": "1",
}
"""The environment of a head whose autoscaler starts nodes by Ray's own provider of fakes."""


def autoscaling(address: str, worker: Mapping[str, int], most: int) -> dict[str, Any]:
    """What ``ray start --autoscaling-config`` reads: up to ``most`` nodes like ``worker``, beside a head."""
    steps = ("setup", "head_setup", "worker_setup", "head_start_ray", "worker_start_ray", "initialization")
    empty = [f"{step}_commands" for step in steps] + ["cluster_synced_files", "rsync_exclude", "rsync_filter"]
    return {
        "cluster_name": "fake",
        "max_workers": most,
        "provider": {
            "type": "external",
            "module": f"{FakeMultiNodeProvider.__module__}.{FakeMultiNodeProvider.__name__}",
            "gcs_address": address,
            "head_node_id": FAKE_HEAD_NODE_ID,
            "launch_multiple": True,
        },
        "available_node_types": {
            FAKE_HEAD_NODE_TYPE: {"resources": {"CPU": 0}, "node_config": {}, "max_workers": 0},
            "worker": {"resources": worker, "node_config": {}, "min_workers": 0, "max_workers": most},
        },
        "head_node_type": FAKE_HEAD_NODE_TYPE,
        "idle_timeout_minutes": 10,
        "auth": {},
        "file_mounts": {},
        "file_mounts_sync_continuously": False,
        "upscaling_speed": 1.0,
        **{key: [] for key in empty},
    }


class Node:
    """A machine, as far as Ray can tell, from the moment it is made."""

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

    def wait(self) -> None:
        """Until it is there."""
        deadline = time.monotonic() + PATIENCE_S
        while "Ray runtime started" not in self._log.read_text():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"no node:\n{self._log.read_text()}")
            time.sleep(0.05)

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
    """A head that holds no trial, and ``workers`` nodes.

    Args:
        folder: for what the nodes print.
        workers: how many.
        environment: further variables of each node.
        cpus: of each worker.
        gpus: of each worker, which Ray believes.
        spare: as many more workers Ray's autoscaler may start.
    """

    def __init__(
        self,
        folder: Path,
        workers: int,
        environment: Mapping[str, str] | None = None,
        cpus: int = 1,
        gpus: int = 0,
        spare: int = 0,
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._address = f"127.0.0.1:{free.getsockname()[1]}"
        self._temporary = Path("/tmp") / f"gandist-{os.getpid()}-{secrets.token_hex(2)}"  # noqa: S108  sockets need a short path
        token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
        self._node_environment = {**token, **(environment or {})}
        self.driver_environment = {**token, "RAY_ADDRESS": self._address}
        self._folder = folder
        self._count = workers
        self._autoscaling: list[str] = []
        self._head_environment: Mapping[str, str] = {}
        if spare:
            file = folder / "autoscaling.json"
            file.write_text(json.dumps(autoscaling(self._address, {"CPU": cpus, "GPU": gpus}, spare)))
            self._autoscaling = [f"--autoscaling-config={file}"]
            self._head_environment = AUTOSCALED
        self._size = [f"--num-cpus={cpus}", f"--num-gpus={gpus}"]
        self._stack = ExitStack()
        self.workers: list[Node] = []

    def __enter__(self) -> Self:
        self._stack.callback(shutil.rmtree, self._temporary, ignore_errors=True)
        with ExitStack() as undo:
            undo.push(self._stack)
            head = ["--head", f"--port={self._address.rpartition(':')[2]}", "--include-dashboard=false"]
            self._start(1, [*head, *self._autoscaling, "--num-cpus=0", f"--temp-dir={self._temporary}"])
            join = [f"--address={self._address}", *self._size]
            for number in range(self._count):  # one by one: together they take ports from each other
                self.workers.append(self._start(2 + number, join))
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
        environment = self._node_environment | (self._head_environment if number == 1 else {})
        node = Node([*arguments, f"--node-ip-address=127.0.0.{number}"], log, environment)
        self._stack.callback(node.remove)
        node.wait()
        return node
