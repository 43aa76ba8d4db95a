"""What docs/python.md shows can be typed as it stands."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
BLOCKS = re.findall(
    r"```python\n(.*?)```", (ROOT / "docs" / "python.md").read_text(encoding="utf-8"), re.DOTALL
)


@pytest.mark.slow  # the notebooks and tests/keras_gan call the same in every run
@pytest.mark.usefixtures("devices")
def test_its_lines_run_one_after_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(ROOT / "jobs", tmp_path / "jobs")
    monkeypatch.chdir(tmp_path)
    names = {"images": np.random.default_rng(0).integers(0, 256, (64, 28, 28), np.uint8)}
    for block in BLOCKS:
        exec(compile(block, "docs/python.md", "exec"), names)  # noqa: S102 - it is what readers type
    assert len(BLOCKS) == 4
    assert Path("losses.pdf").is_file()
    assert Path("generator.keras").is_file()
    assert names["images"].shape == (64, 28, 28, 1)
