"""What k8s/README.md tells people to type and to write exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from .manifests import (
    K8S,
    OVERLAYS,
    ROOT,
    cluster_spec,
    environment,
    find,
    of_kind,
    overlay,
    pod,
    pods,
    quantity,
    ray,
    render,
)
from .schemas import KUBERNETES, core_problems, crd_problems

GUIDE = (K8S / "README.md").read_text()
COMMANDS = re.findall(r"^\$ (.*?)(?:  +#.*)?$", GUIDE, re.MULTILINE)


def test_what_it_applies_is_there() -> None:
    applied = [ROOT / word for line in COMMANDS for word in re.findall(r"-k (\S+)", line)]
    assert {path.name for path in applied} == {"cpu", "service", "toolbox"}
    for path in applied:
        assert render(path), path


def test_what_it_lists_is_there() -> None:
    names = {path.parent.name for path in K8S.glob("components/*/kustomization.yaml")}
    listed = re.search(r"^    components/ +(.*?):", GUIDE, re.MULTILINE)
    assert listed
    assert set(listed[1].split(", ")) == names
    for name in OVERLAYS:
        assert re.search(rf"^    overlays/ .*\b{name}\b", GUIDE, re.MULTILINE), name


def test_its_files_are_there() -> None:
    for path in re.findall(r"`((?:admin|base|components|toolbox)/[\w./]+)`", GUIDE):
        assert (K8S / path).exists(), path
    for line in COMMANDS:
        for path in re.findall(r"\bjobs/\S+", line):
            assert (ROOT / path).exists(), path


def test_its_commands_are_gandists() -> None:
    from gandist.cli import app

    typed = {match for line in COMMANDS for match in re.findall(r"(?:^|-- )gandist (\w+)", line)}
    names = {
        command.name or command.callback.__name__ for command in app.registered_commands if command.callback
    }
    assert typed
    assert typed <= names


def test_the_names_it_uses_are_those_of_the_manifests() -> None:
    job, service = overlay("cpu"), overlay("service")
    toolbox = find(render(K8S / "toolbox"), "Pod")
    assert f"rayjob/{ray(job)['metadata']['name']} " in GUIDE
    assert f"job/{ray(job)['metadata']['name']} " in GUIDE  # the submitter's is called like the RayJob
    assert f"service/{ray(service)['metadata']['name']}-head-svc " in GUIDE
    assert f"get secret {ray(service)['metadata']['name']} " in GUIDE
    assert f"pod/{toolbox['metadata']['name']} " in GUIDE
    assert f"exec {toolbox['metadata']['name']} " in GUIDE
    (mount,) = (m for m in toolbox["spec"]["containers"][0]["volumeMounts"] if m["name"] == "storage")
    name = yaml.safe_load(find(job, "ConfigMap", "gandist-job")["data"]["job.yaml"])["name"]
    assert f"gandist-toolbox:{mount['mountPath']}/{name} " in GUIDE
    assert environment(job, pod(job, "head"))["GANDIST_STORAGE"] == mount["mountPath"]
    claim = find(job, "PersistentVolumeClaim")["metadata"]["name"]
    assert toolbox["spec"]["volumes"][-1]["persistentVolumeClaim"]["claimName"] == claim


def test_the_operator_is_where_the_policies_expect_it() -> None:
    (install,) = (line for line in COMMANDS if line.startswith("helm install"))
    namespace = re.search(r"--namespace (\S+)", install)
    assert namespace
    policy = find(overlay("cpu"), "NetworkPolicy", "gandist-dashboard")
    (_, operator) = policy["spec"]["ingress"][0]["from"]
    assert operator["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": namespace[1]}


def test_its_numbers_are_those_of_the_manifests() -> None:
    spec = ray(overlay("gpu"))["spec"]
    assert f"up to {spec['backoffLimit']} retries" in GUIDE
    assert spec["preRunningDeadlineSeconds"] == 30 * 60
    assert spec["activeDeadlineSeconds"] == 24 * 3600
    assert spec["ttlSecondsAfterFinished"] == 60
    worker = pod(overlay("gpu"), "worker")
    assert f"{worker.spec['terminationGracePeriodSeconds']} s to stop" in GUIDE
    assert f"user {worker.spec['securityContext']['runAsUser']} write" in GUIDE


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """The overlay that it shows, in a folder beside a checkout."""
    shown = re.search(r"```yaml\n# kustomization.yaml\n(.*?)```", GUIDE, re.DOTALL)
    assert shown
    (tmp_path / "gandist").symlink_to(ROOT)
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "kustomization.yaml").write_text(shown[1])
    (folder / "job.yaml").write_text("name: mnist_rates\n")
    settings = (K8S / "components" / "settings" / "settings.yaml").read_text()
    settings = settings.replace("gandist:latest", "lab/gandist:0.1.0")
    (folder / "settings.yaml").write_text(settings.replace("AccountName: none", "AccountName: lab"))
    return folder


def test_its_overlay_does_what_it_says(example: Path) -> None:
    manifests = render(example)
    job = ray(manifests)
    assert crd_problems(job) == []
    assert job["metadata"]["name"] == "mnist-rates"
    assert cluster_spec(job)["enableInTreeAutoscaling"] is True
    assert {c["image"] for one in pods(job) for c in one.spec["containers"]} == {"lab/gandist:0.1.0"}
    assert find(manifests, "ConfigMap", "gandist-job")["data"] == {"job.yaml": "name: mnist_rates\n"}
    for role in ("head", "worker"):
        assert environment(manifests, pod(manifests, role))["GANDIST_STORAGE"] == "s3://my-bucket/gans"
        assert pod(manifests, role).spec["serviceAccountName"] == "lab"


@pytest.mark.parametrize("version", KUBERNETES)
def test_what_an_administrator_applies_is_valid(version: str) -> None:
    manifests = render(K8S / "admin")
    assert [problem for one in manifests for problem in core_problems(one, version)] == []


def test_a_users_job_fits_what_the_administrator_has_applied() -> None:
    manifests, admin = overlay("user"), render(K8S / "admin")
    values = {one["metadata"]["name"]: one["value"] for one in of_kind(admin, "PriorityClass")}
    assert values[pod(manifests, "worker").spec["priorityClassName"]] == min(values.values())
    assert max(values.values()) < 0  # below whatever says nothing
    quota, namespace = find(admin, "ResourceQuota"), find(admin, "Namespace")
    assert quota["metadata"]["namespace"] == namespace["metadata"]["name"]
    assert namespace["metadata"]["labels"] == {"pod-security.kubernetes.io/enforce": "restricted"}
    hard, (group,) = quota["spec"]["hard"], cluster_spec(ray(manifests))["workerGroupSpecs"]
    for kind in ("cpu", "memory"):
        asked = [quantity(one.container["resources"]["requests"][kind]) for one in pods(ray(manifests))]
        assert sum(asked) * group["maxReplicas"] < quantity(hard[f"requests.{kind}"])
    storage = find(manifests, "PersistentVolumeClaim")["spec"]["resources"]["requests"]["storage"]
    assert quantity(storage) < quantity(hard["requests.storage"])
