"""What is no picture is told of, and a class that would be lost is an error: nothing goes in silence."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from gandist.data import _folder
from tests.data import pictures
from tests.data.pictures import GREY, read, refusal, write


def left_out(root: Path) -> str:
    """The one line on it, without the folder's name."""
    [line] = read(root, **GREY).left_out
    assert line.isprintable()
    return line.removeprefix(f"{root}: left out ")


def empty(root: Path, *names: str) -> Path:
    """Files that nobody looks into."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")
    return root


@pytest.mark.parametrize(
    ("extension", "kind"),
    [
        *(
            (name, "JPEG")
            for name in ("jpg", "jpeg", "jpe", "jfif", "jif", "jfi", "pjpeg", "pjp", "mpo", "JFIF")
        ),
        *(("png", "PNG"), ("apng", "PNG"), ("bmp", "BMP"), ("dib", "BMP"), ("gif", "GIF"), ("webp", "WEBP")),
        *(("tif", "TIFF"), ("tiff", "TIFF"), ("ppm", "PPM"), ("pgm", "PPM"), ("pbm", "PPM"), ("pnm", "PPM")),
    ],
)
def test_every_extension_of_a_format_that_is_read_is_a_picture(
    tmp_path: Path, extension: str, kind: str
) -> None:
    write(tmp_path, {"cats/1.png": 1})
    (tmp_path / "dogs").mkdir()
    (tmp_path / "dogs" / f"1.{extension}").write_bytes(pictures.encoded(Image.new("L", (9, 9), 200), kind))
    dataset = read(tmp_path, **GREY)
    assert dataset.class_names == ("cats", "dogs")
    assert dataset.left_out == ()
    assert dataset.summary == (
        "2 pictures 8x8x1 (each cut to its largest centred square, sides of 9 pixels), "
        "2 classes (cats: 1, dogs: 1)"
    )


def test_nothing_left_out_needs_no_line(tmp_path: Path) -> None:
    assert read(write(tmp_path, {"1.png": 1}), **GREY).left_out == ()


def test_other_files_are_counted_by_kind_those_to_convert_first(tmp_path: Path) -> None:
    root = write(tmp_path, {"cats/1.png": 1, "dogs/1.png": 2})
    empty(root, "cats/2.HEIC", "dogs/2.heic", "dogs/3.avif", "cats/a.txt", "readme.txt", "b.txt")
    empty(root, "cats/Thumbs.db", "cats/.DS_Store", ".git/config", "labels")
    assert left_out(root) == (
        "2 .heic (convert them: magick mogrify -format jpg *.heic; or macOS: sips -s format jpeg), "
        "1 .avif (convert them to JPEG or PNG), 3 .txt, 2 hidden, "
        "1 Thumbs.db, 1 without an extension"
    )


def test_many_kinds_are_bounded(tmp_path: Path) -> None:
    root = empty(write(tmp_path, {"1.png": 1}), *(f"{n}.x{n:02}" for n in range(20)))
    assert left_out(root) == "1 .x00, 1 .x01, 1 .x02, 1 .x03, 1 .x04, 1 .x05 and 14 more"


@pytest.mark.parametrize(
    "junk", ["@eaDir", "#recycle", "$RECYCLE.BIN", "__MACOSX", "lost+found", "System Volume Information"]
)
def test_what_systems_leave_behind_is_no_class(tmp_path: Path, junk: str) -> None:
    root = write(
        tmp_path, {"cats/1.png": 1, f"{junk}/1.png": 9, f"{junk}/x/2.png": 9, f"cats/{junk}/1.png": 9}
    )
    assert read(root, **GREY).class_names == ("cats",)
    assert left_out(root) == f"2 {junk}/"


def test_folders_without_pictures_and_those_within_classes_are_named(tmp_path: Path) -> None:
    root = write(
        tmp_path, {"cats/1.png": 1, "cats/more/2.png": 2, "cats/more/raw/3.png": 3, "cats/notes/a.txt": 4}
    )
    (root / "dogs").mkdir()
    empty(root, "scripts/a.py")
    assert left_out(root) == "1 .py, folders dogs/, scripts/, cats/more/ (pictures: 2), cats/notes/"


def test_folders_beside_pictures_are_named(tmp_path: Path) -> None:
    root = write(tmp_path, {"1.png": 1, "more/deep/2.png": 2})
    assert left_out(root) == "folders more/ (pictures: 1)"


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (
            ["dogs/kaggle/1.jpg", "dogs/kaggle/2.jpg"],
            "dogs: holds no picture that is read, but 2 in kaggle/: this class",
        ),
        (["dogs/1.heic", "dogs/2.heic"], "dogs: holds no picture that is read, but 2 .heic: this class"),
        (
            ["dogs/1.NEF", "dogs/a/2.jpg"],
            "dogs: holds no picture that is read, but 1 in a/, 1 .nef: this class",
        ),
        (["dogs/a/b/c/1.avif"], "dogs: holds no picture that is read, but 1 .avif: this class"),
    ],
)
def test_a_class_that_would_be_lost_is_an_error(tmp_path: Path, names: list[str], says: str) -> None:
    root = empty(write(tmp_path, {"cats/1.png": 1}), *names)
    text = refusal(root)
    assert f"{root}/{says} would be missing; " in text
    assert "convert others to JPEG or PNG" in text


def test_a_folder_of_splits_says_where_its_classes_are(tmp_path: Path) -> None:
    root = write(tmp_path, {"train/cats/1.png": 1, "test/cats/1.png": 1})
    empty(root, "readme.md")
    text = refusal(root)
    assert "those below test/, train/ lie too deep: name a folder of classes; found 1 .md" in text


def test_a_folder_of_other_formats_says_which(tmp_path: Path) -> None:
    assert refusal(empty(tmp_path, "1.heic", "2.heic")).endswith(
        "found 2 .heic (convert them: magick mogrify -format jpg *.heic; or macOS: sips -s format jpeg)"
    )


def test_looking_below_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_folder, "LOOKED_AT", 5)
    root = write(tmp_path, {"1.png": 1, **{f"more/{n}.png": 1 for n in range(9)}})
    (root / "more" / "loop").symlink_to(root)
    assert "more" in refusal(root)
    (root / "1.png").rename(root / "more" / "10.png")
    (root / "more").rename(root / "cats")
    write(root, {"cats/deep/1.png": 1, **{f"cats/deep/{n}.png": 1 for n in range(9)}})
    assert left_out(root) == "folders cats/deep/ (pictures: 5), cats/loop/ (pictures: 5)"


def test_many_classes_are_not_all_named(tmp_path: Path) -> None:
    dataset = read(write(tmp_path, {f"{n:02}/1.png": 1 for n in range(30)}), **GREY, crop="none")
    assert dataset.summary.startswith(
        "30 pictures 8x8x1 (each squeezed into a square, sides of 9 pixels), 30 classes (00: 1, 01: 1, "
    )
    assert dataset.summary.endswith("09: 1, and 20 more)")
