"""Whether a Ray cluster that is too small for a trial can become large enough; its autoscaler knows.

Ray has no public way to ask. Its second autoscaler, KubeRay's default, lists the requests that it found no
room for, where ``ray status`` gets its figures; its first one tells what its node types are called, and one
that starts no nodes calls each after its only node. What cannot be read proves nothing.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

LOOK_S = 0.5
ANSWER_S = 15.0
"""An autoscaler looks around every 5 s; nodes that join a cluster take as long."""
KEPT_S = 600.0
SILENT_S = 60.0
"""For an autoscaler in a container of its own to say its first word."""

NOTHING_STARTS_NODES = ", and no autoscaler there starts nodes"
NONE_THAT_LARGE = ", and its autoscaler can start none that large"


@dataclass(frozen=True)
class View:
    """What a cluster tells about requests of one size."""

    autoscaler: Literal["second", "first", "only shows", "silent"]
    waiting: int = 0
    """Such requests, also those of other jobs."""
    without_room: int = 0
    """Those of them that the second autoscaler found no room for, with all nodes that it may start."""
    moving: bool = False
    """Nodes are starting, or those that are there may go and leave room for others."""

    @property
    def is_hopeless(self) -> bool:
        """Whether no node can hold such a request, however idle the cluster is."""
        return bool(self.waiting) and self.without_room == self.waiting and not self.moving


def why_never(
    cpus: float,
    gpus: float,
    placed: Callable[[float], bool],
    look: Callable[[float, float], View | None] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> str | None:
    """Why an actor of that size, which is waiting for its place, will wait for ever.

    Args:
        cpus: it asks for.
        gpus: it asks for.
        placed: waits for so many seconds; whether it has its place.
        look: what the cluster tells; None = ``view``.
        clock: seconds, from wherever.

    Returns:
        the end of a sentence; None = it has its place, or may get it, or nobody can tell.
    """
    began = clock()
    while not placed(LOOK_S):
        found = (look or view)(cpus, gpus)
        if found is None or found.autoscaler == "first" or found.moving:
            return None
        if found.is_hopeless:
            return NONE_THAT_LARGE
        patience_s, verdict = _IN_THE_END[found.autoscaler]
        if clock() - began > patience_s:
            return verdict
    return None


_IN_THE_END: dict[str, tuple[float, str | None]] = {
    "second": (ANSWER_S, None),
    "only shows": (ANSWER_S, NOTHING_STARTS_NODES),
    "silent": (SILENT_S, NOTHING_STARTS_NODES),
}


def view(cpus: float, gpus: float) -> View | None:
    """What the connected cluster tells about requests of that size; None = it cannot be read."""
    try:
        from ray.core.generated.autoscaler_pb2 import GetClusterStatusReply
        from ray.experimental.internal_kv import internal_kv_get_gcs_client

        gcs = internal_kv_get_gcs_client()
        status = GetClusterStatusReply.FromString(gcs.get_cluster_status(timeout_s=5))
        if status.HasField("autoscaling_state"):
            return _of_second(status, cpus, gpus)
        written = gcs.internal_kv_get(b"__autoscaling_status", None)
        return _of_first(json.loads(written) if written else {})
    except Exception:  # noqa: BLE001 - none of it is promised, so nothing rests on it
        return None


def _of_first(status: dict[str, Any]) -> View:
    types = (status.get("autoscaler_report") or {}).get("node_type_mapping")
    if not types:  # it has only begun, too
        return View("silent")
    shows = all(kind == f"node_{node}" for node, kind in types.items())
    return View("only shows" if shows else "first")


def _of_second(status: Any, cpus: float, gpus: float) -> View:
    cluster, autoscaler = status.cluster_resource_state, status.autoscaling_state
    asked = {name: amount for name, amount in (("CPU", cpus), ("GPU", gpus)) if amount}

    def count(requests: Iterable[tuple[Any, int]]) -> int:
        return sum(number for request, number in requests if _equal(dict(request.resources_bundle), asked))

    return View(
        "second",
        waiting=count((one.request, one.count) for one in cluster.pending_resource_requests),
        without_room=count((one, 1) for one in autoscaler.infeasible_resource_requests),
        moving=bool(autoscaler.pending_instances or autoscaler.pending_instance_requests)
        or any(_may_go(node) for node in cluster.node_states),
    )


def _equal(one: dict[str, float], other: dict[str, float]) -> bool:
    """Ray counts in steps of 1e-4: a third of a GPU is 0.3333 of one."""
    return one.keys() == other.keys() and all(math.isclose(one[k], other[k], abs_tol=1.5e-4) for k in one)


def _may_go(node: Any) -> bool:
    """Whether a node that the autoscaler has started may be replaced by another kind: used, or idle for less
    long than autoscalers keep nodes for the next request. One that is idle for longer is kept for ever.
    """
    is_head = "node:__internal_head__" in node.total_resources
    used = dict(node.available_resources) != dict(node.total_resources)
    return not is_head and (used or node.idle_duration_ms < 1000 * KEPT_S)
