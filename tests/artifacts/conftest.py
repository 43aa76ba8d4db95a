"""A storage whose waiting takes no time, and one that is an object store."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pyarrow.fs as pafs
import pytest

from gandist.artifacts import storage as storage_module
from gandist.artifacts.retry import Retry
from gandist.artifacts.storage import Storage
from tests.artifacts.faulty import Clock, ObjectStore


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def storage(tmp_path: Path, clock: Clock) -> Storage:
    return Storage(str(tmp_path / "job"), Retry(clock=clock, sleep=clock.sleep))


@pytest.fixture
def object_store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ObjectStore:
    """What ``s3://bucket/...`` is in a test: files below ``tmp_path``, without a rename."""
    store = ObjectStore()
    opened = store, str(tmp_path / "bucket/job")
    monkeypatch.setattr(storage_module, "open_address", lambda _: opened)
    nothing_is_local = SimpleNamespace(**{**vars(pafs), "LocalFileSystem": type(None)})
    monkeypatch.setattr(storage_module, "pafs", nothing_is_local)
    return store
