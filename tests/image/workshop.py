"""Building the image without a registry or a daemon, and running it strictly."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
RUN_READ_ONLY = Path(__file__).with_name("run_read_only.sh")

RELEASE = "trixie"
"""The Debian that the Dockerfile's own base is made of, too."""
BASE = f"localhost/gandist-test-base:{RELEASE}"
IMAGE = "localhost/gandist-test:latest"

TOOLS = ("buildah", "debootstrap", "make", "unshare", "setpriv", "chroot", "ip")
NAMESPACES = ["--mount", "--pid", "--fork", "--kill-child", "--net", "--ipc", "--uts"]


def missing() -> str:
    """Why images cannot be built and run here; empty where they can."""
    tools = [tool for tool in TOOLS if shutil.which(tool) is None]
    if tools:
        return f"not installed: {', '.join(tools)}"
    if os.geteuid() != 0:
        return "debootstrap and mounts need root"
    if subprocess.run(["unshare", *NAMESPACES, "true"], capture_output=True).returncode != 0:
        return "namespaces are not allowed here"
    return ""


@dataclass(frozen=True)
class Unpacked:
    """The image's root file system, mounted, and how to run a command in it."""

    root: Path
    config: dict[str, Any]

    @property
    def user(self) -> str:
        return str(self.config["User"])

    def run(
        self, storage: Path, *command: str, user: str | None = None, timeout: float = 600
    ) -> subprocess.CompletedProcess[str]:
        """Run ``command`` as the image's user, or another; it can write to /tmp, /dev/shm and /storage."""
        user = user or self.user
        uid, gid = map(int, user.split(":"))
        os.chown(storage, uid, gid)
        there = ["env", f"--chdir={self.config['WorkingDir']}", *command]
        return subprocess.run(
            ["unshare", *NAMESPACES, "--", "bash", RUN_READ_ONLY, self.root, storage, user, *there],
            env=dict(variable.split("=", 1) for variable in self.config["Env"]),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
        )


@dataclass(frozen=True)
class Workshop:
    """A directory with buildah's storage in it, apart from that of the machine."""

    directory: Path

    @property
    def command(self) -> list[str]:
        return ["buildah", "--root", f"{self.directory}/storage", "--runroot", f"{self.directory}/run"]

    def buildah(self, *arguments: str) -> str:
        done = subprocess.run([*self.command, *arguments], stdout=subprocess.PIPE, text=True, check=True)
        return done.stdout.strip()

    def make_base(self) -> None:
        """A small Debian with Python, in place of the image that the Dockerfile takes from a registry."""
        if BASE in self.buildah("images", "--all", "--format", "{{.Name}}:{{.Tag}}").splitlines():
            return
        tree = self.directory / "debian"
        shutil.rmtree(tree, ignore_errors=True)
        self._logged(
            "debootstrap",
            "debootstrap",
            "--variant=minbase",
            "--include=python3,python3-venv,ca-certificates",
            RELEASE,
            str(tree),
        )
        for leftovers in ("var/cache/apt/archives", "var/lib/apt/lists"):
            shutil.rmtree(tree / leftovers)
        container = self.buildah("from", "scratch")
        self.buildah("add", "--quiet", container, str(tree), "/")
        self.buildah("config", "--cmd", "bash", container)
        self.buildah("commit", "--quiet", "--rm", container, BASE)
        shutil.rmtree(tree)

    def make_image(self) -> None:
        """By ``make image``. Layers of an earlier build are taken where nothing has changed."""
        flags = ["--isolation=chroot", "--layers", *self._secrets()]
        self._logged(
            "build",
            "make",
            f"--directory={ROOT}",
            "image",
            f"BUILDER={' '.join(self.command)}",
            f"BASE={BASE}",
            f"IMAGE={IMAGE}",
            f"IMAGE_FLAGS={' '.join(flags)}",
        )

    def _logged(self, name: str, *command: str) -> None:
        path = self.directory / f"{name}.log"
        with path.open("w") as log:
            done = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT)
        assert done.returncode == 0, "\n".join(path.read_text().splitlines()[-20:])

    def _secrets(self) -> list[str]:
        """How pip reaches its index from here: for the build alone, and not in the image."""
        listed = subprocess.run(
            [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
        )
        settings: dict[str, str] = {}
        for line in listed.stdout.splitlines():
            name, _, value = line.partition("=")
            settings[name.rpartition(".")[2]] = value.strip("'")
        flags = []
        if "cert" in settings:
            flags = [f"--secret=id=ca,src={settings['cert']}"]
            settings["cert"] = "/run/secrets/ca"
        known = ("index-url", "proxy", "trusted-host", "cert", "timeout", "default-timeout", "retries")
        lines = [f"{name} = {settings[name]}" for name in known if name in settings]
        path = self.directory / "pip.conf"
        path.write_text("\n".join(["[global]", *lines, ""]))
        return [*flags, f"--secret=id=pip,src={path}"]

    def config(self) -> dict[str, Any]:
        """What the image says of itself: user, environment, command."""
        return dict(json.loads(self.buildah("inspect", "--type", "image", IMAGE))["OCIv1"]["config"])

    def layers(self) -> list[int]:
        """The sizes of the image's layers, unpacked, from the last to the base."""
        storage = self.directory / "storage"
        known = {
            layer["id"]: layer for layer in json.loads((storage / "overlay-layers/layers.json").read_text())
        }
        images = json.loads((storage / "overlay-images/images.json").read_text())
        (layer,) = (image["layer"] for image in images if IMAGE in (image.get("names") or []))
        sizes = []
        while layer:
            sizes.append(known[layer]["diff-size"])
            layer = known[layer].get("parent")
        return sizes

    def clean(self) -> None:
        """Take away all that buildah has put there, mounts first."""
        self.buildah("umount", "--all")
        self.buildah("rm", "--all")
        self.buildah("rmi", "--all", "--force")
        subprocess.run(["umount", self.directory / "storage/overlay"], capture_output=True)
        shutil.rmtree(self.directory)
