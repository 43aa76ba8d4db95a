"""What the operators refuse beyond their schemas, as far as gandist's manifests could get there.

KubeRay 1.7: ray-operator/controllers/ray/utils/validation.go. Kueue: its webhooks for RayJob and RayCluster.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml
from packaging.version import InvalidVersion, Version

from .manifests import Manifest, cluster_spec

DNS_1035_LABEL = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
LONGEST = {"RayJob": 47, "RayCluster": 53}
"""Services and pods are named after them."""

GATED = ("networkPolicy", "tlsOptions", "historyServerOptions")
"""Behind feature gates that are off by default."""
AUTOSCALER_V2 = "RAY_enable_autoscaler_v2"
QUEUE = "kueue.x-k8s.io/queue-name"


def kuberay_problems(manifest: Manifest) -> Iterator[str]:
    """Why the operator would mark a RayJob or a RayCluster as invalid."""
    name, kind = manifest["metadata"]["name"], manifest["kind"]
    if not DNS_1035_LABEL.fullmatch(name):
        yield f"{name}: not a DNS-1035 label"
    if len(name) > LONGEST[kind]:
        yield f"{name}: longer than {LONGEST[kind]} characters"
    if kind == "RayJob":
        yield from _job_problems(manifest["spec"])
        if "rayClusterSpec" not in manifest["spec"]:
            return
    yield from _cluster_problems(cluster_spec(manifest))


def _job_problems(spec: Manifest) -> Iterator[str]:
    cluster, selector = spec.get("rayClusterSpec"), spec.get("clusterSelector")
    mode = spec.get("submissionMode", "K8sJobMode")
    shutdown, retries = spec.get("shutdownAfterJobFinishes", False), spec.get("backoffLimit", 0)
    if not cluster and not selector:
        yield "neither rayClusterSpec nor clusterSelector"
    if spec.get("suspend") and not shutdown:
        yield "suspend needs shutdownAfterJobFinishes"
    if spec.get("suspend") and selector:
        yield "suspend excludes clusterSelector"
    if spec.get("ttlSecondsAfterFinished", 0) and not shutdown:
        yield "ttlSecondsAfterFinished needs shutdownAfterJobFinishes"
    if spec.get("ttlSecondsAfterFinished", 0) < 0:
        yield "ttlSecondsAfterFinished is negative"
    for deadline in ("activeDeadlineSeconds", "preRunningDeadlineSeconds"):
        if spec.get(deadline, 1) <= 0:
            yield f"{deadline} must be positive"
    if retries < 0:
        yield "backoffLimit is negative"
    if retries and selector:
        yield "backoffLimit excludes clusterSelector: a retry makes a new cluster"
    if retries and mode == "InteractiveMode":
        yield "backoffLimit excludes InteractiveMode"
    if mode == "SidecarMode" and (selector or "submitterPodTemplate" in spec or "submitterConfig" in spec):
        yield "SidecarMode excludes clusterSelector, submitterPodTemplate and submitterConfig"
    try:
        yaml.safe_load(spec.get("runtimeEnvYAML", ""))
    except yaml.YAMLError:
        yield "runtimeEnvYAML is no YAML"
    if cluster and cluster.get("authOptions", {}).get("enableK8sTokenAuth"):
        yield "enableK8sTokenAuth is not for RayJobs"
    if cluster and cluster.get("upgradeStrategy"):
        yield "upgradeStrategy is not for the cluster of a RayJob"
    if "deletionStrategy" in spec:
        yield from _deletion_problems(spec, bool(cluster and cluster.get("enableInTreeAutoscaling")))


def _deletion_problems(spec: Manifest, autoscaled: bool) -> Iterator[str]:
    strategy = spec["deletionStrategy"]
    rules, legacy = strategy.get("deletionRules"), {"onSuccess", "onFailure"} & strategy.keys()
    if rules and spec.get("shutdownAfterJobFinishes"):
        yield "deletionRules exclude shutdownAfterJobFinishes"
    if rules and legacy:
        yield "deletionRules exclude onSuccess and onFailure"
    if not rules and len(legacy) < 2:
        yield "deletionStrategy needs deletionRules, or both onSuccess and onFailure"
    delays: dict[tuple[str, str], dict[str, int]] = {}
    for rule in rules or []:
        condition = rule["condition"]
        states = [(key, condition[key]) for key in ("jobStatus", "jobDeploymentStatus") if key in condition]
        if len(states) != 1:
            yield "a deletion rule needs one of jobStatus and jobDeploymentStatus"
            continue
        after = delays.setdefault(states[0], {})
        if rule["policy"] in after:
            yield f"two deletion rules {rule['policy']} for {states[0][1]}"
        after[rule["policy"]] = condition.get("ttlSeconds", 0)
        if autoscaled and rule["policy"] == "DeleteWorkers":
            yield "DeleteWorkers excludes autoscaling"
        if spec.get("clusterSelector") and rule["policy"] in ("DeleteWorkers", "DeleteCluster"):
            yield f"{rule['policy']} excludes clusterSelector"
    for (_, state), after in delays.items():
        order = [
            after[policy] for policy in ("DeleteWorkers", "DeleteCluster", "DeleteSelf") if policy in after
        ]
        if order != sorted(order):
            yield f"{state}: workers are deleted first, then the cluster, then the job"


def _cluster_problems(spec: Manifest) -> Iterator[str]:
    options = spec.get("autoscalerOptions", {})
    autoscaled = spec.get("enableInTreeAutoscaling", False)
    second = autoscaled and options.get("version") == "v2"
    head, workers = spec["headGroupSpec"], spec.get("workerGroupSpecs", [])
    container = next(iter(head["template"]["spec"].get("containers", [])), {})
    head_env = {entry["name"]: entry.get("value") for entry in container.get("env", [])}
    for field in GATED:
        if field in spec:
            yield f"{field} is behind a feature gate"
    for group in [head, *workers]:
        name, params = group.get("groupName", "head"), group.get("rayStartParams", {})
        if not group["template"]["spec"].get("containers"):
            yield f"{name}: no container"
        if group.get("resources") and params.keys() & {"num-cpus", "num-gpus", "memory", "resources"}:
            yield f"{name}: resources both in rayStartParams and in resources"
        if "labels" in params:
            yield f"{name}: labels go into the group's labels, not into rayStartParams"
        if second and group["template"]["spec"].get("restartPolicy", "Never") != "Never":
            yield f"{name}: autoscaler v2 needs restartPolicy Never"
    for group in workers:
        name, low, high = group["groupName"], group.get("minReplicas"), group.get("maxReplicas")
        if not autoscaled and (low is None or high is None):
            yield f"{name}: minReplicas and maxReplicas are needed without autoscaling"
        if low is not None and high is not None and not 0 <= low <= high:
            yield f"{name}: not 0 <= minReplicas <= maxReplicas"
        if group.get("suspend") and autoscaled:
            yield f"{name}: suspend excludes autoscaling"
        if (group.get("priority") or "idleTimeoutSeconds" in group) and not second:
            yield f"{name}: priority and idleTimeoutSeconds need autoscaler v2"
    if not autoscaled and head_env.get(AUTOSCALER_V2) in ("1", "true"):
        yield f"{AUTOSCALER_V2} needs enableInTreeAutoscaling"
    if autoscaled and "version" in options and AUTOSCALER_V2 in head_env:
        yield f"{AUTOSCALER_V2} excludes autoscalerOptions.version"
    if options.get("idleTimeoutSeconds", 0) < 0:
        yield "autoscalerOptions.idleTimeoutSeconds is negative"
    if any(entry["name"] == "KUBERAY_GEN_AUTOSCALER_START_CMD" for entry in options.get("env", [])):
        yield "KUBERAY_GEN_AUTOSCALER_START_CMD is the operator's"
    if "gcsFaultToleranceOptions" not in spec and "RAY_REDIS_ADDRESS" in head_env:
        yield "RAY_REDIS_ADDRESS needs gcsFaultToleranceOptions"
    if spec.get("authOptions", {}).get("mode") == "token":
        try:
            new_enough = Version(spec.get("rayVersion", "")) >= Version("2.52.0")
        except InvalidVersion:
            new_enough = False
        if not new_enough:
            yield "tokens need rayVersion 2.52.0 or later"


def kueue_problems(manifest: Manifest) -> Iterator[str]:
    """Why Kueue's webhooks would refuse it; nothing where it waits in no queue."""
    if QUEUE not in manifest["metadata"].get("labels", {}):
        return
    spec, cluster = manifest["spec"], cluster_spec(manifest)
    if manifest["kind"] == "RayJob" and not spec.get("shutdownAfterJobFinishes"):
        yield "a queued job must delete its cluster: shutdownAfterJobFinishes"
    if manifest["kind"] == "RayJob" and spec.get("clusterSelector"):
        yield "a queued job must not use an existing cluster"
    if cluster.get("enableInTreeAutoscaling"):
        yield "a queued job must not autoscale"
    if len(cluster["workerGroupSpecs"]) > 7:
        yield "a queued job has at most 7 worker groups"
    if any(group["groupName"] == "head" for group in cluster["workerGroupSpecs"]):
        yield "a worker group must not be named head"
