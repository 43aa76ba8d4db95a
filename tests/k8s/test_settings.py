"""One file for what clusters commonly need otherwise."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from .hardening import pod_problems
from .manifests import K8S, Manifest, cluster_spec, compose, find, of_kind, pods, ray
from .operators import kuberay_problems
from .schemas import KUBERNETES, core_problems, crd_problems

SHIPPED = K8S / "components" / "settings" / "settings.yaml"
GROUPS = ("head", "workers", "monitoring")
OTHER: dict[str, Any] = {
    "image": "lab/gandist:7",
    "imagePullSecrets": [{"name": "lab"}],
    "serviceAccountName": "lab",
    "operatorNamespace": "operators",
    "monitoring": {"namespace": "watch", "release": "stack"},
    "storage": {
        "storageClassName": "fast",
        "accessModes": ["ReadWriteMany"],
        "resources": {"requests": {"storage": "1Ti"}},
    },
    "head": {
        "nodeSelector": {"pool": "cpu"},
        "tolerations": [{"key": "head", "operator": "Exists"}],
        "resources": {"requests": {"cpu": "3", "memory": "9Gi"}, "limits": {"cpu": "3", "memory": "9Gi"}},
    },
    "workers": {
        "replicas": 1,
        "minReplicas": 0,
        "maxReplicas": 5,
        "runtimeClassName": "nvidia",
        "nodeSelector": {"pool": "gpu"},
        "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists"}],
        "resources": {"requests": {"cpu": "8", "memory": "30Gi"}, "limits": {"cpu": "8", "memory": "30Gi"}},
    },
}


def composed(folder: Path, *components: str, base: str = "base", **spec: Any) -> list[Manifest]:
    """Settings of one's own, and components around them, in the order of the guide."""
    folder.mkdir(exist_ok=True)
    settings = yaml.safe_load(SHIPPED.read_text())
    settings["spec"] |= spec
    (folder / "settings.yaml").write_text(yaml.safe_dump(settings))
    before = [name for name in components if name != "service"]
    after = [name for name in components if name == "service"]
    listed = [f"{os.path.relpath(K8S, folder)}/{base}", "settings.yaml"]
    return compose(folder, [*before, "settings", *after], resources=listed)


@pytest.fixture(scope="module")
def manifests(tmp_path_factory: pytest.TempPathFactory) -> list[Manifest]:
    return composed(tmp_path_factory.mktemp("other"), "autoscaler", "monitoring", **OTHER)


def test_as_shipped_it_adds_only_what_has_no_effect(tmp_path: Path) -> None:
    """A taint that no node has, and what all nodes are."""
    for name in ("base", "settings"):
        (tmp_path / name).mkdir()
    base, changed = compose(tmp_path / "base"), composed(tmp_path / "settings")
    for before, one in zip(pods(ray(base)), pods(ray(changed)), strict=True):
        assert one.spec.pop("nodeSelector") == {"kubernetes.io/os": "linux"}
        assert one.spec.pop("tolerations") == [{"key": "gandist", "operator": "Exists"}]
        assert one == before
    assert ray(changed)["metadata"] == ray(base)["metadata"]
    assert changed[:-1] == base[:-1]  # all but Ray's


def test_every_setting_arrives(manifests: list[Manifest]) -> None:
    assert of_kind(manifests, "Settings") == []
    for one in pods(ray(manifests)):
        part = OTHER["workers" if one.role == "worker" else "head"]
        assert one.container["image"] == "lab/gandist:7"
        assert one.spec["imagePullSecrets"] == [{"name": "lab"}]
        assert one.spec["nodeSelector"] == part["nodeSelector"]
        assert one.spec["tolerations"] == part["tolerations"]
        assert one.spec.get("runtimeClassName") == ("nvidia" if one.role == "worker" else None)
        if one.role != "submitter":
            assert one.container["resources"] == part["resources"]
            assert one.spec["serviceAccountName"] == "lab"
    assert "annotations" not in ray(manifests)["metadata"]
    (workers,) = cluster_spec(ray(manifests))["workerGroupSpecs"]
    assert [workers[key] for key in ("replicas", "minReplicas", "maxReplicas")] == [1, 0, 5]
    assert find(manifests, "PersistentVolumeClaim")["spec"] == OTHER["storage"]
    operator = find(manifests, "NetworkPolicy", "gandist-dashboard")["spec"]["ingress"][0]["from"][1]
    assert operator["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "operators"}
    (prometheus,) = find(manifests, "NetworkPolicy", "gandist-metrics")["spec"]["ingress"][0]["from"]
    assert prometheus["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "watch"}
    for kind in ("PodMonitor", "PrometheusRule"):
        assert find(manifests, kind)["metadata"]["labels"] == {"release": "stack"}


def test_every_setting_that_is_shipped_is_used() -> None:
    """One that no replacement takes would be read and ignored."""
    shipped = yaml.safe_load(SHIPPED.read_text())["spec"]
    paths = {
        f"spec.{name}.{inner}" if name in GROUPS else f"spec.{name}"
        for name, value in shipped.items()
        for inner in (value if name in GROUPS else [""])
    }
    values = yaml.safe_load((SHIPPED.parent / "values" / "kustomization.yaml").read_text())
    assert {one["source"]["fieldPath"].partition(".0")[0] for one in values["replacements"]} == paths


@pytest.mark.parametrize("version", KUBERNETES)
def test_what_comes_of_it_is_valid_and_locked_up(manifests: list[Manifest], version: str) -> None:
    known = [one for one in manifests if one["apiVersion"] != "monitoring.coreos.com/v1"]
    assert [problem for manifest in known for problem in core_problems(manifest, version)] == []
    assert [problem for one in pods(ray(manifests)) for problem in pod_problems(one)] == []
    assert list(kuberay_problems(ray(manifests))) == []
    assert crd_problems(ray(manifests)) == []


@pytest.mark.parametrize("components", [["serve", "s3", "service"], ["s3", "serve"]])
def test_it_fits_what_else_there_is(components: list[str], tmp_path: Path) -> None:
    manifests = composed(tmp_path / "own", *components, **OTHER)
    assert ray(manifests)["kind"] == ("RayCluster" if "service" in components else "RayJob")
    made = [one for manifest in manifests for one in pods(manifest)]
    assert "serve" in {one.labels["app.kubernetes.io/component"] for one in made}
    for one in made:
        part = OTHER["workers" if one.role == "worker" else "head"]
        assert one.container["image"] == "lab/gandist:7"
        assert one.spec["nodeSelector"] == part["nodeSelector"]
        assert one.role == "submitter" or one.spec["serviceAccountName"] == "lab"


def test_what_is_none_is_not_there(tmp_path: Path) -> None:
    manifests = composed(tmp_path / "own", "serve")
    assert "serviceAccountName: none" in SHIPPED.read_text()
    made = [one for manifest in manifests for one in pods(manifest)]
    assert {"serve", "worker"} <= {one.labels["app.kubernetes.io/component"] for one in made}
    assert not [one for one in made if {"serviceAccountName", "runtimeClassName"} & one.spec.keys()]
    assert not [one for one in manifests if one["metadata"].get("annotations")]


def test_the_toolbox_is_found_and_started_by_the_same(tmp_path: Path) -> None:
    ((toolbox,),) = (tuple(pods(one)) for one in composed(tmp_path / "own", base="toolbox", **OTHER))
    assert toolbox.container["image"] == "lab/gandist:7"
    for field in ("imagePullSecrets", "nodeSelector", "tolerations"):
        assert toolbox.spec[field] == (OTHER | OTHER["head"])[field]


def test_a_setting_that_is_missing_or_empty_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"fieldPath `spec.imagePullSecrets` is missing"):
        composed(tmp_path, imagePullSecrets=[])
