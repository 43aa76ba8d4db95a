"""What is concluded from what autoscalers say; tests/runner/test_gpus.py asks a real one."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from ray.core.generated.autoscaler_pb2 import GetClusterStatusReply

from gandist.runner import autoscaler
from gandist.runner.autoscaler import ANSWER_S, LOOK_S, NONE_THAT_LARGE, NOTHING_STARTS_NODES, why_never

Bundle = dict[str, float]
HUGE = {"CPU": 4.0, "GPU": 8.0}
NODE = "0badc0de"


def reply(
    *, pending: list[Bundle] = (), version: int = 1, seen: int | None = None, infeasible: list[Bundle] = ()
) -> GetClusterStatusReply:
    """What the cluster and, unless ``seen`` is None, its second autoscaler say."""
    answer = GetClusterStatusReply()
    now = answer.cluster_resource_state
    now.cluster_resource_state_version = version
    for bundle in pending:
        now.pending_resource_requests.add(count=1).request.resources_bundle.update(bundle)
    if seen is not None:
        answer.autoscaling_state.last_seen_cluster_resource_state_version = seen
        for bundle in infeasible:
            answer.autoscaling_state.infeasible_resource_requests.add().resources_bundle.update(bundle)
    return answer


class Ray:
    """One that says ``replies``, the last of them for ever; each look takes its time on the clock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.looks = 0
        self.replies: list[Any] = [reply()]
        self.types: dict[str, str] | None = None
        self.placed_after: float = float("inf")
        monkeypatch.setattr(autoscaler, "_status", self._status)
        monkeypatch.setattr(autoscaler, "_node_types", lambda: self.types)
        monkeypatch.setattr(autoscaler.time, "monotonic", lambda: self.looks * LOOK_S)

    def placed(self, seconds: float) -> bool:
        assert seconds == LOOK_S
        self.looks += 1
        assert self.looks < 10 * ANSWER_S, "for ever"
        return self.looks > self.placed_after

    def _status(self) -> Any:
        return self.replies[min(self.looks - 1, len(self.replies) - 1)]

    def why_never(self) -> str | None:
        return why_never(4, 8, self.placed)


@pytest.fixture
def ray(monkeypatch: pytest.MonkeyPatch) -> Ray:
    return Ray(monkeypatch)


def test_a_node_that_has_come_meanwhile_is_no_reason(ray: Ray) -> None:
    ray.placed_after = 3
    assert ray.why_never() is None
    assert ray.looks == 4


def test_what_no_node_type_can_hold_is_refused(ray: Ray) -> None:
    waits = reply(pending=[HUGE], version=5, seen=4)
    ray.replies = [reply(seen=3), waits, reply(pending=[HUGE], version=6, seen=5, infeasible=[HUGE])]
    assert ray.why_never() == NONE_THAT_LARGE


def test_what_others_ask_for_in_vain_is_not_ours(ray: Ray) -> None:
    others = [{"CPU": 4.0}, {"CPU": 4.0, "GPU": 80.0}]
    ray.replies = [reply(pending=[HUGE], version=seen + 1, seen=seen, infeasible=others) for seen in (4, 5)]
    assert ray.why_never() is None
    assert ray.looks == 2, "the answer came as soon as the autoscaler had seen the request"


def test_an_autoscaler_that_is_busy_is_waited_for_and_then_trusted(ray: Ray) -> None:
    ray.replies = [reply(pending=[HUGE], version=9, seen=8)]
    assert ray.why_never() is None
    assert ray.looks * LOOK_S > ANSWER_S


@pytest.mark.parametrize(
    ("types", "verdict"),
    [
        ({NODE: f"node_{NODE}", "cafe": "node_cafe"}, NOTHING_STARTS_NODES),
        ({NODE: "ray.head.default"}, None),
        ({NODE: f"node_{NODE}", "cafe": "ray.worker.default"}, None),
    ],
    ids=["only shows", "head of its own type", "worker of its own type"],
)
def test_the_first_autoscaler_names_its_node_types(
    ray: Ray, types: dict[str, str], verdict: str | None
) -> None:
    ray.types = types
    assert ray.why_never() == verdict
    assert ray.looks == 1


def test_a_cluster_without_any_autoscaler_is_given_time_for_late_nodes_only(ray: Ray) -> None:
    assert ray.why_never() == NOTHING_STARTS_NODES
    assert ray.looks * LOOK_S > ANSWER_S


def test_what_cannot_be_read_proves_nothing(ray: Ray) -> None:
    ray.replies = list(itertools.repeat(None, 3))
    assert ray.why_never() is None
