"""``gandist data``: what the networks will see, as a file."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gandist.artifacts.images import decode_png
from tests.conftest import CommandLine

COLOURS = [(200, 0, 0), (0, 200, 0), (0, 0, 200)]


@pytest.fixture(autouse=True)
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A job, beside it three pictures of one colour each, in whose left half stands a darker one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GANDIST_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "mine").mkdir()
    for name, colour in enumerate(COLOURS):
        picture = Image.new("RGB", (60, 40), colour)
        picture.paste(tuple(value // 2 for value in colour), (0, 0, 30, 40))
        picture.save(tmp_path / "mine" / f"{name}.png")
    file = tmp_path / "job.yaml"
    file.write_text(
        "name: a\ndata: {name: image_folder, path: mine, image_size: 32}\nmodel: {name: mlp}\n"
        "training: {steps: 1}\naugmentation: {name: diff_augment, policy: [flip]}\n"
    )
    return file


def test_a_grid_of_what_the_networks_see(
    command_line: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "gandist.training.augmented", None)  # nor TensorFlow
    code, out, err = command_line("data", "job.yaml", "--out", "grid.png")
    assert (code, err) == (0, [])
    assert out[0].startswith("data: 3 pictures 32x32x3 (each cut to its largest centred square, sides of 40")
    assert out[1:] == ["3 of 3 pictures: grid.png"]
    grid = decode_png((tmp_path / "grid.png").read_bytes())
    assert {tuple(grid[y, x]) for y in (20, 100) for x in (60, 128)} == {*COLOURS, (255, 255, 255)}
    assert command_line("data", "job.yaml", "--out", "each/", "--n", "2")[0] == 0
    assert sorted(path.name for path in (tmp_path / "each").iterdir()) == ["00000.png", "00001.png"]


@pytest.mark.parametrize("out", ["mine/new.png", "mine/new/", "full/"])
def test_nobodys_pictures_are_replaced_nor_joined(
    command_line: CommandLine, job: Path, tmp_path: Path, out: str
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "00000.png").write_bytes(b"a picture")
    (tmp_path / "mine" / "new").mkdir()
    code, _, err = command_line("data", "job.yaml", "--out", out)
    assert code == 2
    assert err[0].startswith(f"--out {out}: ")
    assert (tmp_path / "full" / "00000.png").read_bytes() == b"a picture"
    assert len(list((tmp_path / "mine").rglob("*.png"))) == 3


def test_a_picture_stands_beside_what_the_discriminator_sees(
    command_line: CommandLine, tmp_path: Path, devices: None
) -> None:
    assert command_line("data", "job.yaml", "--out", "a.npy", "--augmented")[0] == 0
    pairs = np.load(tmp_path / "a.npy")
    assert pairs.shape == (3, 32, 66, 3)
    left, white, right = np.split(pairs, [32, 34], axis=2)
    assert (white == 255).all()
    flipped = [bool((one == other[:, ::-1]).all()) for one, other in zip(left, right, strict=True)]
    same = [bool((one == other).all()) for one, other in zip(left, right, strict=True)]
    assert [not it for it in flipped] == same
    assert any(flipped)
    code, out, _ = command_line(
        *("data", "job.yaml", "--out", "b.npy", "--augmented", "--set", "augmentation={name: ada}")
    )
    assert (code, out[-1]) == (0, "3 of 3 pictures, each beside itself after ada: b.npy")
    left, _, right = np.split(np.load(tmp_path / "b.npy"), [32, 34], axis=2)
    assert not np.array_equal(left, right)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--out", "a.jpg"], "--out a.jpg: its name ends in none of .png, .gif, .mp4, .npy, or / for a PNG"),
        (["--out", "a.png", "--augmented", "--set", "augmentation=null"], "--augmented: the job has no augm"),
        (["--out", "a.png", "--set", "data.path=none"], "data.path: none: no such folder beside the job"),
        (
            ["--out", "a.png", "--n", "10000", "--set", "data.image_size=1024"],
            "--n 10000: that is 31,457,280",
        ),
    ],
)
def test_what_cannot_be_shown_is_one_line(command_line: CommandLine, arguments: list[str], line: str) -> None:
    code, _, err = command_line("data", "job.yaml", *arguments)
    assert code in (1, 2)
    assert len(err) == 1
    assert err[0].startswith(line)
    assert not list(Path().glob("a.*"))
