"""A folder of pictures as a data set: what is listed, and when it is decoded."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gandist.activity import Activity
from gandist.data import _sizes, image_folder, load
from gandist.errors import DataError
from tests.data import pictures
from tests.data.pictures import GREY, count_decoding, grey, levels, read, refusal, write


def test_sub_folders_are_classes_in_the_order_of_names(tmp_path: Path) -> None:
    root = write(tmp_path, {"b/2.png": 4, "b/10.png": 3, "B/x.png": 1, "a/1.png": 2})
    dataset = read(root, **GREY)
    assert dataset.class_names == ("B", "a", "b")
    assert levels(dataset) == [1, 2, 3, 4]
    assert dataset.labels.tolist() == [0, 1, 2, 2]
    assert dataset.labels.dtype == np.int32
    assert dataset.held_out.shape == (0, 8, 8, 1)
    assert isinstance(dataset.images, np.memmap)
    assert not dataset.images.flags.writeable


def test_pictures_of_one_folder_have_no_class(tmp_path: Path) -> None:
    dataset = read(write(tmp_path, {"b.png": 2, "a.png": 1}), **GREY)
    assert (dataset.class_names, dataset.labels.tolist()) == ((), [0, 0])
    assert levels(dataset) == [1, 2]


def test_what_is_looked_at(tmp_path: Path) -> None:
    """Extensions in either case, and links; not what is hidden, deeper, no picture, or without pictures."""
    names = ["a/1.PNG", "a/2.JpEg", "a/.hidden.png", ".git/1.png", "a/deep/1.png", "a/Thumbs.db", "a/1.txt"]
    root = write(tmp_path / "root", dict.fromkeys(names, 1))
    write(tmp_path, {"elsewhere/1.png": 9})
    (root / "empty").mkdir()
    (root / "readme.txt").write_text("")
    (root / "linked").symlink_to(tmp_path / "elsewhere")
    (root / "a" / "3.png").symlink_to(tmp_path / "elsewhere" / "1.png")
    (root / "a" / "loop").symlink_to(root)
    (root / "itself").symlink_to("itself")
    dataset = read(root, **GREY)
    assert dataset.class_names == ("a", "linked")
    assert levels(dataset) == [1, 1, 9, 9]


def test_the_path_is_below_the_data_directory_or_absolute(tmp_path: Path) -> None:
    write(tmp_path, {"faces/1.png": 5})
    relative = image_folder.Options(path="faces", image_size=8)
    assert levels(load(relative, tmp_path)) == [5]
    absolute = image_folder.Options(path=str(tmp_path / "faces"), image_size=8)
    assert levels(load(absolute, tmp_path / "nowhere")) == [5]
    with pytest.raises(DataError, match="faces: no such folder beside the job file or in the current direct"):
        load(relative, None)


def test_a_path_is_looked_for_below_the_data_directory_then_beside_the_job_file_then_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("data", "jobs", "here"):
        write(tmp_path, {f"{folder}/faces/1.png": 5})
    monkeypatch.chdir(tmp_path / "here")
    data, jobs = tmp_path / "data", tmp_path / "jobs"
    options = image_folder.Options(path="faces", image_size=8)
    assert options.located([jobs, Path()], data).path == "faces"
    assert options.located([jobs, Path()], None).path == str(jobs / "faces")
    assert options.located([jobs, Path()], tmp_path).path == str(jobs / "faces")
    assert options.located([data / "faces", Path()], None).path == str(tmp_path / "here" / "faces")
    assert options.located([data / "faces"], None).path == "faces"
    assert options.model_copy(update={"path": "x\0"}).located([jobs], data).path == "x\0"
    absolute = options.model_copy(update={"path": str(data)})
    assert absolute.located([jobs], None).path == str(data)


def test_what_sizes_the_pictures_had_is_told_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    for name, sides in {"a": (100, 40), "b": (4000, 300), "c": (6, 90)}.items():
        (tmp_path / f"{name}.png").write_bytes(pictures.encoded(Image.new("L", sides, 9)))
    (tmp_path / "rotten.png").write_bytes(b"")
    options = {**GREY, "max_unreadable": 1.0}
    told = ", sides of 6 to 4,000 pixels; 1 of them smaller than 8 and enlarged)"
    assert told in read(tmp_path, **options).summary
    monkeypatch.setattr(_sizes, "_sides", lambda _: 1 / 0)
    assert told in read(tmp_path, **options).summary
    (kept,) = cache.rglob(_sizes.KEPT)
    monkeypatch.setattr(_sizes, "_sides", lambda _: (8, 8))
    monkeypatch.setattr(_sizes, "MOST", 2)
    kept.write_bytes(b"\x1b[2J")  # by someone else
    assert ", sides of about 8 pixels)" in read(tmp_path, **options).summary


def test_options_say_what_becomes_of_a_picture(tmp_path: Path) -> None:
    picture = Image.new("RGB", (40, 20), "blue")
    picture.paste((255, 0, 0), (10, 0, 30, 20))
    (tmp_path / "a.png").write_bytes(pictures.encoded(picture))
    cropped = read(tmp_path, image_size=16)
    assert cropped.images.shape == (1, 16, 16, 3)
    assert cropped.images[0, 8, 8].tolist() == [255, 0, 0]
    assert cropped.images[..., 0].mean() > 250
    squeezed = read(tmp_path, image_size=16, crop="none")
    assert 120 < squeezed.images[..., 0].mean() < 135
    assert read(tmp_path, channels=1).images.shape == (1, 64, 64, 1)


def test_some_pictures_are_held_out_by_their_content(tmp_path: Path) -> None:
    """Which, names and further pictures do not decide; they are the others' set as if they were not there."""
    names = [f"{kind}/{level}.png" for kind in "ab" for level in range(10)]
    root = write(tmp_path / "here", {name: 20 * at for at, name in enumerate(names)})
    split, whole = read(root, **GREY, held_out=5), read(root, **GREY)
    unseen = split.held_out[:, 0, 0, 0].tolist()
    assert (len(split), len(unseen), split.labels.dtype) == (15, 5, np.int32)
    assert sorted(levels(split) + unseen) == levels(whole)
    assert levels(split) == sorted(levels(split))
    assert split.labels.tolist() == [int(level >= 200) for level in levels(split)]
    assert isinstance(split.held_out, np.memmap)
    assert split.summary.endswith("5 held out")
    last = write(tmp_path / "there", {f"{level in unseen}{level:03}.png": level for level in levels(whole)})
    renamed = read(last, **GREY, held_out=5)
    assert sorted(renamed.held_out[:, 0, 0, 0]) == sorted(unseen)
    assert len({read(last, **GREY, held_out=count).fingerprint for count in (0, 4, 5)}) == 3


@pytest.mark.parametrize(
    ("names", "count", "expected"),
    [
        (["a.png", "b.png"], 3, "3 of 2 pictures leave none to train on; give fewer"),
        (["a/1.png", "b/1.png"], 1, "1 of 2 pictures leave none of [ab] to train on; give fewer"),
    ],
)
def test_held_out_pictures_that_leave_none_are_refused(
    tmp_path: Path, names: list[str], count: int, expected: str
) -> None:
    refused = refusal(write(tmp_path, dict.fromkeys(names, 1)), **GREY, held_out=count)
    assert re.search(f"data.held_out: {expected}", refused)


def test_a_set_is_decoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    root = write(tmp_path, {"a.png": 1, "b.png": 2})
    decoded = count_decoding(monkeypatch)
    first = read(root, **GREY)
    again = read(root, **GREY, batch_size=3, max_unreadable=0.5)
    assert len(decoded) == 2
    assert first.fingerprint == again.fingerprint
    np.testing.assert_array_equal(first.images, again.images)
    assert len(list((cache / "image_folder").iterdir())) == 1


@pytest.mark.parametrize(
    "options", [{"channels": 3}, {"image_size": 9}, {"crop": "none"}], ids=["channels", "image_size", "crop"]
)
def test_other_options_are_another_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, object]
) -> None:
    root = write(tmp_path, {"a.png": 1})
    read(root, **GREY)
    decoded = count_decoding(monkeypatch)
    read(root, **{**GREY, **options})
    assert len(decoded) == 1


def longer(root: Path) -> None:
    """Of the same time."""
    path = root / "a.png"
    changed = path.stat().st_mtime_ns
    path.write_bytes(grey(1) + b" ")
    os.utime(path, ns=(changed, changed))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda root: pictures.touch(root / "a.png", grey(9)), [9, 2]),
        (longer, [1, 2]),
        (lambda root: (root / "a.png").rename(root / "c.png"), [2, 1]),
        (lambda root: (root / "a.png").unlink(), [2]),
        (lambda root: write(root, {"0.png": 7}), [7, 1, 2]),
    ],
    ids=["altered", "longer", "renamed", "deleted", "added"],
)
def test_any_change_of_a_file_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: object, expected: list[int]
) -> None:
    root = write(tmp_path, {"a.png": 1, "b.png": 2})
    read(root, **GREY)
    decoded = count_decoding(monkeypatch)
    change(root)  # type: ignore[operator]
    assert levels(read(root, **GREY)) == expected
    assert len(decoded) == len(expected)


def test_another_pil_decodes_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write(tmp_path, {"a.png": 1})
    read(root, **GREY)
    monkeypatch.setattr("PIL.__version__", "99")
    decoded = count_decoding(monkeypatch)
    read(root, **GREY)
    assert len(decoded) == 1


def test_a_few_unreadable_files_are_left_out_and_listed(tmp_path: Path, cache: Path) -> None:
    root = pictures.folder(tmp_path / "shapes", rotten=True)
    for _ in range(2):  # decoded, and found
        dataset = read(root, image_size=8, max_unreadable=0.2)
        assert np.bincount(dataset.labels).tolist() == [12, 12]
        [line] = dataset.left_out
        assert f"{root}: left out 4 of 28 pictures (14.29%)" in line
        assert "circles/rotten_empty.jpg: cannot identify image file" in line
        assert "rotten_cut" not in line
    [listed] = cache.rglob("rejected.txt")
    assert str(listed) in line
    assert [name.partition(":")[0] for name in listed.read_text().splitlines()] == [
        *(f"circles/{name}" for name in sorted(pictures.ROTTEN)),
        "squares/rotten_cut.jpg",
    ]


def test_pictures_beside_folders_of_other_things_are_fine(tmp_path: Path) -> None:
    root = write(tmp_path, {"1.png": 1, "__MACOSX/._1.png": 2, "notes/1.txt": 3})
    assert (levels(read(root, **GREY)), read(root, **GREY).class_names) == ([1], ())


def test_names_of_any_bytes_are_read_and_shown(tmp_path: Path) -> None:
    write(tmp_path, {os.fsdecode(b"\xff.png"): 1, "a\nb.png": 2})
    (tmp_path / "c\x1b[31m\n.png").write_bytes(b"")
    dataset = read(tmp_path, **GREY, max_unreadable=0.5)
    assert levels(dataset) == [2, 1]
    [line] = dataset.left_out
    assert line.isprintable()
    assert r"c\x1b[31m\n.png" in line


def test_the_cache_is_where_caches_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write(tmp_path / "root", {"1.png": 1})
    monkeypatch.delenv("GANDIST_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    read(root)
    assert (tmp_path / "xdg" / "gandist" / "image_folder").is_dir()
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    read(root)
    assert (tmp_path / "home" / ".cache" / "gandist" / "image_folder").is_dir()


def test_what_takes_long_is_told(tmp_path: Path) -> None:
    told: list[Activity] = []
    root = write(tmp_path, {"1.png": 1, "2.png": 2})
    load(image_folder.Options(path=str(root)), None, told.append)
    for what in ("looking at", "reading", "decoding"):
        assert [str(activity) for activity in told if activity.what == f"{what} pictures"] == [
            f"{what} pictures 1/2",
            f"{what} pictures 2/2",
        ]
    assert "checking images" in {activity.what for activity in told}
    assert len({str(activity) for activity in told}) > 6
