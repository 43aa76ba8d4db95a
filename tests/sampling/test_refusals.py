"""``gandist sample``: what it refuses, each in one line, with nothing written."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gandist.artifacts.job_dir import TrialDir
from tests.conftest import CommandLine
from tests.sampling.conftest import made, rename


def trial_yaml(change: Callable[[str], str]) -> None:
    path = Path("classes/trials/base-seed0/trial.yaml")
    path.write_text(change(path.read_text()))


def reshape(shape: list[int]) -> None:
    path = Path("classes/trials/base-seed0/dataset.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), "image_shape": shape}))


def generator(name: str = "classes/trials/base-seed0") -> Path:
    return Path(name) / TrialDir.GENERATOR


TEN = "0, 1, 2, 3, 4, 5, 6, 7, 8, 9"
RULE = "only a completed trial has one"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ("plain", "--out mine.jpg: its name ends in none of .png, .gif, .mp4, .npy, or / for a PNG each"),
        ("plain --out mine", "--out mine: its name ends in none of .png, .gif, .mp4, .npy, or /"),
        ("plain --fps 10", "--fps 10: only a .gif or an .mp4 moves; leave it out"),
        ("plain --between 3", "--between 3: give two or more numbers of images, such as 17,42,3"),
        ("plain --between 3,x", "--between 3,x: give two or more numbers of images"),
        ("plain --between 3,10000", "--between 3,10000: give two or more numbers of images"),
        ("plain --scale 0", "gandist sample: Invalid value for '--scale'"),
        ("classes --between 1,2", "--between: base-seed0 is conditional, and a path stays within one"),
        ("plain --out none/x.png", "--out none/x.png: there is no directory none; make it first"),
        ("plain --out folder.png", "--out folder.png: a directory; give a file in it"),
        (f"plain --out {'x' * 300}.png", f"--out {'x' * 300}.png: File name too long"),
        ("none", "none/manifest.json: no such file; is none a job directory?"),
        (
            "plain --trial base-seed9",
            "--trial base-seed9: plain has no such trial; it has base-seed0, base-seed1, ",
        ),
        ("plain --trial ../base-seed1", "--trial ../base-seed1: plain has no such trial"),
        (
            "plain --trial base-seed0",
            f"--trial base-seed0: has exported no generator: running, step 1 of 2; {RULE}",
        ),
        ("plain --trial base-seed3", f"--trial base-seed3: has exported no generator: queued; {RULE}"),
        (
            "plain --label 7",
            "--label 7: base-seed1 is unconditional: it cannot choose a class; leave it out, or",
        ),
        ("classes --label 12", f"--label 12: no such class; base-seed0 has {TEN} (did you mean 2?)"),
        ("classes --label -1", f"--label -1: no such class; base-seed0 has {TEN}"),
        (
            "classes --label 3 --label 7 --n 1",
            "--n 1: fewer images than labels (2); give at least one a label",
        ),
        (
            "classes --interpolate",
            "--interpolate: base-seed0 is conditional, and a path stays within one class; ",
        ),
        ("classes --interpolate --label 3 --label 7", "--interpolate: base-seed0 is conditional, and a path"),
        (
            "plain --checkpoint best",
            "plain: no trial has exported a best generator: 1 running, 2 completed, 1 queued; only a trial "
            "that was evaluated with evaluation.select has one",
        ),
        (
            "plain --truncation 0.7",
            "--truncation 0.7: the generator of model mlp has no mean style to pull towards; leave it out",
        ),
        ("plain --truncation 3", "gandist sample: Invalid value for '--truncation'"),
        ("plain --checkpoint first", "gandist sample: Invalid value for '--checkpoint'"),
        ("plain --n 0", "gandist sample: Invalid value for '--n'"),
        ("plain --n 10001", "gandist sample: Invalid value for '--n'"),
        ("plain --seed -1", "gandist sample: Invalid value for '--seed'"),
        ("plain --seed 2147483648", "gandist sample: Invalid value for '--seed'"),
    ],
)
def test_wrong_usage_is_one_line_and_nothing_is_written(
    sample: CommandLine, arguments: str, line: str
) -> None:
    Path("folder.png").mkdir()
    Path("mine.png").write_bytes(b"mine")
    before = sorted(Path().rglob("*"))
    out = [] if "--out" in arguments else ["--out", "mine.jpg" if arguments == "plain" else "mine.png"]
    code, printed, err = sample(*arguments.split(), *out)
    assert (code, printed, len(err)) == (2, [], 1)
    assert err[0].startswith(line)
    assert (Path("mine.png").read_bytes(), sorted(Path().rglob("*"))) == (b"mine", before)


def truncate() -> None:
    generator().write_bytes(generator().read_bytes()[:-1000])


def exchange() -> None:
    generator().write_bytes(generator("plain/trials/base-seed1").read_bytes())


@pytest.mark.parametrize(
    ("spoil", "code", "line"),
    [
        (truncate, 1, "generator.keras: damaged: not an exported generator any more; copy it anew, or train"),
        (exchange, 1, "generator.keras: the generator has "),
        (
            lambda: trial_yaml(lambda text: text.replace("  width:", "  colour: 3\n  width:")),
            2,
            "trial.yaml: model.colour: unknown key; allowed here: ",
        ),
        (
            lambda: trial_yaml(lambda text: text.replace("width: 2", "width: 0")),
            2,
            "trial.yaml: model.width: 0 is ",
        ),
        (lambda: trial_yaml(lambda text: f"{text}x: !!python/name:os.system\n"), 2, "trial.yaml: line "),
        (lambda: trial_yaml(lambda _: "[" * 10_000), 2, "trial.yaml: nested more than"),
        (lambda: trial_yaml(lambda _: "- 1\n"), 2, "trial.yaml: "),
        (lambda: trial_yaml(lambda _: ""), 2, "trial.yaml: "),
        (
            lambda: Path("classes/trials/base-seed0/trial.yaml").write_bytes(b"\xff"),
            2,
            "trial.yaml: 'utf-8' codec",
        ),
        (
            lambda: Path("classes/trials/base-seed0/trial.yaml").unlink(),
            2,
            "trial.yaml: no such file; is classes/trials/base-seed0 a trial's directory?",
        ),
        (
            lambda: Path("classes/trials/base-seed0/dataset.json").unlink(),
            2,
            "dataset.json: no such file; without",
        ),
        (lambda: reshape([0, 28, 1]), 1, "dataset.json: does not describe a data set"),
        (lambda: reshape([9_000_000, 28, 1]), 2, "dataset.json: images of 9000000x28x1; gandist makes"),
        (lambda: reshape([28, 28, 4]), 2, "dataset.json: images of 28x28x4; gandist makes"),
        (
            lambda: reshape([30, 28, 1]),
            2,
            "model",
        ),
        (lambda: rename(["only one"]), 1, "generator.keras: the generator has "),
        (lambda: rename([]), 2, "model.conditional: the data set has no classes"),
    ],
)
def test_a_spoilt_trial_is_one_line_and_nothing_is_written(
    sample: CommandLine, spoil: Callable[[], None], code: int, line: str
) -> None:
    Path("mine.png").write_bytes(b"mine")
    spoil()
    before = sorted(Path().rglob("*"))
    found, printed, err = sample("classes", "--out", "mine.png")
    assert (found, printed, len(err)) == (code, [], 1)
    assert err[0].removeprefix("classes/trials/base-seed0/").startswith(line)
    assert (Path("mine.png").read_bytes(), sorted(Path().rglob("*"))) == (b"mine", before)


def test_a_job_none_of_whose_trials_has_a_generator(sample: CommandLine) -> None:
    for seed in (1, 2):
        generator(f"plain/trials/base-seed{seed}").unlink()
    code, _, err = sample("plain", "--out", "x.png")
    assert (code, err) == (
        2,
        [f"plain: no trial has exported a generator: 1 running, 2 completed, 1 queued; {RULE}"],
    )


def test_names_that_would_steer_a_terminal_are_shown_as_text(sample: CommandLine) -> None:
    rename(["\x1b[31mred\nline", *"123456789"])
    code, _, err = sample("classes", "--label", "green", "--out", "x.png")
    assert (code, len(err)) == (2, 1)
    assert "\\x1b[31mred\\nline, 1, 2" in err[0]
    code, out, _ = sample("classes", "--label", "0", "--n", "1", "--out", "x.png")
    assert out == ["1 image of \\x1b[31mred\\nline from base-seed0 at step 2: x.png"]


def test_no_model_is_built_as_the_file_says(sample: CommandLine) -> None:
    """The file's own configuration is what ``keras.models.load_model`` would run."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(generator()) as whole, zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("model.weights.h5", whole.read("model.weights.h5"))
        archive.writestr("config.json", '{"class_name": "Lambda", "config": {"function": "os.abort"}}')
    expected = made(sample, "classes")
    generator().write_bytes(buffer.getvalue())
    np.testing.assert_array_equal(made(sample, "classes"), expected)


def test_more_pixels_than_memory_is_for_are_refused(sample: CommandLine) -> None:
    reshape([1024, 1024, 3])
    code, _, err = sample("classes", "--n", "400", "--out", "x.npy")
    assert (code, err) == (2, ["--n 400: that is 1,258,291,200 bytes in memory; give at most 341"])


def test_a_file_that_cannot_be_written_is_one_line(sample: CommandLine) -> None:
    name = "x" * 245 + ".png"  # a name that the file system takes, but no longer one beside it
    code, out, err = sample("plain", "--n", "1", "--out", name)
    assert (code, out, len(err)) == (1, [], 1)
    assert err[0].startswith(f"./{name}: cannot be written: ")
    assert list(Path().glob("x*")) == []


def test_wrong_input_is_refused_without_tensorflow(jobs: Path) -> None:
    code = (
        "import sys; from gandist import cli\n"
        "try: cli.main()\n"
        "except SystemExit as left: print(left.code, [m for m in ('ray', 'tensorflow') if m in sys.modules])"
    )
    for arguments in (["classes", "--label", "x"], ["classes", "--trial", "x"], ["plain", "--label", "1"]):
        command = [sys.executable, "-c", code, "sample", *arguments, "--out", "x.png"]
        done = subprocess.run(command, capture_output=True, text=True, cwd=jobs)
        assert done.stdout == "2 []\n", done.stderr
