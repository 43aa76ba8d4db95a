"""A job file with a mistake in it, and the line that is told of it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from gandist.errors import SpecError
from gandist.spec.loading import load_job

BASE = {
    "name": "name: a-job",
    "data": "data: {name: digits, batch_size: 64}",
    "model": "model: {name: dcgan, width: 8}",
    "training": "training: {epochs: 1}",
}


def problem(path: Path, overrides: list[str] | None = None) -> str:
    """The one line that loading ``path`` gives."""
    with pytest.raises(SpecError) as caught:
        load_job(path, overrides or [])
    (line,) = caught.value.problems
    assert str(caught.value) == line
    assert line.isprintable()
    for foreign in ("Input should", "pydantic", "Value error", "Options", "https:"):
        assert foreign not in line
    return line


def write(path: Path, lines: str = "") -> Path:
    """A job file: the base, with ``lines`` in place of those with the same keys."""
    replaced = yaml.safe_load(lines) or {}
    kept = [line for key, line in BASE.items() if key not in replaced]
    path.write_text("\n".join([*kept, lines, ""]))
    return path


def refused(folder: Path, lines: str) -> str:
    """What is told of the base with ``lines``, after the file's name."""
    path = write(folder / "job.yaml", lines)
    file, _, line = problem(path).partition(": ")
    assert file == str(path)
    return line
