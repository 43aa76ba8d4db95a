"""What a process leaves in its storage when it dies at any change that it makes there.

``Snapshots`` keeps what lies there before each change, and in the midst of it: as a death would leave it, so
that one run shows all its deaths. As a program, ``python -m tests.faults.dying COUNT arguments ...``, the
process of ``gandist arguments ...`` kills itself at the change of that number.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL

import pyarrow.fs as pafs

from tests.artifacts.faulty import LOCAL, local_file_system

CHANGES = ("create_dir", "open_output_stream", "write", "move", "delete_file", "delete_dir")
"""What changes something; a ``write`` is looked at when half of the content is written."""

Before = Callable[[str, str], None]
"""Called with the operation and the path before each change."""


def file_system(
    before: Before, after_move: Callable[[str], None] = lambda _: None
) -> type[pafs.LocalFileSystem]:
    """A local file system that tells of its changes, and of what has appeared under its name."""

    def check(operation: str, path: str) -> None:
        if operation in CHANGES:
            before(operation, path)

    class Told(local_file_system(check)):  # type: ignore[misc]
        def move(self, src: str, dest: str) -> None:
            check("move", dest)
            LOCAL.move(self, src, dest)
            after_move(dest)

    return Told


@dataclass(frozen=True)
class Death:
    """What a process has left."""

    at: str
    """What it did not do any more."""
    left: Path
    finished: int
    """The newest step of which it had finished a checkpoint; 0 for none."""


class Snapshots:
    """Of ``root``, each content once, in ``folder``."""

    def __init__(self, root: Path, folder: Path) -> None:
        self.deaths: list[Death] = []
        self.changes = 0
        self._root, self._folder, self._finished = root, folder, 0
        self._seen: set[str] = set()

    def before(self, operation: str, path: str) -> None:
        """Keep what there is."""
        self.changes += 1
        at = f"{self.changes}: {operation} {'/'.join(Path(path).parts[-2:])}"
        self._take(at)
        if operation == "delete_dir":
            half = next(file for file in Path(path).rglob("*") if file.is_file())
            half.unlink()
            self._take(f"{at}, half done")

    def after_move(self, path: str) -> None:
        """Note a checkpoint that is finished by it."""
        folder, name = Path(path).parts[-2:]
        if name == "manifest.json" and folder.startswith("step-"):
            self._finished = max(self._finished, int(folder.removeprefix("step-")))

    def _take(self, at: str) -> None:
        digest = hashlib.sha256()
        for file in sorted(file for file in self._root.rglob("*") if file.is_file()):
            digest.update(f"{file.suffix if file.suffix == '.tmp' else file}".encode() + file.read_bytes())
        if self._root.exists() and digest.hexdigest() not in self._seen:
            self._seen.add(digest.hexdigest())
            left = self._folder / str(len(self.deaths))
            shutil.copytree(self._root, left)
            self.deaths.append(Death(at, left, self._finished))


def main() -> None:
    """Run gandist until it makes the change of the number given; says how many it has made where it ends."""
    last, count = int(sys.argv[1]), 0

    def before(_: str, __: str) -> None:
        nonlocal count
        count += 1
        if count == last:
            os.kill(os.getpid(), SIGKILL)

    pafs.LocalFileSystem = file_system(before)
    from gandist import cli

    sys.argv = ["gandist", *sys.argv[2:]]
    try:
        cli.main()
    finally:
        print(f"changes: {count}", flush=True)


if __name__ == "__main__":
    main()
