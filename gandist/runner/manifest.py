"""Making a job directory, or continuing the one that is there."""

from __future__ import annotations

import datetime
import getpass
import hashlib
import importlib.metadata
import json
import os
import platform
import shutil
import subprocess
from pathlib import Path

from gandist.artifacts.address import mistake, public
from gandist.artifacts.job_dir import JobDir
from gandist.artifacts.manifest import ListedTrial, Manifest
from gandist.artifacts.trials import read_manifest
from gandist.errors import UsageError
from gandist.printable import one_line
from gandist.spec.job import Job
from gandist.version import VERSION

PACKAGES = ("tensorflow", "keras", "ray", "numpy", "pyarrow")

SUBMITTED = "RAY_JOB_CONFIG_JSON_ENV_VAR"
"""Set by Ray for the driver of a submission."""
SUBMITTER = "submitted_by"
"""What it says there of who has submitted it."""
SCRATCH = "working_dir_files"
"""Where Ray unpacks the working directory of a submission, below its temporary directory."""


def open_job_dir(storage: str, job: Job) -> JobDir:
    """The directory of ``job`` under ``storage``, new or begun. Writes nothing.

    Raises:
        UsageError: the address is wrong, or of a place that Ray deletes, or something else lies there.
    """
    refuse_scratch(storage)
    if wrong := mistake(storage):
        raise UsageError(f"--storage {public(storage)}: {wrong}")
    job_dir = JobDir(f"{storage.rstrip('/') or storage}/{job.spec.name}")
    names = [name for name in job_dir.storage.list() if name != JobDir.DRIVER]  # it comes before all others
    if names and "manifest.json" not in names:
        raise UsageError(
            f"{job_dir.root}: holds files of something else ({names[0]}, ...) and no manifest.json; "
            "give the job another name, or --storage another directory"
        )
    if not names:
        return job_dir
    if (owner := read_manifest(job_dir).job) != job.spec.name:
        raise UsageError(f"{job_dir.root}: belongs to the job {owner}; give --storage another directory")
    return job_dir


def refuse_relative(storage: str) -> None:
    """Refuse a storage that is given from where a cluster happens to run the driver.

    Raises:
        UsageError: as it says.
    """
    if "://" not in storage and not storage.startswith("/"):
        raise UsageError(
            f"--storage {storage}: relative to what? give s3://bucket/path, or a directory that all nodes of "
            "the cluster share, from the root: /shared/runs"
        )


def refuse_scratch(storage: str) -> None:
    """Refuse a storage that Ray deletes, in the driver of a submission: by ``ray job submit``, or KubeRay.

    Raises:
        UsageError: as it says.
    """
    if SUBMITTED in os.environ:
        refuse_relative(storage)
    if "://" not in storage and SCRATCH in Path(storage).resolve().parts:
        raise UsageError(
            f"--storage {storage}: in Ray's working directory, which it deletes; give s3://bucket/path, or a "
            "directory that all nodes of the cluster share, from the root: /shared/runs"
        )


def write_job(job_dir: JobDir, job: Job, start_s: float | None = None) -> None:
    """Write ``job.yaml``, ``manifest.json`` and plug-ins' files; the trials of earlier runs stay listed.

    Args:
        job_dir: where to.
        job: what is run.
        start_s: see ``Manifest``; None keeps what stands there.
    """
    before = read_manifest(job_dir) if job_dir.storage.exists("manifest.json") else Manifest()
    made = manifest(job, before)
    if start_s is not None:
        made = made.model_copy(update={"start_s": start_s})
    for plugin in job.plugins:
        if plugin.source is not None:
            place = plugin.version.replace("sha256:", "")
            job_dir.storage.write(f"{JobDir.PLUGINS}/{place}/{plugin.argument}", plugin.source)
    job_dir.write_job(job.spec.model_dump(mode="json"), made)


def manifest(job: Job, before: Manifest) -> Manifest:
    """What made a job: its trials, earlier ones first, and the versions that run it now."""
    listed = {trial.id: trial for trial in before.trials}
    now = (ListedTrial(id=trial.id, config=trial.config, seed=trial.seed) for trial in job.trials)
    listed |= {trial.id: trial for trial in now}
    resolved = json.dumps(job.spec.model_dump(mode="json"), sort_keys=True)
    return Manifest(
        job=job.spec.name,
        created_at=before.created_at or datetime.datetime.now(datetime.UTC).replace(microsecond=0),
        gandist=VERSION,
        submitted_by=submitter(),
        versions={"python": platform.python_version()} | {name: _version(name) for name in PACKAGES},
        plugins={plugin.name: plugin.version for plugin in job.plugins},
        git_commit=git_commit(Path(__file__).parents[1]),
        spec_hash=hashlib.sha256(resolved.encode()).hexdigest()[:16],
        configs=before.configs | job.points,
        start_s=before.start_s,
        trials=tuple(listed.values()),
    )


def submitter() -> str:
    """Who has it run: as ``GANDIST_USER`` says, else whoever submitted it, else the user of this process.

    Empty where ``GANDIST_USER`` is, and where nobody knows.
    """
    try:
        submitted = json.loads(os.environ.get(SUBMITTED, "{}"))["metadata"][SUBMITTER]
    except (ValueError, KeyError, TypeError):
        submitted = None
    named = os.environ.get("GANDIST_USER", submitted)
    try:
        user = getpass.getuser() if named is None else named
    except (OSError, KeyError, ImportError):  # an id without a name, as in a container
        user = ""
    return one_line(user, 100)


def git_commit(package: Path) -> str | None:
    """The commit of the checkout that ``package`` is part of, ``-dirty`` if changed; None without one."""
    git = shutil.which("git")
    if git is None or _git(git, package, "ls-files", "--error-unmatch", "__init__.py") is None:
        return None
    return _git(git, package, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")


def _git(git: str, where: Path, *arguments: str) -> str | None:
    done = subprocess.run([git, "-C", where, *arguments], capture_output=True, text=True, check=False)  # noqa: S603
    return done.stdout.strip() if done.returncode == 0 else None


def _version(package: str) -> str | None:
    """From the metadata: importing would load what the driver does without."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
