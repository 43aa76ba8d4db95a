"""The checks of the overlays find what is wrong: each mistake here is made in a manifest that has none."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .hardening import pod_problems, reaches
from .manifests import K8S, Manifest, compose, of_kind, overlay, pod, pods, ray, render
from .operators import kuberay_problems, kueue_problems
from .schemas import KUBERNETES, core_problems, crd_problems

HEAD = "rayClusterSpec.headGroupSpec"
HEAD_POD = f"{HEAD}.template.spec"
HEAD_BOX = f"{HEAD_POD}.containers.0"
WORKERS = "rayClusterSpec.workerGroupSpecs.0"
WORKER_BOX = f"{WORKERS}.template.spec.containers.0"
GONE = object()


def changed(manifest: Manifest, changes: dict[str, Any]) -> Manifest:
    """A copy with other values in ``spec``, by their dotted paths."""
    made = copy.deepcopy(manifest)
    for path, value in changes.items():
        *way, last = (int(step) if step.isdecimal() else step for step in path.split("."))
        where: Any = made["spec"]
        for step in way:
            where = where[step] if isinstance(where, list) else where.setdefault(step, {})
        if value is GONE:
            del where[last]
        else:
            where[last] = value
    return made


@pytest.fixture
def job() -> Manifest:
    """A RayJob without mistakes."""
    return ray(overlay("gpu"))


def assert_only(problems: list[str], expected: str) -> None:
    assert len(problems) == 1, problems
    assert expected in problems[0]


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"retries": 3}, "'retries' was unexpected"),
        ({"backoffLimit": "three"}, "'three' is not of type 'integer'"),
        ({"preRunningDeadlineSeconds": 0}, "0 is less than the minimum of 1"),
        ({"rayClusterSpec.authOptions.mode": "password"}, "'password' is not one of"),
        ({"rayClusterSpec.authOptions.tokenName": "t"}, "'tokenName' was unexpected"),
        ({"rayClusterSpec.autoscalerOptions.version": "v3"}, "'v3' is not one of"),
        ({f"{HEAD}.rayStartParams.num-cpus": 0}, "0 is not of type 'string'"),
        ({f"{HEAD}.template": GONE}, "'template' is a required property"),
        ({f"{WORKERS}.minReplica": 0}, "'minReplica' was unexpected"),
        ({f"{WORKER_BOX}.livenessprobe": {}}, "'livenessprobe' was unexpected"),
        ({f"{WORKER_BOX}.resources.limits.memory": "4 GB"}, "does not match"),
        ({f"{WORKER_BOX}.lifecycle.preStop.exec.command": "sh"}, "'sh' is not of type 'array'"),
        ({f"{HEAD_POD}.securityContext.runAsNonRoot": "yes"}, "'yes' is not of type 'boolean'"),
        ({f"{HEAD_POD}.automountServiceAccountTokens": False}, "was unexpected"),
    ],
)
def test_the_crd_knows(job: Manifest, changes: dict[str, Any], complaint: str) -> None:
    assert crd_problems(job) == []
    assert_only(crd_problems(changed(job, changes)), complaint)


@pytest.mark.parametrize("version", KUBERNETES)
@pytest.mark.parametrize(
    "changes",
    [
        {f"{WORKER_BOX}.imagepullpolicy": "Always"},
        {f"{HEAD_BOX}.ports.0.containerPort": "6379"},
        {f"{HEAD_POD}.volumes.0.projected.source": []},
        {"submitterPodTemplate.spec.restart": "Never"},
        {"rayClusterSpec.autoscalerOptions.securityContext.capability": {}},
    ],
)
def test_kubernetes_knows(job: Manifest, changes: dict[str, Any], version: str) -> None:
    assert list(core_problems(job, version)) == []
    assert len(list(core_problems(changed(job, changes), version))) == 1


def test_kubernetes_knows_its_own_resources() -> None:
    (policy, *_) = of_kind(overlay("cpu"), "NetworkPolicy")
    assert list(core_problems(policy, KUBERNETES[0])) == []
    assert len(list(core_problems(changed(policy, {"ingres": []}), KUBERNETES[0]))) == 1


def rule(policy: str, ttl: int, **condition: str) -> dict[str, Any]:
    return {"policy": policy, "condition": {"ttlSeconds": ttl, **(condition or {"jobStatus": "FAILED"})}}


RULES = "deletionStrategy.deletionRules"
KEPT = {"shutdownAfterJobFinishes": False, "ttlSecondsAfterFinished": 0}


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"rayClusterSpec": GONE}, "neither rayClusterSpec nor clusterSelector"),
        ({"shutdownAfterJobFinishes": False}, "ttlSecondsAfterFinished needs"),
        ({**KEPT, "suspend": True}, "suspend needs"),
        ({"activeDeadlineSeconds": 0}, "activeDeadlineSeconds"),
        ({"preRunningDeadlineSeconds": -1}, "preRunningDeadlineSeconds"),
        ({"backoffLimit": -1}, "backoffLimit is negative"),
        ({"clusterSelector": {"ray.io/cluster": "x"}}, "a retry makes a new cluster"),
        ({"submissionMode": "InteractiveMode"}, "excludes InteractiveMode"),
        ({"submissionMode": "SidecarMode"}, "SidecarMode excludes"),
        ({"runtimeEnvYAML": "a: ["}, "no YAML"),
        ({RULES: [rule("DeleteCluster", 60)]}, "exclude shutdownAfterJobFinishes"),
        ({"deletionStrategy": {}}, "needs deletionRules"),
        ({**KEPT, RULES: [rule("DeleteCluster", 9), rule("DeleteCluster", 9)]}, "two deletion rules"),
        ({**KEPT, RULES: [rule("DeleteCluster", 9), rule("DeleteSelf", 1)]}, "workers are deleted first"),
        ({**KEPT, RULES: [rule("DeleteWorkers", 9)]}, "excludes autoscaling"),
        (
            {**KEPT, RULES: [rule("DeleteSelf", 9, jobStatus="FAILED", jobDeploymentStatus="Failed")]},
            "one of jobStatus and",
        ),
        ({"rayClusterSpec.rayVersion": "2.51.0"}, "2.52.0 or later"),
        ({"rayClusterSpec.rayVersion": GONE}, "2.52.0 or later"),
        ({"rayClusterSpec.networkPolicy": {}}, "feature gate"),
        ({"rayClusterSpec.upgradeStrategy": {"type": "Recreate"}}, "upgradeStrategy"),
        ({"rayClusterSpec.authOptions.enableK8sTokenAuth": True}, "enableK8sTokenAuth"),
        ({f"{HEAD_POD}.containers": []}, "no container"),
        ({f"{HEAD}.resources": {"CPU": "1"}}, "both in rayStartParams"),
        ({f"{HEAD}.rayStartParams.labels": "a=b"}, "not into rayStartParams"),
        ({f"{WORKERS}.template.spec.restartPolicy": "Always"}, "restartPolicy Never"),
        ({f"{WORKERS}.minReplicas": 9}, "minReplicas <= maxReplicas"),
        ({f"{WORKERS}.suspend": True}, "suspend excludes autoscaling"),
        ({"rayClusterSpec.autoscalerOptions.idleTimeoutSeconds": -1}, "is negative"),
        (
            {"rayClusterSpec.autoscalerOptions.env": [{"name": "KUBERAY_GEN_AUTOSCALER_START_CMD"}]},
            "operator's",
        ),
        (
            {f"{HEAD_BOX}.env": [{"name": "RAY_enable_autoscaler_v2", "value": "1"}]},
            "excludes autoscalerOptions",
        ),
        ({f"{HEAD_BOX}.env": [{"name": "RAY_REDIS_ADDRESS", "value": "r"}]}, "gcsFaultToleranceOptions"),
        ({"rayClusterSpec.autoscalerOptions.version": "v1", f"{WORKERS}.priority": 1}, "need autoscaler v2"),
    ],
)
def test_kuberay_refuses(job: Manifest, changes: dict[str, Any], complaint: str) -> None:
    assert list(kuberay_problems(job)) == []
    assert_only(list(kuberay_problems(changed(job, changes))), complaint)


def test_kuberay_takes_deletion_rules_where_nothing_excludes_them(job: Manifest) -> None:
    rules = [rule("DeleteCluster", 1), rule("DeleteSelf", 9), rule("DeleteSelf", 1, jobStatus="SUCCEEDED")]
    assert list(kuberay_problems(changed(job, {**KEPT, RULES: rules}))) == []


def test_kuberay_wants_both_bounds_of_a_fixed_group() -> None:
    fixed = changed(ray(overlay("cpu")), {f"{WORKERS}.maxReplicas": GONE})
    assert_only(list(kuberay_problems(fixed)), "needed without autoscaling")


@pytest.mark.parametrize("name", ["Gandist", "1gandist", "gandist.mnist", "g" * 48])
def test_kuberay_refuses_names(job: Manifest, name: str) -> None:
    assert len(list(kuberay_problems({**job, "metadata": {"name": name}}))) == 1


def test_kueue_refuses_an_autoscaled_job(tmp_path: Path) -> None:
    assert list(kueue_problems(ray(overlay("kueue")))) == []
    autoscaled = ray(compose(tmp_path, ["autoscaler", "kueue"]))
    assert_only(list(kueue_problems(autoscaled)), "must not autoscale")


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"shutdownAfterJobFinishes": False}, "must delete its cluster"),
        ({"clusterSelector": {"ray.io/cluster": "x"}}, "existing cluster"),
        ({f"{WORKERS}.groupName": "head"}, "named head"),
    ],
)
def test_kueue_refuses(changes: dict[str, Any], complaint: str) -> None:
    assert_only(list(kueue_problems(changed(ray(overlay("kueue")), changes))), complaint)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({f"{HEAD_POD}.securityContext": GONE}, "may run as root"),
        ({f"{HEAD_POD}.securityContext.runAsUser": 0}, "may run as root"),
        ({f"{HEAD_POD}.securityContext.seccompProfile": GONE}, "no seccomp profile"),
        ({f"{HEAD_POD}.automountServiceAccountToken": GONE}, "token in every container"),
        ({f"{HEAD_POD}.enableServiceLinks": True}, "services in the environment"),
        ({f"{HEAD_POD}.hostNetwork": True}, "hostNetwork"),
        ({f"{HEAD_POD}.volumes.1": {"name": "tmp", "hostPath": {"path": "/"}}}, "hostPath"),
        ({f"{HEAD_POD}.volumes.1.emptyDir": {}}, "may fill the node"),
        ({f"{HEAD_BOX}.securityContext.readOnlyRootFilesystem": False}, "may write to its image"),
        ({f"{HEAD_BOX}.securityContext.allowPrivilegeEscalation": GONE}, "may gain privileges"),
        (
            {f"{HEAD_BOX}.securityContext.capabilities": {"drop": ["ALL"], "add": ["SYS_PTRACE"]}},
            "capabilities",
        ),
        ({f"{HEAD_BOX}.securityContext.privileged": True}, "does not leave to the pod"),
        ({f"{HEAD_BOX}.resources": {}}, "requests no memory"),
        ({f"{HEAD_BOX}.resources.limits.memory": GONE}, "no limit of memory"),
        ({f"{HEAD_BOX}.resources.limits.memory": "1Gi"}, "more memory than its limit"),
        ({f"{HEAD_BOX}.volumeMounts.1.mountPath": "/temporary"}, "cannot write to /tmp"),
        ({f"{HEAD_BOX}.volumeMounts.0.name": "autoscaler-token"}, "has the autoscaler's token"),
        ({"rayClusterSpec.autoscalerOptions.securityContext": GONE}, "autoscaler: may write to its image"),
        ({"rayClusterSpec.autoscalerOptions.resources": GONE}, "autoscaler: requests no cpu"),
    ],
)
def test_looser_pods_are_noticed(job: Manifest, changes: dict[str, Any], complaint: str) -> None:
    (head, *_) = pods(changed(job, changes))
    assert any(complaint in problem for problem in pod_problems(head))


def test_every_pod_of_a_job_is_looked_at(job: Manifest) -> None:
    assert [pod.role for pod in pods(job)] == ["head", "worker", "submitter"]
    assert [c["name"] for c in pod([job], "head").spec["containers"]] == ["ray-head", "autoscaler"]


class TestNetworkPolicies:
    """How policies are read: https://kubernetes.io/docs/concepts/services-networking/network-policies/"""

    RED, BLUE = {"colour": "red"}, {"colour": "blue"}

    def policy(self, selector: Manifest, *rules: Manifest) -> Manifest:
        return {"spec": {"podSelector": selector, "policyTypes": ["Ingress"], "ingress": list(rules)}}

    def test_without_a_policy_all_is_open(self) -> None:
        assert reaches([self.policy({"matchLabels": self.BLUE})], self.RED, self.RED, 1)

    def test_a_policy_without_rules_closes(self) -> None:
        assert not reaches([self.policy({})], self.RED, self.RED, 1)

    def test_policies_add_up(self) -> None:
        both = [self.policy({}), self.policy({}, {"from": [{"podSelector": {"matchLabels": self.BLUE}}]})]
        assert reaches(both, self.BLUE, self.RED, 1)
        assert not reaches(both, self.RED, self.RED, 1)

    def test_a_rule_without_peers_is_open_to_all(self) -> None:
        assert reaches([self.policy({}, {"ports": [{"port": 1}]})], self.RED, self.RED, 1, "elsewhere")
        assert not reaches([self.policy({}, {"ports": [{"port": 1}]})], self.RED, self.RED, 2)

    def test_a_pod_selector_alone_means_this_namespace(self) -> None:
        assert not reaches(
            [self.policy({}, {"from": [{"podSelector": {}}]})], self.RED, self.RED, 1, "elsewhere"
        )

    def test_both_selectors_of_a_peer_must_match(self) -> None:
        named = {"matchLabels": {"kubernetes.io/metadata.name": "there"}}
        peer = {"namespaceSelector": named, "podSelector": {"matchLabels": self.BLUE}}
        policies = [self.policy({}, {"from": [peer]})]
        assert reaches(policies, self.BLUE, self.RED, 1, "there")
        assert not reaches(policies, self.RED, self.RED, 1, "there")
        assert not reaches(policies, self.BLUE, self.RED, 1, "elsewhere")
        assert not reaches(policies, self.BLUE, self.RED, 1)


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        (lambda text: text.replace("  newTag: latest", "  newTga: latest"), "newTga"),
        (lambda text: text.replace("- storage.yaml", "- storages.yaml"), "storages.yaml"),
    ],
)
def test_what_kustomize_refuses_fails(tmp_path: Path, change: Callable[[str], str], broken: str) -> None:
    for file in (K8S / "base").iterdir():
        (tmp_path / file.name).write_text(file.read_text())
    kustomization = tmp_path / "kustomization.yaml"
    kustomization.write_text(change(kustomization.read_text()))
    with pytest.raises(AssertionError, match=broken):
        render(tmp_path)
