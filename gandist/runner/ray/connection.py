"""The Ray that trials run on: the cluster that ``RAY_ADDRESS`` names, else one of this machine's own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial

from gandist.errors import RunError, UsageError
from gandist.printable import one_line
from gandist.runner.interrupts import at_once
from gandist.runner.ray import auth
from gandist.runner.ray.processes import Started
from gandist.runner.ray.starting import shut_down, start, start_own, where
from gandist.runner.ray.watch import HEAD_S, OWN_S, Watch

QUIET = {
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # without it Ray announces a change of its defaults
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".*",  # Ray prints dead workers to stdout, whatever log_to_driver says
    "RAY_USAGE_STATS_ENABLED": "0",
}

HEALTH = {
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_timeout_ms": "1000",
    "RAY_health_check_failure_threshold": "3",
}
"""For where Ray's head starts: a node that answers no more is given up after about 5 s instead of 65."""

CONNECT_S = 10.0
ASK_S = 15.0
_ASK = """
import sys
from ray._private.services import canonicalize_bootstrap_address_or_die
from ray._raylet import GcsClient
GcsClient(address=canonicalize_bootstrap_address_or_die(sys.argv[1]))
"""

LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
"""Seen with ``ss -ltnp`` on Linux, Ray 2.60: by default the GCS, the raylet, the workers and the metrics
listen on all interfaces, and ``_node_ip_address="127.0.0.1"`` changes nothing: Ray resolves it outwards.
With this, the default on macOS and Windows, every port is bound to 127.0.0.1. Read when ray is imported."""


@dataclass(frozen=True)
class Node:
    """What one machine offers to trials."""

    cpus: float
    gpus: float

    def __str__(self) -> str:
        return f"{_counted(self.cpus, 'CPU')}, {_counted(self.gpus, 'GPU')}"


@dataclass(frozen=True)
class Cluster:
    """A connected Ray."""

    own: bool
    """Started here, so it will not grow."""
    nodes: tuple[Node, ...]
    watch: Watch = field(default_factory=lambda: Watch("Ray"), compare=False, repr=False)
    """Whether it still answers."""

    @property
    def gpus(self) -> float:
        """Of all nodes together."""
        return sum(node.gpus for node in self.nodes)

    def now(self) -> Cluster:
        """With the nodes that there are by now."""
        return replace(self, nodes=_nodes())

    def fits(self, cpus: float, gpus: float) -> bool:
        """Whether some node could hold an actor of that size, were it empty."""
        return any(node.cpus >= cpus and node.gpus >= gpus for node in self.nodes)

    def advice(self, cpus: float, gpus: float) -> str:
        """What to do with a trial of that size, which does not fit: something that does."""
        most_cpus = max((int(node.cpus) for node in self.nodes if node.gpus >= gpus), default=0)
        if most_cpus:
            return f"--set resources.cpus={most_cpus}"
        most_gpus = max((int(node.gpus) for node in self.nodes if node.cpus >= cpus), default=None)
        if most_gpus is not None:
            return f"--set resources.gpus={most_gpus}"
        largest = max(self.nodes, key=lambda node: (node.cpus >= 1, node.gpus, node.cpus), default=Node(0, 0))
        if largest.cpus < 1:
            return "start nodes with CPUs first"
        return f"--set resources.cpus={int(largest.cpus)} --set resources.gpus={int(largest.gpus)}"

    def __str__(self) -> str:
        if self.own:
            return f"this machine: {', '.join(map(str, self.nodes))}"
        kinds = sorted(Counter(self.nodes).items(), key=lambda kind: (-kind[0].gpus, -kind[0].cpus))
        return f"Ray cluster of {_counted(len(self.nodes), 'node')}: " + "; ".join(
            f"{count} with {node}" for node, count in kinds
        )


def _counted(number: float, what: str) -> str:
    return f"{number:g} {what}" + ("" if number == 1 else "s")


def on_this_machine() -> bool:
    """Whether trials run on a Ray of this machine's own: no address is given, or Ray's word for that."""
    return os.environ.get("RAY_ADDRESS", "") in ("", "local")


@contextmanager
def connected(num_cpus: int | None = None, tell: Callable[[str], None] = lambda _: None) -> Iterator[Cluster]:
    """Connect to Ray, and leave it again; one that this process is connected to already is used and kept.

    Args:
        num_cpus: of a Ray started here; None = the machine's.
        tell: takes a line for a person who waits.

    Raises:
        UsageError: ``RAY_ADDRESS`` is of a kind that a job cannot run through.
        RunError: the cluster cannot be reached, or none can be started.
    """
    address = os.environ.get("RAY_ADDRESS", "")
    own = on_this_machine()
    if "://" in address:
        raise UsageError(
            f"RAY_ADDRESS={address}: a job's driver runs inside the cluster; send it there with "
            "`gandist submit`, or unset RAY_ADDRESS to run on this machine"
        )
    auth.use_named_token()
    for name, value in (QUIET | LOOPBACK | HEALTH if own else QUIET).items():
        os.environ.setdefault(name, value)
    if own:
        auth.use_own_token()
        tell("starting Ray on this machine")
    else:
        with at_once():
            _refuse_unreachable(address)
    import ray  # it reads the environment when imported

    watch = Watch(where(address))
    if ray.is_initialized():
        yield _look(watch, own)
        return
    with ExitStack() as stack:
        if own:
            started = Started()
            stack.callback(started.end)
            stack.callback(shut_down)
            start_own(num_cpus, tell, started.end)
            stack.enter_context(watch.running(partial(started.end, leave_s=0.0)))
        else:
            stack.callback(shut_down)
            start(address)
            stack.enter_context(watch.running())
        with at_once():
            cluster = _look(watch, own)
        yield cluster


def _refuse_unreachable(address: str) -> None:
    """Ray tries for minutes where no one answers, deaf to Ctrl-C: a process that can be ended asks first."""
    host, colon, port = address.rpartition(":")
    if colon and port.isdecimal():  # else auto: Ray finds the address
        try:
            socket.create_connection((host.strip("[]"), int(port)), CONNECT_S).close()
        except (OSError, OverflowError, UnicodeError) as error:
            raise RunError(f"RAY_ADDRESS={address}: no Ray answers there ({error})") from error
    try:
        subprocess.run(  # noqa: S603 - Python, and an address as its argument
            [sys.executable, "-P", "-c", _ASK, address],  # P: without the current directory's modules
            check=True,
            timeout=ASK_S,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
    except subprocess.TimeoutExpired as error:
        raise RunError(
            f"RAY_ADDRESS={address}: no Ray answers there; give the address that `ray start --head` prints, "
            "mostly with port 6379"
        ) from error
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip().splitlines() or [""])[-1]
        why = auth.refused(error.stderr) or f"cannot be used: {one_line(last)}"
        raise RunError(f"RAY_ADDRESS={address}: {why}") from error


def _look(watch: Watch, own: bool) -> Cluster:
    """The nodes; what answers for them is watched from here on."""
    import ray

    context = ray.get_runtime_context()
    watch.add("its head (GCS)", context.gcs_address, OWN_S if own else HEAD_S)
    for node in ray.nodes():
        if node["NodeID"] == context.get_node_id():
            address = f"{node['NodeManagerAddress']}:{node['NodeManagerPort']}"
            watch.add("the raylet of this machine", address, OWN_S)
    return Cluster(own, _nodes(), watch)


def _nodes() -> tuple[Node, ...]:
    import ray

    offers: list[dict[str, float]] = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    return tuple(Node(offer.get("CPU", 0.0), offer.get("GPU", 0.0)) for offer in offers)
