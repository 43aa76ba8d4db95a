"""The example of docs/plugins.md, as files."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "plugins.md"


def write_example(folder: Path, imported: Path | None = None) -> tuple[Path, Path]:
    """The job file and the plug-in of the page, in ``folder``.

    Args:
        folder: where to.
        imported: a file that the plug-in makes whenever its code is run.
    """
    page = PAGE.read_text(encoding="utf-8")
    (source,), (job,) = (re.findall(rf"```{it}\n(.*?)```", page, re.DOTALL) for it in ("python", "yaml"))
    if imported:
        source += f"\n\nopen({str(imported)!r}, 'w').close()\n"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "own_variants.py").write_text(source)
    (folder / "own.yaml").write_text(job)
    return folder / "own.yaml", folder / "own_variants.py"
