"""Folders of strangers: what is refused of them, in one line."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from runner import fakes

from gandist import cli
from gandist.spec.loading import load_job
from tests.conftest import CommandLine
from tests.data import pictures
from tests.data.pictures import count_decoding, read, refusal, write


def test_too_many_unreadable_files_are_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    root = pictures.folder(tmp_path, rotten=True)
    text = refusal(root, max_unreadable=0.1)
    for part in (
        "cannot read 4 of 28 pictures (14.29%)",
        "rotten_empty.jpg",
        "rejected.txt",
        "allows 10.00%",
    ):
        assert part in text
    assert capfd.readouterr().err == ""
    decoded = count_decoding(monkeypatch)
    assert len(read(root, max_unreadable=0.2)) == 24  # the next try needs not decode it again
    assert not decoded


def test_the_share_of_unreadable_files_may_be_reached(tmp_path: Path) -> None:
    root = write(tmp_path, {"a.png": 1, "b.png": 2, "c.png": 3})
    (root / "d.png").write_bytes(b"")
    assert len(read(root, max_unreadable=0.25)) == 3
    assert "cannot read 1 of 4" in refusal(root, max_unreadable=0.2499)


def test_nothing_readable_is_an_error_whatever_is_allowed(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    assert "cannot read 1 of 1 pictures (100.00%)" in refusal(tmp_path, max_unreadable=1.0)


def test_a_class_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    root = write(tmp_path, {"a/1.png": 1, "c/1.png": 2})
    (root / "b").mkdir()
    (root / "b" / "1.png").write_bytes(b"")
    text = refusal(root, max_unreadable=0.5)
    assert f"{root}/b: no picture of this class can be read" in text


@pytest.mark.parametrize(
    ("names", "says"),
    [
        ([], "holds no pictures (.apng .bmp"),
        (["readme.txt"], "holds no pictures"),
        (["a/b/1.png"], "holds no pictures"),
        ([".a/1.png"], "holds no pictures"),
        (["1.png", "cats/1.png"], "has pictures beside its sub-folders (1.png and cats/)"),
        (["a\nb/1.png"], r"a\nb: cannot be the name of a class"),
        (["a\x1b[31m/1.png"], r"a\x1b[31m: cannot be the name of a class"),
        ([os.fsdecode(b"\xff/1.png")], r"\udcff: cannot be the name of a class"),
    ],
)
def test_folders_that_are_refused(tmp_path: Path, names: list[str], says: str) -> None:
    assert says in refusal(write(tmp_path, dict.fromkeys(names, 1)))


@pytest.mark.parametrize("kind", ["missing", "a file", "below a file", "a NUL", "not allowed"])
def test_what_is_no_folder(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    path = {"missing": "none", "a file": "file", "below a file": "file/none", "a NUL": "a\0b"}.get(kind, ".")
    if kind == "not allowed":  # root may read everything

        def refuse(path: object) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(os, "scandir", refuse)
    assert "data.path names a folder of pictures" in refusal(tmp_path / path)


@pytest.mark.parametrize("kind", ["a file", "below a file"])
def test_a_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    root = write(tmp_path / "root", {"1.png": 1})
    (tmp_path / "cache").write_text("")
    monkeypatch.setenv("GANDIST_CACHE_DIR", str(tmp_path / ("cache" if kind == "a file" else "cache/below")))
    text = refusal(root)
    assert "cannot keep decoded images there (Not a directory)" in text
    assert "GANDIST_CACHE_DIR" in text


def test_the_command_line_says_it_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    pictures.folder(tmp_path / "shapes", rotten=True)
    job = tmp_path / "job.yaml"
    job.write_text(
        "name: a\ndata: {name: image_folder, path: shapes}\nmodel: {name: dcgan}\ntraining: {steps: 1}\n"
    )
    monkeypatch.setattr(sys, "argv", ["gandist", "validate", str(job), "--data-dir", str(tmp_path)])
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert left.value.code == 1
    [line] = capfd.readouterr().err.splitlines()
    assert "cannot read 4 of 28 pictures" in line


@pytest.mark.parametrize("command", ["validate", "run"])
def test_the_command_line_tells_what_a_folder_holds_and_what_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command_line: CommandLine, command: str, devices: None
) -> None:
    root = pictures.folder(tmp_path / "shapes")
    for name in ("circles/1.heic", "@eaDir/circles.jpg", "notes.txt"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(b"")
    job = tmp_path / "job.yaml"
    job.write_text(
        "name: a\ndata: {name: image_folder, path: shapes, image_size: 28}\nmodel: {name: dcgan}\n"
        "training: {steps: 1}\n"
    )
    monkeypatch.setitem(sys.modules, "gandist.training.trial", fakes)  # no TensorFlow
    options = ["--local", "--storage", str(tmp_path / "runs")] if command == "run" else []
    code, out, _ = command_line(command, str(job), "--data-dir", str(tmp_path), *options)
    assert code == 0
    assert [line for line in out if line.startswith("data: ")] == [
        "data: 24 pictures 28x28x3 (each cut to its largest centred square, sides of 28 to 69 pixels), "
        "2 classes (circles: 12, squares: 12)",
        f"data: {root}: left out 1 .heic (convert them: magick mogrify -format jpg *.heic; or macOS: sips -s "
        "format jpeg), 1 .txt, 1 @eaDir/",
    ]


def test_a_folder_beside_the_job_file_is_found_and_the_job_can_be_continued_from_its_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command_line: CommandLine
) -> None:
    root = pictures.folder(tmp_path / "jobs" / "my shapes")
    job = tmp_path / "jobs" / "job.yaml"
    job.write_text(
        "{name: a, data: {name: image_folder, path: my shapes, image_size: 28}, model: {name: mlp}, "
        "training: {steps: 1}}"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "gandist.training.trial", fakes)  # no TensorFlow
    assert command_line("run", str(job), "--local")[0] == 0
    kept = tmp_path / "runs" / "a" / "job.yaml"
    assert load_job(kept).spec.data.path == str(root)
    code, out, _ = command_line("run", str(kept), "--local", "--set", "training.steps=2")
    assert (code, out[-2]) == (0, "1 completed")
    code, _, err = command_line("run", str(job), "--local", "--set", "data.path=elsewhere", "--set", "name=b")
    assert code == 1
    assert "elsewhere: no such folder beside the job file or in the current directory" in err[0]
    assert not (tmp_path / "runs" / "b").exists()
