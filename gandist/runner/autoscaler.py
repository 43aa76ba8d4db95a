"""Whether a Ray cluster that is too small for a trial can become large enough; its autoscaler knows.

Ray has no public way to ask. Its second autoscaler, KubeRay's default, keeps a list of the requests that no
node type of it can hold, where ``ray status`` finds its figures; its first one tells what its node types are
called, and one that starts no nodes calls each after its only node. What cannot be read proves nothing.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from typing import Any

ANSWER_S = 15.0
"""An autoscaler looks around every 5 s."""
LOOK_S = 0.5

NOTHING_STARTS_NODES = ", and nothing starts more nodes there"
NONE_THAT_LARGE = ", and its autoscaler may start none that large"


def why_never(cpus: float, gpus: float, placed: Callable[[float], bool]) -> str | None:
    """Why an actor of that size, which is waiting for its place, will wait for ever.

    Args:
        cpus: it asks for.
        gpus: it asks for.
        placed: waits for so many seconds; whether it has its place.

    Returns:
        the end of a sentence; None = it has its place, or may get it, or nobody can tell.
    """
    request = {name: float(amount) for name, amount in (("CPU", cpus), ("GPU", gpus)) if amount}
    deadline = time.monotonic() + ANSWER_S
    asked_in: int | None = None
    """The version of the cluster's state in which the request is."""
    while not placed(LOOK_S):
        status = _status()
        if status is not None and status.HasField("autoscaling_state"):
            answer, now = status.autoscaling_state, status.cluster_resource_state
            if _lists(request, answer.infeasible_resource_requests):
                return NONE_THAT_LARGE
            if asked_in is None and _lists(request, (one.request for one in now.pending_resource_requests)):
                asked_in = now.cluster_resource_state_version
            if asked_in is not None and answer.last_seen_cluster_resource_state_version >= asked_in:
                return None
            if time.monotonic() > deadline:
                return None
        elif (types := _node_types()) is not None:
            return (
                NOTHING_STARTS_NODES if all(kind == f"node_{node}" for node, kind in types.items()) else None
            )
        elif time.monotonic() > deadline:  # no autoscaler of any kind has said a word
            return NOTHING_STARTS_NODES if status is not None else None
    return None


def _lists(request: dict[str, float], requests: Iterable[Any]) -> bool:
    return any(dict(one.resources_bundle) == request for one in requests)


def _status() -> Any:
    """What the cluster and its second autoscaler say, a ``GetClusterStatusReply``; None = not to be read."""
    import ray

    try:
        from ray._raylet import GcsClient  # type: ignore[attr-defined]  # compiled
        from ray.core.generated.autoscaler_pb2 import GetClusterStatusReply

        gcs = GcsClient(address=ray.get_runtime_context().gcs_address)
        return GetClusterStatusReply.FromString(gcs.get_cluster_status(timeout_s=5))
    except (ImportError, AttributeError, TypeError, ray.exceptions.RayError):  # none of it is promised
        return None


def _node_types() -> dict[str, str] | None:
    """Which type each node is of, to the first autoscaler; None = it has not spoken."""
    try:
        from ray.experimental.internal_kv import _internal_kv_get

        written = _internal_kv_get("__autoscaling_status")
        return dict(json.loads(written)["autoscaler_report"]["node_type_mapping"]) if written else None
    except (ImportError, KeyError, TypeError, ValueError):
        return None
