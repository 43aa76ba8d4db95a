"""The command line in a directory of its own, its trials without TensorFlow."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from runner import fakes

from gandist.remote.dashboard import ADDRESSES
from tests.conftest import CommandLine

JOB = """
name: small
data: {name: digits}
model: {name: dcgan}
training: {steps: 3}
seeds: [0, 1]
resources: {cpus: 1}
"""


@pytest.fixture
def gandist_(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command_line: CommandLine) -> CommandLine:
    """Runs the command line in a directory with ``job.yaml``; its exit code, stdout and stderr as lines."""
    monkeypatch.chdir(tmp_path)
    for name in ("GANDIST_DATA_DIR", *ADDRESSES):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setitem(sys.modules, "gandist.training.trial", fakes)  # no TensorFlow
    (tmp_path / "job.yaml").write_text(JOB)

    return command_line
