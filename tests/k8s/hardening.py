"""What a pod must not be able to do, should someone get to run code in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from .manifests import Manifest, Pod, quantity

VOLUMES = {"configMap", "emptyDir", "persistentVolumeClaim", "projected"}
"""Of those that the restricted Pod Security Standard allows, the ones in use. No hostPath."""
TOKENS = "/var/run/secrets/kubernetes.io/serviceaccount"


def pod_problems(pod: Pod) -> Iterator[str]:
    """Where a pod is looser than the restricted Pod Security Standard with a read-only root on top."""
    spec, context = pod.spec, pod.spec.get("securityContext", {})
    if context.get("runAsNonRoot") is not True or not context.get("runAsUser"):
        yield "may run as root"
    if context.get("seccompProfile", {}).get("type") != "RuntimeDefault":
        yield "no seccomp profile"
    if spec.get("automountServiceAccountToken") is not False:
        yield "a service account token in every container"
    if spec.get("enableServiceLinks") is not False:
        yield "the namespace's services in the environment"
    for key in ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace"):
        if spec.get(key):
            yield key
    for volume in spec.get("volumes", []):
        (kind,) = volume.keys() - {"name"}
        if kind not in VOLUMES:
            yield f"volume {volume['name']}: {kind}"
        if kind == "emptyDir" and "sizeLimit" not in volume[kind]:
            yield f"volume {volume['name']}: may fill the node"
    secrets = {volume["name"] for volume in spec.get("volumes", []) if _has_token(volume)}
    for container in [*spec.get("initContainers", []), *spec["containers"]]:
        for problem in _container_problems(container):
            yield f"{container['name']}: {problem}"
        mounts = {mount["name"]: mount["mountPath"] for mount in container.get("volumeMounts", [])}
        if secrets & mounts.keys() and container["name"] != "autoscaler":
            yield f"{container['name']}: has the autoscaler's token"
        if "/tmp" not in mounts.values():  # noqa: S108
            yield f"{container['name']}: cannot write to /tmp"


def _has_token(volume: Manifest) -> bool:
    return any("serviceAccountToken" in source for source in volume.get("projected", {}).get("sources", []))


def _container_problems(container: Manifest) -> Iterator[str]:
    context: dict[str, Any] = container.get("securityContext", {})
    if context.get("allowPrivilegeEscalation") is not False:
        yield "may gain privileges"
    if context.get("readOnlyRootFilesystem") is not True:
        yield "may write to its image"
    if context.get("capabilities") != {"drop": ["ALL"]}:
        yield "has capabilities"
    if context.keys() & {"privileged", "runAsUser", "runAsNonRoot", "seccompProfile", "procMount"}:
        yield "does not leave to the pod what the pod says"
    resources = container.get("resources", {})
    for amount in ("cpu", "memory"):
        if amount not in resources.get("requests", {}):
            yield f"requests no {amount}"
        elif amount not in resources.get("limits", {}):
            yield f"no limit of {amount}"
        elif quantity(resources["requests"][amount]) > quantity(resources["limits"][amount]):
            yield f"requests more {amount} than its limit"


def reaches(
    policies: Iterable[Manifest],
    source: dict[str, str],
    target: dict[str, str],
    port: int,
    namespace: str | None = None,
) -> bool:
    """Whether NetworkPolicies let a pod with labels ``source`` connect to ``port`` of one with ``target``.

    Args:
        namespace: of the source; None = the one that the policies and the target are in.
    """
    judging = [p["spec"] for p in policies if _selects(p["spec"]["podSelector"], target)]
    return not judging or any(
        any(_is_from(peer, source, namespace) for peer in rule.get("from", [{}]))
        and any(entry.get("port", port) == port for entry in rule.get("ports", [{}]))
        for spec in judging
        for rule in spec.get("ingress", [])
    )


def _is_from(peer: Manifest, labels: dict[str, str], namespace: str | None) -> bool:
    if "ipBlock" in peer:
        return False
    if "namespaceSelector" in peer:
        here = {} if namespace is None else {"kubernetes.io/metadata.name": namespace}
        if not _selects(peer["namespaceSelector"], here):
            return False
    elif namespace is not None and peer:
        return False
    return _selects(peer.get("podSelector", {}), labels)


def _selects(selector: Manifest, labels: dict[str, str]) -> bool:
    for expression in selector.get("matchExpressions", []):
        assert expression["operator"] == "In"
        if labels.get(expression["key"]) not in expression["values"]:
            return False
    return selector.get("matchLabels", {}).items() <= labels.items()
