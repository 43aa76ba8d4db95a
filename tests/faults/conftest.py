"""The run that nothing disturbed, to which all others are compared."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from .fingerprint import fingerprint
from .harness import job_directory, run_through


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if sys.platform != "linux":
        for item in items:
            if Path(__file__).parent in item.path.parents:
                item.add_marker(pytest.mark.skip(reason="processes are found in /proc"))


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The fingerprint of the small job, run in one process without Ray."""
    folder = tmp_path_factory.mktemp("undisturbed")
    survived = run_through(folder, options=["--local"])
    assert survived.exit_code == 0, survived.output
    return fingerprint(job_directory(folder))
