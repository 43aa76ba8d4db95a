"""What each overlay is for, and who reaches whom in it. Nothing here needs a cluster."""

from __future__ import annotations

from pathlib import Path

import pytest

from .hardening import TOKENS, reaches
from .manifests import (
    OVERLAYS,
    Manifest,
    cluster_spec,
    compose,
    environment,
    find,
    keys_under,
    of_kind,
    overlay,
    pod,
    pods,
    quantity,
    ray,
)
from .operators import QUEUE

HEAD = {"app.kubernetes.io/name": "gandist", "app.kubernetes.io/component": "head"}
WORKER = HEAD | {"app.kubernetes.io/component": "worker"}
SUBMITTER = HEAD | {"app.kubernetes.io/component": "submitter"}
OPERATOR = {"app.kubernetes.io/name": "kuberay-operator"}
STRANGER = {"app.kubernetes.io/name": "stranger"}


@pytest.mark.parametrize("name", OVERLAYS)
def test_ray_is_reached_by_its_own(name: str) -> None:
    manifests = overlay(name)
    policies = of_kind(manifests, "NetworkPolicy")
    for one in pods(ray(manifests)):
        assert one.labels in (HEAD, WORKER, SUBMITTER)  # that is what the policies go by
    for source in (HEAD, WORKER):
        for target in (HEAD, WORKER):
            for port in (6379, 8265, 52365, 23456):
                assert reaches(policies, source, target, port)
    assert reaches(policies, SUBMITTER, HEAD, 8265)
    assert reaches(policies, OPERATOR, HEAD, 8265, namespace="kuberay-system")


@pytest.mark.parametrize("name", OVERLAYS)
@pytest.mark.parametrize("port", [6379, 8265, 10001, 52365, 23456])
def test_ray_is_reached_by_nobody_else(name: str, port: int) -> None:
    policies = of_kind(overlay(name), "NetworkPolicy")
    for target in (HEAD, WORKER, SUBMITTER):
        assert not reaches(policies, STRANGER, target, port)
        for labels in (STRANGER, HEAD, WORKER, SUBMITTER, OPERATOR):
            assert not reaches(policies, labels, target, port, namespace="elsewhere")
        assert not reaches(policies, OPERATOR, target, port)  # a name that anyone can take
        if port != 8265 or target != HEAD:
            assert not reaches(policies, SUBMITTER, target, port)
            assert not reaches(policies, OPERATOR, target, port, namespace="kuberay-system")


def test_cpu_is_for_one_small_node() -> None:
    manifests = overlay("cpu")
    (group,) = cluster_spec(ray(manifests))["workerGroupSpecs"]
    assert group["replicas"] == group["minReplicas"] == group["maxReplicas"] == 1
    requests = [c["resources"]["requests"] for one in pods(ray(manifests)) for c in one.spec["containers"]]
    assert sum(quantity(request["cpu"]) for request in requests) < 2
    assert sum(quantity(request["memory"]) for request in requests) < 6 * 2**30
    assert find(manifests, "PersistentVolumeClaim")["spec"]["accessModes"] == ["ReadWriteOnce"]


@pytest.mark.parametrize("name", sorted({*OVERLAYS} - {"cpu", "s3"}))
def test_elsewhere_the_volume_is_shared_by_nodes(name: str) -> None:
    assert find(overlay(name), "PersistentVolumeClaim")["spec"]["accessModes"] == ["ReadWriteMany"]


def test_gpu_workers_come_and_go() -> None:
    manifests = overlay("gpu")
    spec = cluster_spec(ray(manifests))
    (group,) = spec["workerGroupSpecs"]
    assert spec["enableInTreeAutoscaling"] is True
    assert spec["autoscalerOptions"]["version"] == "v2"
    assert (group["replicas"], group["minReplicas"]) == (0, 0)
    assert group["maxReplicas"] > 1
    worker = pod(manifests, "worker")
    resources = worker.container["resources"]
    assert resources["requests"] == resources["limits"]
    assert resources["limits"]["nvidia.com/gpu"] == "1"
    taint = {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}
    assert taint in worker.spec["tolerations"]


@pytest.mark.parametrize("name", ["gpu", "service"])
def test_only_the_autoscaler_can_speak_to_the_api_server(name: str) -> None:
    head = pod(overlay(name), "head")
    ray_head, autoscaler = head.spec["containers"]
    assert TOKENS in [mount["mountPath"] for mount in autoscaler["volumeMounts"]]
    assert TOKENS not in [mount["mountPath"] for mount in ray_head["volumeMounts"]]
    (volume,) = (volume for volume in head.spec["volumes"] if volume["name"] == "autoscaler-token")
    paths = [
        source.get("serviceAccountToken", {}).get("path") or source["configMap"]["items"][0]["path"]
        for source in volume["projected"]["sources"]
    ]
    assert paths == ["token", "ca.crt"]  # where Ray looks


def test_ray_looks_for_the_token_there() -> None:
    from ray.autoscaler._private.kuberay import node_provider

    paths = (node_provider.IN_CLUSTER_TOKEN_PATH, node_provider.IN_CLUSTER_CA_CERT_PATH)
    assert paths == (f"{TOKENS}/token", f"{TOKENS}/ca.crt")


def test_kueue_queues_a_job_of_fixed_size() -> None:
    job = ray(overlay("kueue"))
    assert job["metadata"]["labels"][QUEUE]
    (group,) = cluster_spec(job)["workerGroupSpecs"]
    assert group["replicas"] == group["minReplicas"] == group["maxReplicas"] > 0
    assert "suspend" not in job["spec"]  # Kueue's


def test_s3_needs_no_volume() -> None:
    manifests = overlay("s3")
    assert of_kind(manifests, "PersistentVolumeClaim") == []
    for role in ("head", "worker"):
        one = pod(manifests, role)
        assert [mount["name"] for mount in one.container["volumeMounts"]] == ["files", "tmp", "shm"]
        assert [volume["name"] for volume in one.spec["volumes"]] == ["files", "tmp", "shm"]
        assert {"secretRef": {"name": "gandist-s3", "optional": True}} in one.container["envFrom"]


def test_the_service_is_the_cluster_of_the_job(tmp_path: Path) -> None:
    components = ["autoscaler", "gpu", "s3"]
    for folder in ("job", "service"):
        (tmp_path / folder).mkdir()
    job = compose(tmp_path / "job", components)
    service = compose(tmp_path / "service", [*components, "service"])
    assert of_kind(service, "RayJob") == []
    assert find(service, "RayCluster")["spec"] == find(job, "RayJob")["spec"]["rayClusterSpec"]


class TestOnesOwnOverlay:
    """What people change, and what follows without being said."""

    def test_an_image(self, tmp_path: Path) -> None:
        image = {"name": "gandist", "newName": "registry.invalid/lab/gandist", "newTag": "0.1.0"}
        manifests = compose(tmp_path, ["autoscaler", "gpu"], images=[image])
        used = {c["image"] for one in pods(ray(manifests)) for c in one.spec["containers"]}
        assert used == {"registry.invalid/lab/gandist:0.1.0"}

    def test_a_suffix(self, tmp_path: Path) -> None:
        """All names get it, and all references."""
        manifests = compose(tmp_path, ["autoscaler"], nameSuffix="-two")
        head = pod(manifests, "head")
        assert ray(manifests)["metadata"]["name"] == "gandist-two"
        assert find(manifests, "PersistentVolumeClaim")["metadata"]["name"] == "gandist-storage-two"
        assert head.volume_of("/storage") == {
            "name": "storage",
            "persistentVolumeClaim": {"claimName": "gandist-storage-two"},
        }
        assert [*keys_under(head, "/etc/gandist", manifests)] == ["job.yaml", "prestop.sh"]

    def test_a_variable_of_head_and_workers(self, tmp_path: Path) -> None:
        generator = {
            "name": "gandist-environment",
            "behavior": "merge",
            "literals": ["GANDIST_DATA_DIR=/storage/data"],
        }
        manifests = compose(tmp_path, configMapGenerator=[generator])
        for role in ("head", "worker"):
            variables = environment(manifests, pod(manifests, role))
            assert variables["GANDIST_DATA_DIR"] == "/storage/data"
            assert variables["GANDIST_STORAGE"] == "/storage"

    def test_a_job_file_of_another_content_is_another_config_map(self, tmp_path: Path) -> None:
        names = set()
        for text in ("name: one", "name: two"):
            folder = tmp_path / text[-3:]
            folder.mkdir()
            (folder / "mine.yaml").write_text(text)
            generator = {"name": "gandist-job", "behavior": "merge", "files": ["job.yaml=mine.yaml"]}
            job = find(compose(folder, configMapGenerator=[generator]), "ConfigMap", "gandist-job")
            assert job["data"] == {"job.yaml": text}
            names.add(job["metadata"]["name"])
        assert len(names) == 2


class TestTheLivePage:
    @pytest.fixture
    def manifests(self, tmp_path: Path) -> list[Manifest]:
        return compose(tmp_path, ["serve"])

    def test_it_cannot_write_to_the_storage(self, manifests: list[Manifest]) -> None:
        (page,) = (one for manifest in of_kind(manifests, "Deployment") for one in pods(manifest))
        assert page.volume_of("/storage")["persistentVolumeClaim"]["readOnly"] is True
        mounts = {mount["mountPath"]: mount for mount in page.container["volumeMounts"]}
        assert mounts["/storage"]["readOnly"] is True

    def test_it_serves_the_jobs_storage_to_whoever_knows_the_secret(self, manifests: list[Manifest]) -> None:
        (page,) = (one for manifest in of_kind(manifests, "Deployment") for one in pods(manifest))
        (source,) = page.container["envFrom"]
        variables = find(manifests, "ConfigMap", source["configMapRef"]["name"])["data"]
        assert variables["GANDIST_STORAGE"] == "/storage"
        (token,) = page.container["env"]
        assert token["valueFrom"]["secretKeyRef"] == {"name": "gandist-serve", "key": "token"}

    def test_its_service_leads_to_it_and_only_an_ingress_may_ask(self, manifests: list[Manifest]) -> None:
        (page,) = (one for manifest in of_kind(manifests, "Deployment") for one in pods(manifest))
        (service,) = of_kind(manifests, "Service")
        assert service["spec"]["selector"].items() <= page.labels.items()
        policies = of_kind(manifests, "NetworkPolicy")
        assert reaches(policies, {}, page.labels, 8321, namespace="ingress-nginx")
        assert not reaches(policies, {"app.kubernetes.io/name": "gandist"}, page.labels, 8321)
