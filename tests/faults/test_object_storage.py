"""A whole job in an object storage that for a while refuses every request."""

from __future__ import annotations

import io
import os
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.s3 import BUCKET, ObjectStorage

from .fingerprint import differences, fingerprint
from .harness import SHORT, Driver, newest_step

STORAGE = f"s3://{BUCKET}/jobs"


@pytest.fixture
def object_storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectStorage]:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    with ObjectStorage(tmp_path) as storage:
        for name, value in storage.environment.items():
            monkeypatch.setenv(name, value)
        yield storage


@pytest.fixture
def ray() -> Iterator[Path]:
    """For Ray's logs: its sockets need a short path."""
    with tempfile.TemporaryDirectory(prefix="gandist-") as folder:
        yield Path(folder)


def unpacked(name: str, content: bytes) -> bytes:
    """What is in an object, without the compression that could hide something."""
    if name.endswith(".parquet"):
        return content + repr(pq.read_table(io.BytesIO(content)).to_pydict()).encode()
    if zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return content + b"".join(archive.read(member) for member in archive.namelist())
    return content


@pytest.mark.parametrize(
    ("refusal_s", "options"),
    [
        (2.0, ["--local", *SHORT]),
        pytest.param(60.0, [], marks=[pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(900)]),
    ],
    ids=["in one process", "on Ray"],
)
def test_it_is_refused_for_a_while_and_ends_with_the_same_bits(
    object_storage: ObjectStorage,
    ray: Path,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    refusal_s: float,
    options: list[str],
) -> None:
    environment = object_storage.environment | {"RAY_TMPDIR": str(ray)}
    with Driver(tmp_path, options, environment=environment, storage=STORAGE) as driver:
        trial = driver.job_dir.trial("base-seed0")
        # Not by asking the storage all the while TensorFlow starts: it answers on the same CPUs.
        assert driver.until(lambda: f"{trial.id}  running" in driver.output), driver.output
        assert driver.until(lambda: newest_step(trial) >= 20), driver.output
        with object_storage.refusing():
            until = time.monotonic() + refusal_s
            assert driver.until(lambda: time.monotonic() > until), driver.output
        assert object_storage.refused > 0
        assert driver.wait() == 0, driver.output
        assert driver.output.endswith(f"{STORAGE}/small/report.html\n")
        assert "lost" not in driver.output, "no attempt was lost"
    expected = request.getfixturevalue("undisturbed_seed" if "seeds=[0]" in options else "undisturbed")
    assert differences(fingerprint(driver.job_dir), expected) == {}

    objects = object_storage.objects()
    assert {"jobs/small/report.html", "jobs/small/losses.parquet"} <= objects.keys()
    assert object_storage.unfinished_uploads() == []
    logs = {
        str(path): path.read_bytes() for path in ray.rglob("*") if path.is_file() and not path.is_symlink()
    }
    written = {**objects, **logs, "output": driver.output.encode()}
    assert logs or "--local" in options
    for name, content in written.items():
        for variable, secret in object_storage.secrets.items():
            assert secret.encode() not in unpacked(name, content), f"{name} holds {variable}"
