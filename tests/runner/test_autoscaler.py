"""What is read of autoscalers, and concluded; tests/runner/test_gpus.py asks a real one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from gandist.runner import autoscaler
from gandist.runner.autoscaler import (
    ANSWER_S,
    KEPT_S,
    LOOK_S,
    NONE_THAT_LARGE,
    NOTHING_STARTS_NODES,
    SILENT_S,
    View,
    why_never,
)
from gandist.runner.cluster import Cluster

Bundle = dict[str, float]
HUGE = {"CPU": 4.0, "GPU": 8.0}
HEAD = {"CPU": 4.0, "node:__internal_head__": 1.0}
NEVER = float("inf")


class Ray:
    """One that tells ``views``, the last of them for ever; each look takes its time on the clock."""

    def __init__(self, *views: View | None, placed_after: float = NEVER) -> None:
        self.views, self.placed_after = views, placed_after
        self.looks = 0

    def why_never(self) -> str | None:
        return why_never(4, 8, self._placed, self._look, clock=lambda: self.looks * LOOK_S)

    def _placed(self, seconds: float) -> bool:
        assert seconds == LOOK_S
        self.looks += 1
        assert self.looks * LOOK_S < 10 * SILENT_S, "for ever"
        return self.looks > self.placed_after

    def _look(self, cpus: float, gpus: float) -> View | None:
        assert (cpus, gpus) == (4, 8)
        return self.views[min(self.looks, len(self.views)) - 1]


SHOWS, SILENT, SECOND = View("only shows"), View("silent"), View("second", waiting=1)


@pytest.mark.parametrize(
    ("ray", "verdict"),
    [
        (Ray(SECOND, View("second", waiting=1, without_room=1)), NONE_THAT_LARGE),
        (Ray(View("second", waiting=13, without_room=9)), None),
        (Ray(View("second", waiting=2, without_room=2, moving=True)), None),
        (Ray(View("first")), None),
        (Ray(SHOWS), NOTHING_STARTS_NODES),
        (Ray(SHOWS, placed_after=9), None),
        (Ray(SILENT), NOTHING_STARTS_NODES),
        (Ray(SILENT, SILENT, View("second", waiting=1, moving=True)), None),
        (Ray(None), None),
    ],
    ids=[
        "no node type is that large",
        "there is room for some like it",
        "nodes are starting or in use",
        "the first autoscaler does not say",
        "nothing starts nodes",
        "a node has joined",
        "nobody says a word",
        "the autoscaler was late",
        "nothing can be read",
    ],
)
def test_only_what_is_certain_is_refused(ray: Ray, verdict: str | None) -> None:
    assert ray.why_never() == verdict


@pytest.mark.parametrize(
    ("ray", "patience_s"),
    [(Ray(SHOWS), ANSWER_S), (Ray(SILENT), SILENT_S), (Ray(SECOND), ANSWER_S), (Ray(None), 0.0)],
    ids=["nodes may join", "an autoscaler may be late", "an autoscaler may be slow", "no use in waiting"],
)
def test_there_is_time_for_an_answer(ray: Ray, patience_s: float) -> None:
    ray.why_never()
    assert patience_s < ray.looks * LOOK_S <= patience_s + 2 * LOOK_S


def second(
    *,
    pending: Sequence[tuple[Bundle, int]] = (),
    infeasible: Sequence[Bundle] = (),
    nodes: Sequence[tuple[Bundle, Bundle, float]] = (),
    starting: int = 0,
    cpus: float = 4,
    gpus: float = 8,
) -> View:
    """What is read of the second autoscaler; ``nodes``: resources, total and available, and s of idleness."""
    from ray.core.generated.autoscaler_pb2 import GetClusterStatusReply

    status = GetClusterStatusReply()
    now, answer = status.cluster_resource_state, status.autoscaling_state
    for bundle, count in pending:
        now.pending_resource_requests.add(count=count).request.resources_bundle.update(bundle)
    for bundle in infeasible:
        answer.infeasible_resource_requests.add().resources_bundle.update(bundle)
    for total, available, idle_s in nodes:
        node = now.node_states.add(idle_duration_ms=int(1000 * idle_s))
        node.total_resources.update(total)
        node.available_resources.update(available)
    for _ in range(starting):
        answer.pending_instances.add()
    return autoscaler._of_second(status, cpus, gpus)


def test_requests_of_the_size_are_counted() -> None:
    others = {"CPU": 4.0, "GPU": 80.0}
    found = second(pending=[(HUGE, 3), (others, 5)], infeasible=[HUGE, others, HUGE])
    assert (found.waiting, found.without_room, found.moving) == (3, 2, False)
    assert not found.is_hopeless
    assert second(pending=[(HUGE, 2), (others, 5)], infeasible=[HUGE, HUGE]).is_hopeless


def test_shares_of_a_gpu_are_those_that_ray_counts() -> None:
    third = {"CPU": 4.0, "GPU": 0.3333}
    assert second(pending=[(third, 1)], infeasible=[third], gpus=1 / 3).is_hopeless
    assert second(pending=[({"CPU": 4.0}, 1)], infeasible=[{"CPU": 4.0}], gpus=0).is_hopeless


def test_there_may_be_room_later_where_nodes_start_or_may_go() -> None:
    asked = {"pending": [(HUGE, 1)], "infeasible": [HUGE]}
    worker = {"CPU": 4.0, "GPU": 2.0}
    used, idle_s = {**worker, "GPU": 1.5}, KEPT_S + 1
    assert second(**asked, nodes=[(HEAD, {**HEAD, "CPU": 1.0}, 0), (worker, worker, idle_s)]).is_hopeless
    assert not second(**asked, nodes=[(HEAD, HEAD, 0), (worker, used, 0)]).is_hopeless
    assert not second(**asked, nodes=[(HEAD, HEAD, 0), (worker, worker, KEPT_S / 2)]).is_hopeless
    assert not second(**asked, starting=1).is_hopeless


@pytest.mark.parametrize(
    ("types", "kind"),
    [
        ({}, "silent"),
        ({"0bad": "node_0bad", "cafe": "node_cafe"}, "only shows"),
        ({"0bad": "ray.head.default"}, "first"),
        ({"0bad": "node_0bad", "cafe": "ray.worker.default"}, "first"),
    ],
)
def test_the_first_autoscaler_names_its_node_types(types: dict[str, str], kind: str) -> None:
    assert autoscaler._of_first({"autoscaler_report": {"node_type_mapping": types}}) == View(kind)


@pytest.mark.parametrize("status", [{}, {"time": 1.0}, {"autoscaler_report": {"node_type_mapping": None}}])
def test_one_that_has_only_begun_is_silent(status: dict[str, Any]) -> None:
    assert autoscaler._of_first(status) == View("silent")


def test_a_ray_of_this_machine_can_be_read(ray_cluster: Cluster) -> None:
    found = autoscaler.view(4, 8)
    assert found is not None
    assert found.autoscaler in ("silent", "only shows")
    assert not found.is_hopeless
