"""The image, built and run: by a user without rights, on a root file system that nobody can write to.

GANDIST_IMAGE_WORKSHOP names a directory where base and image are kept between runs: about 8 GB, and five
minutes the first time. Without it they are made in a temporary one and removed.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .workshop import IMAGE, ROOT, Unpacked, Workshop, missing

WHY_NOT = missing()

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT),
]

SMALL = ["--storage", "/storage", "--set", "training.epochs=1", "--set", "seeds=[0]"]
"""The quickstart with one epoch and one seed: two trials."""


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    kept = os.environ.get("GANDIST_IMAGE_WORKSHOP")
    directory = Path(kept) if kept else tmp_path_factory.mktemp("image")
    directory.mkdir(parents=True, exist_ok=True)
    made = Workshop(directory.resolve())
    try:
        made.make_base()
        made.make_image()
        yield made
    finally:
        if not kept:
            made.clean()


@pytest.fixture(scope="module")
def image(workshop: Workshop) -> Iterator[Unpacked]:
    container = workshop.buildah("from", "--pull-never", IMAGE)
    try:
        root = Path(workshop.buildah("mount", container))
        yield Unpacked(root, workshop.config())
    finally:
        workshop.buildah("umount", container)
        workshop.buildah("rm", container)


def entries(root: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """All there is below ``root`` but what a container runtime mounts over, with its path inside."""
    for directory, names, files in os.walk(root):
        if Path(directory) == root:
            names[:] = [name for name in names if name not in {"proc", "sys", "dev", "tmp"}]
        for name in [*names, *files]:
            path = Path(directory, name)
            yield Path("/", path.relative_to(root)), path.lstat()


def test_its_settings(image: Unpacked) -> None:
    uid, gid = map(int, image.user.split(":"))
    assert uid > 0
    assert gid > 0
    assert image.config["Cmd"] == ["gandist", "--help"]
    assert not image.config.get("Entrypoint")
    assert set(image.config["Volumes"]) == {"/tmp"}  # noqa: S108
    assert image.config["Labels"]["org.opencontainers.image.title"] == "gandist"
    assert image.config["Labels"]["org.opencontainers.image.licenses"] == "Apache-2.0"


def test_its_user_can_write_nothing_but_tmp(image: Unpacked) -> None:
    uid, gid = map(int, image.user.split(":"))
    writable = [
        path
        for path, status in entries(image.root)
        if not stat.S_ISLNK(status.st_mode)
        and (
            status.st_uid == uid  # an owner can give himself the right
            or (status.st_gid == gid and status.st_mode & stat.S_IWGRP)
            or status.st_mode & stat.S_IWOTH
        )
    ]
    assert writable == []


def test_nothing_is_left_of_how_it_was_made(image: Unpacked) -> None:
    names = {path for path, _ in entries(image.root)}
    left = ("etc/pip.conf", "run/secrets", "root/.cache", "root/.config", "build", "stand-in", "staged")
    assert [name for name in left if Path("/", name) in names] == []
    assert {path.name for path in names if path.parent == Path("/opt/gandist")} == {"LICENSE", "jobs", "venv"}
    tools = {"gcc", "cc", "g++", "c++", "clang", "make", "ld", "git"}
    assert [path for path in names if path.name in tools and path.parent.name in {"bin", "sbin"}] == []


def test_it_holds_this_checkout_compiled(image: Unpacked) -> None:
    """A stale copy or a missing data file would show only when it is used."""
    (package,) = image.root.glob("opt/gandist/venv/lib/python3*/site-packages/gandist")

    def files(folder: Path) -> dict[str, bytes]:
        found = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
        return {str(path.relative_to(folder)): path.read_bytes() for path in found}

    assert files(package) == files(ROOT / "gandist")
    assert files(image.root / "opt/gandist/jobs") == files(ROOT / "jobs")
    libraries = [package.parent / name for name in ("gandist", "ray", "keras")]
    for folder in [*libraries, *image.root.glob("usr/lib/python3.*")]:
        for module in folder.glob("*.py"):
            assert [*folder.glob(f"__pycache__/{module.stem}.cpython-*.pyc")], module


def test_its_size(workshop: Workshop, record_property: Callable[[str, object], None]) -> None:
    """What depends on this checkout is in layers of a few MB: nodes that have the rest pull no more."""
    layers = workshop.layers()
    record_property("layer_bytes", layers)
    print(f"the image: {sum(layers) / 1e9:.2f} GB, in layers of {layers}")
    jobs, licence, package, *below = layers
    assert jobs + licence + package < 20e6
    assert sum(below) < 3.2e9


def test_its_root_is_read_only_and_its_user_has_no_rights(image: Unpacked, tmp_path: Path) -> None:
    script = """
import errno, os
for place in ("/", "/opt/gandist", "/opt/gandist/venv", "/var/tmp", "/run", "/home", "/dev", "/etc"):
    try:
        open(os.path.join(place, "written"), "w")
        raise SystemExit(place + " can be written")
    except OSError as error:
        assert error.errno == errno.EROFS, (place, error)
for place in ("/tmp", "/dev/shm", "/storage"):
    open(os.path.join(place, "written"), "w")
status = dict(line.split(":", 1) for line in open("/proc/self/status") if ":" in line)
assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0, status
assert status["NoNewPrivs"].strip() == "1", status
print(os.getuid(), os.getgid(), os.getgroups())
"""
    done = image.run(tmp_path, "python", "-c", script)
    assert done.returncode == 0, done.stdout
    uid, gid = image.user.split(":")
    assert done.stdout.strip() == f"{uid} {gid} []"
    assert (tmp_path / "written").stat().st_uid == int(uid)


def statuses(job: Path) -> dict[str, str]:
    return {
        path.parent.name: json.loads(path.read_text())["status"] for path in job.glob("trials/*/state.json")
    }


def test_it_runs_the_quickstart(image: Unpacked, tmp_path: Path) -> None:
    done = image.run(tmp_path, "gandist", "run", "jobs/quickstart.yaml", *SMALL)
    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines()[-1] == "/storage/quickstart/report.html"
    assert statuses(tmp_path / "quickstart") == {"no_penalty-seed0": "completed", "r1-seed0": "completed"}
    report = tmp_path / "quickstart/report.html"
    assert "no_penalty" in report.read_text(encoding="utf-8")
    assert report.stat().st_uid == int(image.user.split(":")[0])


CLUSTER = r"""
set -u
wait_for() {
    for _ in $(seq 60); do
        "$@" >/dev/null 2>&1 && return
        sleep 1
    done
    echo "gave up: $*"
    exit 1
}
healthy() { python -c "import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=10)" "$1"; }
both() { test "$(ray list nodes --format json | grep -o '"state": "ALIVE"' | wc -l)" = 2; }

# What KubeRay runs in a head and in a worker; here they share a machine.
head="ray start --head --block --num-cpus=0 --dashboard-host=0.0.0.0"
worker="ray start --block --num-cpus=2 --address=127.0.0.1:6379"
/bin/bash -c -- "ulimit -n 65536; $head" >/tmp/head 2>&1 &
wait_for healthy http://127.0.0.1:8265/api/gcs_healthz # how its submitter waits for the head
wait_for healthy http://127.0.0.1:52365/api/healthz # its probes
wait_for ray health-check --address 127.0.0.1:6379 # what a worker waits for
/bin/bash -c -- "ulimit -n 65536; $worker" >/tmp/worker 2>&1 &
wait_for both
cat /tmp/head /tmp/worker
ray job submit --address http://127.0.0.1:8265 -- gandist run jobs/quickstart.yaml "$@"
"""


@pytest.mark.parametrize("user", [None, "4242:0"], ids=["its own user", "a user that it does not know"])
def test_it_is_head_worker_and_submitter(image: Unpacked, tmp_path: Path, user: str | None) -> None:
    secret = "RAY_AUTH_TOKEN=" + "0123456789abcdef" * 3
    done = image.run(
        tmp_path, "env", "RAY_AUTH_MODE=token", secret, "bash", "-c", CLUSTER, "cluster", *SMALL, user=user
    )
    assert done.returncode == 0, done.stdout
    assert "Ray cluster of 2 nodes: 1 with 2 CPUs, 0 GPUs; 1 with 0 CPUs, 0 GPUs" in done.stdout
    assert statuses(tmp_path / "quickstart") == {"no_penalty-seed0": "completed", "r1-seed0": "completed"}
    assert (tmp_path / "quickstart/report.html").exists()
