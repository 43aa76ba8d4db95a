"""``gandist sample``: what it makes, and what it prints."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import imageio.v3 as iio
import numpy as np

from gandist.artifacts import images
from gandist.artifacts.job_dir import JobDir, TrialDir
from gandist.artifacts.trial_state import TrialState
from gandist.spec.trial import TrialSpec
from tests.conftest import CommandLine
from tests.sampling.conftest import made, rename


def test_a_grid_from_the_first_trial_that_has_a_generator(sample: CommandLine) -> None:
    code, out, err = sample("plain", "--out", "digits.png")
    assert (code, err) == (0, [])
    assert out == ["64 images from base-seed1 at step 2 (--trial takes another of the 4 trials): digits.png"]
    png = images.decode_png(Path("digits.png").read_bytes())
    np.testing.assert_array_equal(png, images.grid(made(sample, "plain"), 8, 8, scale=2))


def test_a_trial_by_its_name(sample: CommandLine) -> None:
    code, out, _ = sample("plain", "--trial", "base-seed2", "--n", "1", "--out", "one.PNG")
    assert (code, out) == (0, ["1 image from base-seed2 at step 2: one.PNG"])
    assert images.decode_png(Path("one.PNG").read_bytes()).shape == (28, 28)
    other, same = (made(sample, "plain", "--trial", f"base-seed{k}") for k in (2, 1))
    assert (other != same).any()


def test_a_picture_each(sample: CommandLine) -> None:
    code, out, _ = sample("plain", "--n", "3", "--scale", "2", "--out", "digits/")
    assert code == 0
    assert out[0].endswith(": digits/")
    assert sorted(it.name for it in Path("digits").iterdir()) == ["00000.png", "00001.png", "00002.png"]
    image = made(sample, "plain", "--n", "3")[2, ..., 0]
    png = images.decode_png(Path("digits/00002.png").read_bytes())
    np.testing.assert_array_equal(png, images.magnified(image, 2))


def test_the_best_generator_of_a_trial(sample: CommandLine) -> None:
    trial = JobDir("plain").trial("base-seed2")
    one, other = (JobDir("plain").trial(f"base-seed{seed}") for seed in (1, 2))
    trial.storage.write(TrialDir.BEST, one.storage.read(TrialDir.GENERATOR))
    trial.write_state(other.read_state().model_copy(update={"best_step": 1}))
    code, out, _ = sample("plain", "--checkpoint", "best", "--out", "best.npy")
    assert code == 0
    assert out[0].startswith("64 images from base-seed2 at step 1, the best one (--trial ")
    np.testing.assert_array_equal(np.load("best.npy"), made(sample, "plain", "--trial", "base-seed1"))


def test_images_are_a_function_of_seed_and_index(sample: CommandLine) -> None:
    many = made(sample, "plain", "--n", "40", "--seed", "5")
    assert (many.dtype, many.shape) == (np.uint8, (40, 28, 28, 1))
    assert many.std() > 1
    np.testing.assert_array_equal(made(sample, "plain", "--n", "8", "--seed", "5"), many[:8])
    assert (made(sample, "plain", "--n", "40") != many).any()


def test_the_images_are_those_of_the_generator_that_keras_loads(sample: CommandLine) -> None:
    import keras

    from gandist.sampling import generate

    model = keras.models.load_model("classes/trials/base-seed0/generator.keras")
    inputs = [generate.draw(0, 32, 6), np.arange(32, dtype=np.int32) % 10]
    expected = np.rint((model(inputs, training=False).numpy() + 1) * 127.5).clip(0, 255)
    np.testing.assert_array_equal(made(sample, "classes", "--n", "32"), expected)


def test_another_process_makes_the_same_file_in_silence(sample: CommandLine, tmp_path: Path) -> None:
    arguments = ["sample", "classes", "--n", "9", "--out"]
    assert sample(*arguments[1:], "here.png")[0] == 0
    command = [sys.executable, "-m", "gandist", *arguments, "there.png"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "9 images from base-seed0 at step 2: there.png\n"
    assert Path("there.png").read_bytes() == Path("here.png").read_bytes()


class TestClasses:
    def test_take_turns(self, sample: CommandLine) -> None:
        turns, threes = (
            made(sample, "classes", "--n", "14"),
            made(sample, "classes", "--n", "14", "--label", "3"),
        )
        assert [k for k in range(14) if (turns[k] == threes[k]).all()] == [3, 13]

    def test_share_the_images_in_the_order_given(self, sample: CommandLine) -> None:
        code, out, _ = sample("classes", "--label", "7", "--label", "3", "--n", "5", "--out", "made.npy")
        assert (code, out) == (0, ["5 images of 7, 3 from base-seed0 at step 2: made.npy"])
        both = np.load("made.npy")
        for label, its in (("7", slice(0, 3)), ("3", slice(3, 5))):
            np.testing.assert_array_equal(
                both[its], made(sample, "classes", "--label", label, "--n", "5")[its]
            )

    def test_have_names_which_come_before_indices(self, sample: CommandLine) -> None:
        rename(["a", "b", "1", *"3456789"])
        by_name, by_index, other = (made(sample, "classes", "--label", label) for label in ("1", "2", "b"))
        np.testing.assert_array_equal(by_name, by_index)
        assert (by_name != other).any()


class TestInterpolation:
    def test_rows_begin_with_the_seeds_latents_and_lead_to_the_next_row(self, sample: CommandLine) -> None:
        path, ends = made(sample, "plain", "--n", "64", "--interpolate"), made(sample, "plain", "--n", "8")
        np.testing.assert_array_equal(path[::8], ends)
        code, out, _ = sample("plain", "--interpolate", "--out", "path.png")
        assert code == 0
        assert out[0].startswith("64 images along a path from base-seed1 at step 2 ")
        png = images.decode_png(Path("path.png").read_bytes())
        np.testing.assert_array_equal(png, images.grid(path, 8, 8, scale=2))

    def test_a_gif_is_a_film_of_it_without_an_end(self, sample: CommandLine) -> None:
        path = made(sample, "plain", "--n", "30", "--interpolate")
        assert sample("plain", "--n", "30", "--interpolate", "--out", "path.gif")[0] == 0
        shown = iio.imread("path.gif", index=None)
        told = iio.immeta("path.gif", index=0)
        assert (told["loop"], told["duration"]) == (0, 60)
        np.testing.assert_array_equal(shown[0, ::9, ::9], path[0, ..., 0])
        np.testing.assert_array_equal(shown[-1, ::9, ::9], path[-1, ..., 0])

    def test_leads_through_images_that_were_chosen_and_back(self, sample: CommandLine) -> None:
        many = made(sample, "plain", "--n", "20", "--seed", "4")
        path = made(sample, "plain", "--n", "30", "--seed", "4", "--between", "17,5,11")
        np.testing.assert_array_equal(path[::10], many[[17, 5, 11]])
        code, out, _ = sample("plain", "--n", "4", "--between", "3, 1", "--out", "path.gif")
        assert code == 0
        assert out[0].startswith("4 images along a path through 3, 1 from base-seed1 at step 2 ")

    def test_stays_within_one_class(self, sample: CommandLine) -> None:
        path = made(sample, "classes", "--label", "3", "--interpolate", "--n", "16")
        np.testing.assert_array_equal(path[::4], made(sample, "classes", "--label", "3", "--n", "4"))


def test_a_generator_of_a_trial_that_goes_on_is_not_said_to_be_of_its_step(sample: CommandLine) -> None:
    trial = JobDir("classes").trial("base-seed0")
    trial.write_state(TrialState(status="running", step=3, total_steps=9))
    assert sample("classes", "--out", "x.png")[1] == [
        "64 images from base-seed0 at an earlier end (the trial has gone on: running, step 3 of 9): x.png"
    ]


def test_a_file_that_is_there_is_replaced(sample: CommandLine) -> None:
    Path("x.png").write_bytes(b"old")
    assert sample("plain", "--out", "x.png")[0] == 0
    assert images.decode_png(Path("x.png").read_bytes()).size
    assert list(Path().glob("*.tmp")) == []


def test_a_config_that_reads_like_a_number_is_read_as_its_name(sample: CommandLine) -> None:
    """``1e3`` is a number in YAML: as text it is quoted."""
    trial = JobDir("classes").trial("base-seed0")
    spec = TrialSpec.model_validate(trial.read_trial()).model_copy(update={"job": "1e3"})
    trial.write_trial(spec.model_dump(mode="json"))
    assert "job: '1e3'" in Path("classes/trials/base-seed0/trial.yaml").read_text()
    assert sample("classes", "--n", "1", "--out", "x.png")[0] == 0
