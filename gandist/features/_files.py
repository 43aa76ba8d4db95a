"""Files of a cache: whole under their name, or not there."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

PART = ".part"


def write(path: Path, produce: Callable[[BinaryIO], object]) -> None:
    """Write the file ``path`` with ``produce``, under another name first. Raises OSError."""
    part = path.with_name(f"{uuid.uuid4().hex}{PART}")
    try:
        with part.open("wb") as file:
            produce(file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def sweep(folder: Path) -> None:
    """Remove what killed processes have left in ``folder``, whose lock the caller holds."""
    for left in folder.glob(f"*{PART}"):
        left.unlink(missing_ok=True)
