"""The run that nothing disturbed, to which all others are compared."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from .fingerprint import fingerprint
from .harness import SHORT, job_directory, run_through


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if sys.platform != "linux":
        for item in items:
            if Path(__file__).parent in item.path.parents:
                item.add_marker(pytest.mark.skip(reason="processes are found in /proc"))


def left_alone(folder: Path, *options: str) -> dict[str, str]:
    """The fingerprint of the small job, run in one process without Ray."""
    survived = run_through(folder, options=["--local", *options])
    assert survived.exit_code == 0, survived.output
    return fingerprint(job_directory(folder))


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The fingerprint of a run that nothing disturbed."""
    return left_alone(tmp_path_factory.mktemp("undisturbed"))


@pytest.fixture(scope="session")
def undisturbed_seed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Of the first seed alone, in fewer steps."""
    return left_alone(tmp_path_factory.mktemp("undisturbed"), *SHORT)
