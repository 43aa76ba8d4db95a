"""Files that are no job are told in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from gandist.spec.loading import MAX_BYTES
from tests.spec.mistakes import problem

# Whole files; what the one line must say after "FILE: ".
FILES = [
    (b"", "empty; a job file starts with name"),
    (b"# only a comment\n", "empty"),
    (b"- name: a\n", "not a mapping; a job file is lines of KEY: VALUE"),
    (b"name: a\n---\nname: b\n", "line 2: expected a single document"),
    (b"name: a\ndata: {name: digits}\nname: b\n", 'line 3: "name" stands twice, first on line 1'),
    (b"name: a\nmodel:\n  width: 1\n  width: 2\n", 'line 4: "width" stands twice, first on line 3'),
    (b"name: a\nmodel:\n\twidth: 1\n", "line 3: "),
    (b"name: a\nmodel: {width: 1\n", "line 3: "),
    (b"name: !!python/object/apply:os.system [ls]\n", "line 1: the tag "),
    (b"name: !foo a\n", "line 1: the tag !foo is not allowed"),
    (b"name: a\n1: 2\n", "line 2: the key 1 is not text; quote it"),
    (b"name: a\ntrue: 2\n", "line 2: the key true is not text"),
    (b"name: a\n? [a, b]\n: 2\n", "line 2: the key a list or mapping is not text"),
    (b"name: *nowhere\n", "line 1: found undefined alias"),
    (b"name: &a [*a]\n", "line 1: nested more than 40 levels deep"),
    (b"name: " + b"[" * 5000, "nested more than 40 levels deep"),
    (
        b"a: &a [x, x, x, x, x, x, x, x, x]\n"
        + b"".join(b"%c: &%c [%s]\n" % (i, i, b", ".join([b"*%c" % (i - 1)] * 9)) for i in b"bcdefgh"),
        "more than 100000 values, aliases counted",
    ),
    (b"\x89PNG\r\n\x1a\n", "line 1: not UTF-8"),
    (b"name: a\ndescription: caf\xe9\n", "line 2: not UTF-8; save the file as UTF-8 text"),
    (b"name: a\x00\n", "not a text file: "),
    (b"#" * (MAX_BYTES + 1), "larger than 1 MB"),
    (
        b"name: a\ndata: {name: digits}\nmodel: {name: dcgan}",
        "training: is missing; give a section",
    ),
    (b"data: {name: digits}\nmodel: {name: dcgan}\ntraining: {epochs: 1}", "name: is missing; give 1 to 100"),
]


@pytest.mark.parametrize(("content", "expected"), FILES)
def test_a_file_that_is_no_job(tmp_path: Path, content: bytes, expected: str) -> None:
    path = tmp_path / "job.yaml"
    path.write_bytes(content)
    assert problem(path).startswith(f"{path}: {expected}")


def test_no_file(tmp_path: Path) -> None:
    assert problem(tmp_path / "no.yaml") == f"{tmp_path / 'no.yaml'}: no such file"


def test_a_directory(tmp_path: Path) -> None:
    assert problem(tmp_path) == f"{tmp_path}: a directory; give a job file"
