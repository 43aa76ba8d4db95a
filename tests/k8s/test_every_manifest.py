"""Whatever is applied is valid, locked up, and fits together. Nothing here needs a cluster."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from gandist.runner.schedule import GRACE_S
from gandist.spec.loading import load_job

from .hardening import pod_problems
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
    keys_under,
    of_kind,
    overlay,
    pod,
    pods,
    quantity,
    render,
)
from .operators import kuberay_problems, kueue_problems
from .schemas import KUBERNETES, core_problems, crd_problems

COMBINATIONS = {
    "gpu on s3": ["autoscaler", "gpu", "s3"],
    "s3 before gpu": ["s3", "gpu", "autoscaler"],
    "queued gpus on s3": ["gpu", "s3", "kueue"],
    "gpu service on s3": ["autoscaler", "gpu", "s3", "service"],
    "fixed service": ["service"],
    "queued service": ["kueue", "service"],
    "live page": ["serve"],
    "live page of a bucket": ["serve", "s3"],
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
    dockerfile = (ROOT / "Dockerfile").read_text()
    for one in (p for manifest in manifests for p in pods(manifest)):
        context = one.spec["securityContext"]
        assert f"\nUSER {context['runAsUser']}:{context['runAsGroup']}\n" in dockerfile


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
        assert len(job.trials) > 1
        asked = job.spec.resources
        assert asked.gpus is not None  # unsaid, it depends on the workers that happen to be there
        assert asked.gpus <= gpus
        assert bool(asked.gpus) == bool(gpus)
        assert asked.cpus <= cpus


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
