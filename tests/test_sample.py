"""``gandist sample``: what it makes, what it prints, and what it refuses."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest

from gandist import cli
from gandist.artifacts import images
from gandist.artifacts.job_dir import JobDir, TrialDir, TrialState
from gandist.spec import TrialSpec
from tests.training.conftest import tiny_trial
from tests.training.trials import train

Sample = Callable[..., tuple[int, list[str], list[str]]]


@pytest.fixture(scope="module")
def jobs(devices: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Jobs ``plain`` and ``classes``, a conditional one, in one directory.

    In ``plain`` base-seed0 is still running, seeds 1 and 2 are completed, seed 3 has not begun.
    """
    root = tmp_path_factory.mktemp("jobs")
    steps = {"steps": 2, "generator_ema": 0.9}
    plain = [tiny_trial(seed, training=steps) for seed in range(4)]
    conditional = [tiny_trial(model={"conditional": True}, training=steps)]
    for name, trials, trained in (("plain", plain, plain[1:3]), ("classes", conditional, conditional)):
        job = JobDir(str(root / name))
        for trial in trained:
            train(trial, root / name)
        job.write_job({"name": name}, {"job": name, "trials": [{"id": trial.id} for trial in trials]})
    JobDir(str(root / "plain")).trial("base-seed0").write_state(
        TrialState(status="running", step=1, total_steps=2)
    )
    return root


@pytest.fixture
def sample(
    jobs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Sample:
    """Runs ``gandist sample`` in a directory with copies of the jobs; exit code, stdout, stderr as lines."""
    for name in ("plain", "classes"):
        shutil.copytree(jobs / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, list[str], list[str]]:
        monkeypatch.setattr(sys, "argv", ["gandist", "sample", *arguments])
        with pytest.raises(SystemExit) as left:
            cli.main()
        out, err = capfd.readouterr()
        return int(left.value.code or 0), out.splitlines(), err.splitlines()

    return run


def made(sample: Sample, *arguments: str) -> np.ndarray:
    assert sample(*arguments, "--out", "made.npy")[::2] == (0, [])
    array: np.ndarray = np.load("made.npy")
    return array


def test_a_grid_from_the_first_trial_that_has_a_generator(sample: Sample) -> None:
    code, out, err = sample("plain", "--out", "digits.png")
    assert (code, err) == (0, [])
    assert out == ["64 images from base-seed1 at step 2 (--trial takes another of the 4 trials): digits.png"]
    png = images.decode_png(Path("digits.png").read_bytes())
    np.testing.assert_array_equal(png, images.grid(made(sample, "plain"), 8, 8, scale=2))


def test_a_trial_by_its_name(sample: Sample) -> None:
    code, out, _ = sample("plain", "--trial", "base-seed2", "--n", "1", "--out", "one.PNG")
    assert (code, out) == (0, ["1 image from base-seed2 at step 2: one.PNG"])
    assert images.decode_png(Path("one.PNG").read_bytes()).shape == (2 * 32, 2 * 32)
    other, same = (made(sample, "plain", "--trial", f"base-seed{k}") for k in (2, 1))
    assert (other != same).any()


def test_images_are_a_function_of_seed_and_index(sample: Sample) -> None:
    many = made(sample, "plain", "--n", "40", "--seed", "5")
    assert (many.dtype, many.shape) == (np.uint8, (40, 28, 28, 1))
    assert many.std() > 1
    np.testing.assert_array_equal(made(sample, "plain", "--n", "8", "--seed", "5"), many[:8])
    assert (made(sample, "plain", "--n", "40") != many).any()


def test_the_images_are_those_of_the_generator_that_keras_loads(sample: Sample) -> None:
    import keras

    from gandist.training import generate

    model = keras.models.load_model("classes/trials/base-seed0/generator.keras")
    inputs = [generate.draw(0, 32, 6), np.arange(32, dtype=np.int32) % 10]
    expected = np.rint((model(inputs, training=False).numpy() + 1) * 127.5).clip(0, 255)
    np.testing.assert_array_equal(made(sample, "classes", "--n", "32"), expected)


def test_another_process_makes_the_same_file_in_silence(sample: Sample, tmp_path: Path) -> None:
    arguments = ["sample", "classes", "--n", "9", "--out"]
    assert sample(*arguments[1:], "here.png")[0] == 0
    command = [sys.executable, "-m", "gandist", *arguments, "there.png"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "9 images from base-seed0 at step 2: there.png\n"
    assert Path("there.png").read_bytes() == Path("here.png").read_bytes()


class TestClasses:
    def test_take_turns(self, sample: Sample) -> None:
        turns, threes = (
            made(sample, "classes", "--n", "14"),
            made(sample, "classes", "--n", "14", "--label", "3"),
        )
        assert [k for k in range(14) if (turns[k] == threes[k]).all()] == [3, 13]

    def test_share_the_images_in_the_order_given(self, sample: Sample) -> None:
        code, out, _ = sample("classes", "--label", "7", "--label", "3", "--n", "5", "--out", "made.npy")
        assert (code, out) == (0, ["5 images of 7, 3 from base-seed0 at step 2: made.npy"])
        both = np.load("made.npy")
        for label, its in (("7", slice(0, 3)), ("3", slice(3, 5))):
            np.testing.assert_array_equal(
                both[its], made(sample, "classes", "--label", label, "--n", "5")[its]
            )

    def test_have_names_which_come_before_indices(self, sample: Sample) -> None:
        rename(["a", "b", "1", *"3456789"])
        by_name, by_index, other = (made(sample, "classes", "--label", label) for label in ("1", "2", "b"))
        np.testing.assert_array_equal(by_name, by_index)
        assert (by_name != other).any()


class TestInterpolation:
    def test_rows_begin_with_the_seeds_latents_and_lead_to_the_next_row(self, sample: Sample) -> None:
        path, ends = made(sample, "plain", "--n", "64", "--interpolate"), made(sample, "plain", "--n", "8")
        np.testing.assert_array_equal(path[::8], ends)
        code, out, _ = sample("plain", "--interpolate", "--out", "path.png")
        assert code == 0
        assert out[0].startswith("64 images along a path from base-seed1 at step 2 ")
        png = images.decode_png(Path("path.png").read_bytes())
        np.testing.assert_array_equal(png, images.grid(path, 8, 8, scale=2))

    def test_a_gif_is_a_film_of_it_without_an_end(self, sample: Sample) -> None:
        path = made(sample, "plain", "--n", "30", "--interpolate")
        assert sample("plain", "--n", "30", "--interpolate", "--out", "path.gif")[0] == 0
        shown = iio.imread("path.gif", index=None)
        told = iio.immeta("path.gif", index=0)
        assert (told["loop"], told["duration"]) == (0, 60)
        np.testing.assert_array_equal(shown[0, ::9, ::9, 0], path[0, ..., 0])
        np.testing.assert_array_equal(shown[-1, ::9, ::9, 0], path[-1, ..., 0])

    def test_stays_within_one_class(self, sample: Sample) -> None:
        path = made(sample, "classes", "--label", "3", "--interpolate", "--n", "16")
        np.testing.assert_array_equal(path[::4], made(sample, "classes", "--label", "3", "--n", "4"))


def test_a_generator_of_a_trial_that_goes_on_is_not_said_to_be_of_its_step(sample: Sample) -> None:
    trial = JobDir("classes").trial("base-seed0")
    trial.write_state(TrialState(status="running", step=3, total_steps=9))
    assert sample("classes", "--out", "x.png")[1] == [
        "64 images from base-seed0 at an earlier end (the trial has gone on: running, step 3 of 9): x.png"
    ]


def trial_yaml(change: Callable[[str], str]) -> None:
    path = Path("classes/trials/base-seed0/trial.yaml")
    path.write_text(change(path.read_text()))


def rename(names: list[str]) -> None:
    path = Path("classes/trials/base-seed0/dataset.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), "class_names": names}))


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
        ("plain", "--out mine.jpg: its name ends in none of .png, .gif, .npy"),
        ("plain --out mine", "--out mine: its name ends in none of .png, .gif, .npy"),
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
        ("plain --n 0", "gandist sample: Invalid value for '--n'"),
        ("plain --n 10001", "gandist sample: Invalid value for '--n'"),
        ("plain --seed -1", "gandist sample: Invalid value for '--seed'"),
        ("plain --seed 2147483648", "gandist sample: Invalid value for '--seed'"),
    ],
)
def test_wrong_usage_is_one_line_and_nothing_is_written(sample: Sample, arguments: str, line: str) -> None:
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
    sample: Sample, spoil: Callable[[], None], code: int, line: str
) -> None:
    Path("mine.png").write_bytes(b"mine")
    spoil()
    before = sorted(Path().rglob("*"))
    found, printed, err = sample("classes", "--out", "mine.png")
    assert (found, printed, len(err)) == (code, [], 1)
    assert err[0].removeprefix("classes/trials/base-seed0/").startswith(line)
    assert (Path("mine.png").read_bytes(), sorted(Path().rglob("*"))) == (b"mine", before)


def test_a_job_none_of_whose_trials_has_a_generator(sample: Sample) -> None:
    for seed in (1, 2):
        generator(f"plain/trials/base-seed{seed}").unlink()
    code, _, err = sample("plain", "--out", "x.png")
    assert (code, err) == (
        2,
        [f"plain: no trial has exported a generator: 1 running, 2 completed, 1 queued; {RULE}"],
    )


def test_names_that_would_steer_a_terminal_are_shown_as_text(sample: Sample) -> None:
    rename(["\x1b[31mred\nline", *"123456789"])
    code, _, err = sample("classes", "--label", "green", "--out", "x.png")
    assert (code, len(err)) == (2, 1)
    assert "\\x1b[31mred\\nline, 1, 2" in err[0]
    code, out, _ = sample("classes", "--label", "0", "--n", "1", "--out", "x.png")
    assert out == ["1 image of \\x1b[31mred\\nline from base-seed0 at step 2: x.png"]


def test_no_model_is_built_as_the_file_says(sample: Sample) -> None:
    """The file's own configuration is what ``keras.models.load_model`` would run."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(generator()) as whole, zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("model.weights.h5", whole.read("model.weights.h5"))
        archive.writestr("config.json", '{"class_name": "Lambda", "config": {"function": "os.abort"}}')
    expected = made(sample, "classes")
    generator().write_bytes(buffer.getvalue())
    np.testing.assert_array_equal(made(sample, "classes"), expected)


def test_more_pixels_than_memory_is_for_are_refused(sample: Sample) -> None:
    reshape([1024, 1024, 3])
    code, _, err = sample("classes", "--n", "400", "--out", "x.npy")
    assert (code, err) == (2, ["--n 400: that is 1,258,291,200 bytes in memory; give at most 341"])


def test_a_file_that_is_there_is_replaced(sample: Sample) -> None:
    Path("x.png").write_bytes(b"old")
    assert sample("plain", "--out", "x.png")[0] == 0
    assert images.decode_png(Path("x.png").read_bytes()).size
    assert list(Path().glob("*.tmp")) == []


def test_a_file_that_cannot_be_written_is_one_line(sample: Sample) -> None:
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


def test_a_config_that_reads_like_a_number_is_read_as_its_name(sample: Sample) -> None:
    """``1e3`` is text to the reader and the writer of trial.yaml, and a number to that of job files."""
    trial = JobDir("classes").trial("base-seed0")
    spec = TrialSpec.model_validate(trial.read_trial()).model_copy(update={"job": "1e3"})
    trial.write_trial(spec.model_dump(mode="json"))
    assert "job: 1e3" in Path("classes/trials/base-seed0/trial.yaml").read_text()
    assert sample("classes", "--n", "1", "--out", "x.png")[0] == 0
