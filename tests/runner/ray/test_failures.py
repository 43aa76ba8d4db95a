"""What is told of a process that Ray has lost."""

from __future__ import annotations

import pytest
import ray
from ray.core.generated.common_pb2 import ActorDiedErrorContext, NodeDeathInfo
from ray.exceptions import ActorDiedError, OutOfMemoryError, RayError

from gandist.runner.ray.connection import Cluster
from gandist.runner.ray.failures import lost, reason

A = "base-seed0"


def node_died(why: NodeDeathInfo.Reason, message: str) -> ActorDiedError:
    """As Ray 2.60 has it, whose GCS writes the text."""
    end = f"Node Id: 0331f7\n\tthe actor's node was {message}"
    context = ActorDiedErrorContext(
        class_name="TrialActor",
        actor_id=bytes(16),
        pid=7,
        error_message=f"The actor died because its node has died. {end}",
        node_death_info=NodeDeathInfo(reason=why),
    )
    return ActorDiedError(context)


@pytest.mark.parametrize(
    ("why", "message", "preempted"),
    [
        (NodeDeathInfo.EXPECTED_TERMINATION, "terminated expectedly: received SIGTERM", True),
        (NodeDeathInfo.AUTOSCALER_DRAIN_PREEMPTED, "preempted: the spot instance is reclaimed", True),
        (NodeDeathInfo.UNEXPECTED_TERMINATION, "terminated unexpectedly: missing too many heartbeats", False),
    ],
)
def test_a_node_that_was_told_to_go_is_no_failure_and_one_that_died_is(
    why: NodeDeathInfo.Reason, message: str, preempted: bool
) -> None:
    event = lost(A, node_died(why, message))
    reason = f"its node has died: {message.partition(': ')[2]}"
    assert (event.trial, event.reason, event.preempted) == (A, reason, preempted)
    assert message in event.detail


def test_an_actor_that_cannot_be_made_says_why(ray_cluster: Cluster) -> None:
    class Broken:
        def __init__(self) -> None:
            raise ImportError("no gandist on this node")

    actor = ray.remote(Broken).options(num_cpus=0).remote()
    with pytest.raises(ActorDiedError) as died:
        ray.get(actor.__ray_ready__.remote())
    assert lost(A, died.value).reason == "its process could not start: ImportError: no gandist on this node"


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (
            OutOfMemoryError(
                "1 worker(s) were killed due to the node running low on memory. Memory on the node "
                "(IP: 192.0.2.2, ID: 0e1d) was 15.10GB used / 16.00GB limit (0.94375)\nOOM kill reason: ..."
            ),
            "killed: out of memory on its node (15.10GB used / 16.00GB limit)",
        ),
        (
            RayError("The actor died.\n\tpid: 7\nThe actor is dead because its node has died. More\nlines."),
            "its node has died",
        ),
        (RayError("Something\nelse"), "RayError: Something"),
        (StopIteration(), "the trial ended without a result"),
    ],
)
def test_the_reason_is_what_ray_knows(error: BaseException, text: str) -> None:
    assert reason(error) == text
