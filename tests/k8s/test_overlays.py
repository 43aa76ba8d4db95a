"""Every overlay can be applied, is valid, locked up, and fits together. Nothing here needs a cluster."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from gandist.job_file import load_job
from gandist.runner.schedule import GRACE_S
from gandist.spec import expand

from .hardening import TOKENS, pod_problems, reaches
from .manifests import (
    K8S,
    OVERLAYS,
    ROOT,
    Manifest,
    Pod,
    cluster_spec,
    compose,
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
from .operators import QUEUE, kuberay_problems, kueue_problems
from .schemas import KUBERNETES, core_problems, crd_problems

COMBINATIONS = {
    "gpu on s3": ["autoscaler", "gpu", "s3"],
    "s3 before gpu": ["s3", "gpu", "autoscaler"],
    "queued gpus on s3": ["gpu", "s3", "kueue"],
    "gpu service on s3": ["autoscaler", "gpu", "s3", "service"],
    "fixed service": ["service"],
    "queued service": ["kueue", "service"],
}
SETTINGS = {
    "gpu": {"name": "gandist-job", "behavior": "merge", "files": ["job.yaml"]},
    "s3": {"name": "gandist-environment", "behavior": "merge", "literals": ["GANDIST_STORAGE=s3://bucket"]},
}
"""What people have to say along with a component."""
DNS_1123 = re.compile(r"[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?")


@pytest.fixture(params=[*OVERLAYS, "toolbox", *COMBINATIONS], scope="module")
def manifests(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Manifest]:
    """What is applied, of every overlay and of what people put together themselves."""
    if request.param in OVERLAYS:
        return overlay(request.param)
    if request.param == "toolbox":
        return render(ROOT / "k8s" / "toolbox")
    folder = tmp_path_factory.mktemp("overlay")
    shutil.copy(K8S / "overlays" / "gpu" / "job.yaml", folder)
    components = COMBINATIONS[request.param]
    generators = [settings for component, settings in SETTINGS.items() if component in components]
    return compose(folder, components, configMapGenerator=generators)


@pytest.fixture
def rays(manifests: list[Manifest]) -> list[Manifest]:
    """Those of Ray: one, but in the toolbox."""
    return [manifest for manifest in manifests if manifest["apiVersion"] == "ray.io/v1"]


def worker_capacity(manifests: list[Manifest]) -> tuple[float, float]:
    """CPUs and GPUs of one worker, as Ray counts them: by the limits."""
    limits = pod(manifests, "worker").container["resources"]["limits"]
    return quantity(limits["cpu"]), quantity(limits.get("nvidia.com/gpu", 0))


def test_there_are_the_promised_overlays() -> None:
    assert {"cpu", "gpu", "s3", "kueue", "service"} <= set(OVERLAYS)


def test_ray_resources_fit_their_crds(rays: list[Manifest]) -> None:
    assert [problem for manifest in rays for problem in crd_problems(manifest)] == []


@pytest.mark.parametrize("version", KUBERNETES)
def test_all_resources_fit_kubernetes(manifests: list[Manifest], version: str) -> None:
    assert [problem for manifest in manifests for problem in core_problems(manifest, version)] == []


def test_the_operators_take_them(rays: list[Manifest]) -> None:
    for manifest in rays:
        assert list(kuberay_problems(manifest)) == []
        assert list(kueue_problems(manifest)) == []


def test_every_pod_is_locked_up(manifests: list[Manifest]) -> None:
    every = [p for manifest in manifests for p in pods(manifest)]
    assert every
    assert [f"{one.role}: {problem}" for one in every for problem in pod_problems(one)] == []


def test_no_secret_is_shipped(manifests: list[Manifest]) -> None:
    assert of_kind(manifests, "Secret") == []


def test_names_are_valid_and_differ(manifests: list[Manifest]) -> None:
    names = [(manifest["kind"], manifest["metadata"]["name"]) for manifest in manifests]
    assert len(names) == len(set(names))
    assert [name for _, name in names if not DNS_1123.fullmatch(name)] == []


def test_no_namespace_is_prescribed(manifests: list[Manifest]) -> None:
    assert [m["metadata"]["name"] for m in manifests if "namespace" in m["metadata"]] == []


def test_the_image_is_one_placeholder(manifests: list[Manifest]) -> None:
    """By the names that `make image` gives; no registry is chosen for anyone."""
    every = [p for manifest in manifests for p in pods(manifest)]
    gpus = any("nvidia.com/gpu" in one.container["resources"]["limits"] for one in every)
    images = {container["image"] for one in every for container in one.spec["containers"]}
    assert images == {"gandist:gpu" if gpus else "gandist:latest"}


def test_what_pods_name_is_there(rays: list[Manifest], manifests: list[Manifest]) -> None:
    """kustomize changes names; it follows only the references that it knows of."""
    made = {(manifest["kind"], manifest["metadata"]["name"]) for manifest in manifests}
    made.add(("ConfigMap", "kube-root-ca.crt"))  # Kubernetes', in each namespace
    for one in (p for manifest in rays for p in pods(manifest)):
        named = set()
        for volume in one.spec["volumes"]:
            if claim := volume.get("persistentVolumeClaim"):
                named.add(("PersistentVolumeClaim", claim["claimName"]))
            for source in volume.get("projected", {}).get("sources", []):
                if "configMap" in source:
                    named.add(("ConfigMap", source["configMap"]["name"]))
        for source in one.container.get("envFrom", []):
            if "configMapRef" in source:
                named.add(("ConfigMap", source["configMapRef"]["name"]))
            else:
                assert source["secretRef"]["optional"] is True  # the user's, if there is one
        assert named <= made, one.role


def test_the_head_runs_no_trials(rays: list[Manifest]) -> None:
    for manifest in rays:
        assert cluster_spec(manifest)["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"


def test_ray_asks_for_a_token(rays: list[Manifest]) -> None:
    for manifest in rays:
        assert cluster_spec(manifest)["authOptions"] == {"mode": "token"}


def test_the_ray_version_is_that_of_the_image(rays: list[Manifest]) -> None:
    pins = (ROOT / "constraints.txt").read_text()
    for manifest in rays:
        assert f"\nray=={cluster_spec(manifest)['rayVersion']}\n" in pins


def test_the_user_is_that_of_the_image(manifests: list[Manifest]) -> None:
    dockerfile = ROOT / "Dockerfile"
    if not dockerfile.exists():
        pytest.skip("no Dockerfile")
    for one in (p for manifest in manifests for p in pods(manifest)):
        context = one.spec["securityContext"]
        assert f"\nUSER {context['runAsUser']}:{context['runAsGroup']}\n" in dockerfile.read_text()


def test_the_job_ends_and_cleans_up(rays: list[Manifest]) -> None:
    for spec in (manifest["spec"] for manifest in rays if manifest["kind"] == "RayJob"):
        assert spec["shutdownAfterJobFinishes"] is True
        assert spec["ttlSecondsAfterFinished"] > 0
        assert spec["preRunningDeadlineSeconds"] < spec["activeDeadlineSeconds"]
        assert spec["backoffLimit"] > 0
        assert spec["submitterPodTemplate"]["spec"]["restartPolicy"] == "Never"  # a Job takes no Always


def test_the_job_is_valid_and_a_worker_holds_its_trials(
    rays: list[Manifest], manifests: list[Manifest], tmp_path: Path
) -> None:
    for _ in rays:
        (tmp_path / "job.yaml").write_text(find(manifests, "ConfigMap", "gandist-job")["data"]["job.yaml"])
        job = load_job(tmp_path / "job.yaml")
        cpus, gpus = worker_capacity(manifests)
        assert len(expand(job)) > 1
        assert job.resources.gpus is not None  # unsaid, it depends on the workers that happen to be there
        assert job.resources.gpus <= gpus
        assert bool(job.resources.gpus) == bool(gpus)
        assert job.resources.cpus <= cpus


def test_the_command_is_one_that_continues(rays: list[Manifest], manifests: list[Manifest]) -> None:
    """The same command each time, on the same storage, and its job file is where it looks."""
    for manifest in rays:
        head = pod(manifests, "head")
        assert environment(manifests, head)["GANDIST_STORAGE"].startswith(("/storage", "s3://"))
        if manifest["kind"] == "RayJob":
            assert manifest["spec"]["entrypoint"] == "gandist run /etc/gandist/job.yaml"
            assert [*keys_under(head, "/etc/gandist", manifests)] == ["job.yaml", "prestop.sh"]


def test_local_storage_is_the_shared_volume(rays: list[Manifest], manifests: list[Manifest]) -> None:
    for one in (p for manifest in rays for p in pods(manifest) if p.role != "submitter"):
        volume = one.volume_of("/storage")
        if environment(manifests, one)["GANDIST_STORAGE"].startswith("s3://"):
            assert volume is None
        else:
            assert volume
            assert volume["persistentVolumeClaim"]["claimName"] == "gandist-storage"


def test_head_and_workers_have_the_same_environment(rays: list[Manifest], manifests: list[Manifest]) -> None:
    """A driver's variables do not reach actors on other nodes."""
    for _ in rays:
        sources = [pod(manifests, role).container["envFrom"] for role in ("head", "worker")]
        assert sources[0] == sources[1]


def test_caches_are_writable(rays: list[Manifest], manifests: list[Manifest]) -> None:
    for one in (p for manifest in rays for p in pods(manifest) if p.role != "submitter"):
        volume = one.volume_of(environment(manifests, one)["HOME"])
        assert volume
        assert "emptyDir" in volume


def test_the_object_store_fits_into_shared_memory_and_that_into_memory(rays: list[Manifest]) -> None:
    for manifest in rays:
        spec = cluster_spec(manifest)
        for group in [spec["headGroupSpec"], *spec["workerGroupSpecs"]]:
            one = Pod("", {}, group["template"]["spec"])
            shm = one.volume_of("/dev/shm")  # noqa: S108
            assert shm
            assert shm["emptyDir"]["medium"] == "Memory"
            store, size = int(group["rayStartParams"]["object-store-memory"]), shm["emptyDir"]["sizeLimit"]
            assert store <= quantity(size) < quantity(one.container["resources"]["limits"]["memory"])


def test_probes_ask_what_ray_answers_without_a_token(rays: list[Manifest]) -> None:
    from ray.dashboard.http_server_agent import PUBLIC_EXACT_PATHS

    for one in (p for manifest in rays for p in pods(manifest) if p.role != "submitter"):
        for probe in ("livenessProbe", "readinessProbe"):
            http = one.container[probe]["httpGet"]
            assert http["path"] in PUBLIC_EXACT_PATHS
            assert http["port"] == 52365  # dashboard-agent-listen-port, which the operator sets


def test_pods_have_the_time_that_stopping_takes(rays: list[Manifest], manifests: list[Manifest]) -> None:
    for manifest in rays:
        for one in (p for p in pods(manifest) if p.role != "submitter"):
            shell, script, role, limit = one.container["lifecycle"]["preStop"]["exec"]["command"]
            assert (shell, script, role) == ("sh", "/etc/gandist/prestop.sh", one.role)
            assert int(limit) > GRACE_S
            assert one.spec["terminationGracePeriodSeconds"] >= int(limit) + 30
            drain = float(environment(manifests, one)["RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S"])
            assert drain == (int(limit) if one.role == "worker" else 0)
        assert int(environment(manifests, pod(manifests, "head"))["RAY_JOB_STOP_WAIT_TIME_S"]) > GRACE_S


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


def keys_under(one: Pod, path: str, manifests: list[Manifest]) -> list[str]:
    """The files that ConfigMaps put into a folder of a pod."""
    volume = one.volume_of(path)
    assert volume
    names = [source["configMap"]["name"] for source in volume["projected"]["sources"]]
    return [key for name in names for key in find(manifests, "ConfigMap", name)["data"]]


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
