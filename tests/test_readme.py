"""What the README shows is so."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest

from gandist.errors import SpecError
from gandist.spec.loading import load_job
from tests.runner import fakes

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def block(language: str, first: str = "") -> str:
    """The first block in ``language`` that begins with ``first``."""
    found = re.search(rf"```{language}\n({first}.*?)```", README, re.DOTALL)
    assert found, language
    return found[1]


def test_its_job_file_is_valid(tmp_path: Path) -> None:
    path = tmp_path / "job.yaml"
    path.write_text(block("yaml"))
    assert len(load_job(path).trials) == 2 * 4


def test_its_python_runs_a_job_and_reads_its_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "gandist.training.trial", fakes)  # no TensorFlow
    (tmp_path / "jobs").symlink_to(ROOT / "jobs")
    names: dict[str, Any] = {}
    exec(block("python", "import gandist\n"), names)  # noqa: S102
    assert names["ran"].counts == {"completed": 6}
    assert names["means"].column_names == ["config", "step", "g_loss_mean"]


def test_its_error_is_the_one_that_is_printed() -> None:
    with pytest.raises(SpecError) as error:
        load_job(ROOT / "jobs" / "mnist_dcgan.yaml", ["optimizer.learning_rat=3e-4"])
    assert str(error.value) in README.replace("\n", " ")
