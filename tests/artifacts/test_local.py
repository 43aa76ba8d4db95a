"""What in a directory is read as a file, and what leads out of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gandist.artifacts.local import leads_into, no_file


def test_only_regular_files_up_to_a_limit_are_files(tmp_path: Path) -> None:
    file, pipe, loop = (tmp_path / name for name in ("file", "pipe", "loop"))
    file.write_bytes(b"1234")
    os.mkfifo(pipe)
    loop.symlink_to(loop)
    assert no_file(str(file), 4) is None
    assert no_file(str(file), 3) == "larger than 3 bytes"
    assert no_file(str(pipe), 4) == no_file(str(tmp_path), 4) == "not a regular file"
    assert no_file(str(loop), 4) == "Too many levels of symbolic links"
    assert no_file(str(file / "x"), 4) == "Not a directory"
    with pytest.raises(FileNotFoundError):
        no_file(str(tmp_path / "none"), 4)


def test_links_are_followed_on_either_side(tmp_path: Path) -> None:
    home, way = tmp_path / "home", tmp_path / "way"
    home.mkdir()
    way.symlink_to(home)
    (home / "out").symlink_to(tmp_path)
    (home / "within").symlink_to(home / "x")
    assert leads_into(str(way), str(home / "within"))
    assert leads_into(str(home), str(way / "none"))
    assert not leads_into(str(home), str(home / "out"))
    assert not leads_into(str(home), str(tmp_path / "home2"))
